"""Feature flags: off unless told otherwise, and not for ever."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from order_service.flags import FeatureFlags, main, toggles


def test_flags_without_environment_are_off() -> None:
    flags = FeatureFlags(_env_file=None)

    assert not any(flags.model_dump().values())


@pytest.mark.parametrize("value", ["true", "True", "TRUE", "1"])
def test_flag_set_to_true_is_on(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("FF_NEW_CHECKOUT_FLOW", value)

    flags = FeatureFlags(_env_file=None)

    assert flags.new_checkout_flow
    assert not flags.ai_recommendations


def test_flag_with_comment_behind_value_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FF_NEW_CHECKOUT_FLOW", "true # flip at release")

    with pytest.raises(ValidationError):
        FeatureFlags(_env_file=None)


def test_flags_all_have_owner_expiry_and_purpose() -> None:
    known = dict(toggles())

    assert set(known) == {"FF_NEW_CHECKOUT_FLOW", "FF_AI_RECOMMENDATIONS"}
    assert all(toggle.owner.endswith("-team") and toggle.purpose for toggle in known.values())


def test_expiry_list_before_first_day_is_empty(capsys: pytest.CaptureFixture[str]) -> None:
    first = min(toggle.expires for _, toggle in toggles())

    status = main(["--on", first.isoformat()])

    assert status == 0
    assert capsys.readouterr().out == ""


def test_expiry_list_after_last_day_names_flags_and_owners(
    capsys: pytest.CaptureFixture[str],
) -> None:
    last = max(toggle.expires for _, toggle in toggles())

    status = main(["--on", (last + timedelta(days=1)).isoformat()])

    lines = capsys.readouterr().out.splitlines()
    assert status == 1
    assert len(lines) == len(dict(toggles()))
    assert all("order-team removes it" in line for line in lines)
