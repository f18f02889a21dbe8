"""Feature flags: unfinished work is merged switched off, and no flag lives for ever."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated

from pydantic_settings import BaseSettings, SettingsConfigDict


# --8<-- [start:flags]
@dataclass(frozen=True)
class Toggle:
    """Who removes a flag, by which day, and what it is for."""

    owner: str
    expires: date
    purpose: str


class FeatureFlags(BaseSettings):
    """The flags, each read from FF_<NAME> when the process starts, each off by default."""

    model_config = SettingsConfigDict(env_prefix="FF_", env_file=".env", extra="ignore")

    new_checkout_flow: Annotated[
        bool,
        Toggle("order-team", date(2027, 3, 31), "Checkout that accepts coupon codes."),
    ] = False

    ai_recommendations: Annotated[
        bool,
        Toggle("order-team", date(2027, 6, 30), "Books to go with those in the cart."),
    ] = False


# --8<-- [end:flags]


# --8<-- [start:expiry]
def toggles() -> Iterator[tuple[str, Toggle]]:
    """Yield the environment variable of every flag with its toggle."""
    for name, field in FeatureFlags.model_fields.items():
        [toggle] = field.metadata  # a flag without one is a mistake, and fails here
        yield f"FF_{name.upper()}", toggle


def main(arguments: Sequence[str] | None = None) -> int:
    """List the flags that are past their day; 1 if there are any."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--on", type=date.fromisoformat, default=datetime.now(UTC).date())
    day: date = parser.parse_args(arguments).on
    expired = [(variable, toggle) for variable, toggle in toggles() if toggle.expires < day]
    for variable, toggle in expired:
        print(f"{variable} expired on {toggle.expires}: {toggle.owner} removes it")
    return 1 if expired else 0


if __name__ == "__main__":
    sys.exit(main())
# --8<-- [end:expiry]
