"""Wait until the commit that was deployed is the one that answers, or the Rollout gives it up.

Argo CD deploys on its own time. Old pods answer next to new ones for a while, so one answer of the
right commit proves little: several in a row are asked for. A canary that was aborted never comes:
its controller says so in a status of the commit, which ends the wait.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import httpx

IN_A_ROW = 10
STATUS_EVERY = 15  # seconds; the token of a job may ask the API 1000 times an hour


def running_commit(http: httpx.Client) -> str:
    """Return the commit of the pod that happens to answer, or what went wrong instead."""
    try:
        response = http.get("/health/live")
        response.raise_for_status()
        return str(response.json()["commit"])
    except (httpx.HTTPError, ValueError, KeyError) as error:
        return type(error).__name__


# --8<-- [start:status]
def rollout_status(github: httpx.Client, commit: str, context: str, since: datetime) -> str:
    """Return the status under this name that was set after a time, such as failure.

    An older one is of an attempt before this: a new run would stop at its failure at once.
    """
    try:
        response = github.get(f"/commits/{commit}/status", params={"per_page": 100})
        response.raise_for_status()
        states = {
            status["context"]: status["state"]
            for status in response.json()["statuses"]
            if datetime.fromisoformat(status["updated_at"]) > since
        }
    except (httpx.HTTPError, ValueError, KeyError):
        # What cannot be asked is no reason to give up a deployment.
        return "unknown"
    return str(states.get(context, "unknown"))


def wait_for(
    ask: Callable[[], str],
    commit: str,
    timeout: float,
    *,
    status: Callable[[], str] = lambda: "unknown",
    seen_within: float = float("inf"),
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> str | None:
    """Return None once the commit has answered often enough, else why the wait is over."""
    start = next_status = clock()
    answer, row, seen = "nothing", 0, False
    while (now := clock()) < start + timeout:
        if now >= next_status:
            next_status = now + STATUS_EVERY
            if status() in {"failure", "error"}:
                return "its Rollout was aborted"
        answer = ask()
        seen = seen or answer == commit
        row = row + 1 if answer == commit else 0
        if row == IN_A_ROW:
            return None
        if not seen and now >= start + seen_within:
            return f"no pod has it after {seen_within:.0f} s; the last answer was {answer}"
        sleep(1)
    return f"the last answer was {answer}"


# --8<-- [end:status]


def main(
    arguments: Sequence[str] | None = None, transport: httpx.BaseTransport | None = None
) -> int:
    """Wait for the commit; 1 with the reason if it has not come in time, or never will."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--commit", required=True)
    parser.add_argument("--timeout", type=float, default=600, help="seconds")
    parser.add_argument(
        "--seen-within", type=float, default=float("inf"), help="seconds until its first answer"
    )
    parser.add_argument("--status", help="name of the commit status that the Rollout sets")
    options = parser.parse_args(arguments)

    since = datetime.now(UTC)
    api = os.environ.get("GITHUB_API_URL", "https://api.github.com")
    repository = os.environ.get("GITHUB_REPOSITORY", "mycompany/order-service")
    headers = {"Authorization": f"Bearer {os.environ.get('GITHUB_TOKEN', '')}"}
    # A kept connection would stay with one pod and never see the others.
    limits = httpx.Limits(max_keepalive_connections=0)
    with (
        httpx.Client(base_url=options.url, timeout=5, limits=limits, transport=transport) as http,
        httpx.Client(
            base_url=f"{api}/repos/{repository}", headers=headers, timeout=5, transport=transport
        ) as github,
    ):
        reason = wait_for(
            lambda: running_commit(http),
            options.commit,
            options.timeout,
            status=lambda: (
                rollout_status(github, options.commit, options.status, since)
                if options.status
                else "unknown"
            ),
            seen_within=options.seen_within,
        )
    if reason is None:
        return 0
    print(f"{options.commit} did not come: {reason}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
