"""Wait until the commit that was deployed is the one that answers.

Argo CD deploys on its own time. Old pods answer next to new ones for a while, so one answer of the
right commit proves little: several in a row are asked for.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence

import httpx

IN_A_ROW = 10


def running_commit(http: httpx.Client) -> str:
    """Return the commit of the pod that happens to answer, or what went wrong instead."""
    try:
        response = http.get("/health/live")
        response.raise_for_status()
        return str(response.json()["commit"])
    except (httpx.HTTPError, ValueError, KeyError) as error:
        return type(error).__name__


def wait_for(
    ask: Callable[[], str],
    commit: str,
    timeout: float,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> str | None:
    """Return None once the commit has answered often enough, else the last answer."""
    deadline = clock() + timeout
    answer, row = "nothing", 0
    while clock() < deadline:
        answer = ask()
        row = row + 1 if answer == commit else 0
        if row == IN_A_ROW:
            return None
        sleep(1)
    return answer


def main(
    arguments: Sequence[str] | None = None, transport: httpx.BaseTransport | None = None
) -> int:
    """Wait for the commit; 1 if it has not come in time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--commit", required=True)
    parser.add_argument("--timeout", type=float, default=600, help="seconds")
    options = parser.parse_args(arguments)

    # A kept connection would stay with one pod and never see the others.
    limits = httpx.Limits(max_keepalive_connections=0)
    with httpx.Client(base_url=options.url, timeout=5, limits=limits, transport=transport) as http:
        last = wait_for(lambda: running_commit(http), options.commit, options.timeout)
    if last is None:
        return 0
    print(f"{options.commit} did not come; the last answer was {last}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
