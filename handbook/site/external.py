"""Check links to other hosts with LinkChecker, and remember the failures for the next run.

A host can be down for a short time, so a run checks each failed address in several rounds. A link
is dead if it fails in every round of two successive runs. If a host limits the rate of requests
(status 429 with Retry-After), the run waits as long as the host asks. This is not a failure.
"""

from __future__ import annotations

import csv
import ipaddress
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

ROUNDS: Final = 3
"""Maximum number of rounds in which a failing address is checked."""

PAUSE: Final = 10.0
"""Minimum number of seconds between two rounds."""

PATIENCE: Final = 120.0
"""Maximum wait in seconds. An address whose host asks for a longer wait is not checked again."""

TIMEOUT: Final = 20
"""Seconds before a request times out."""

_MAX_SECONDS: Final = 900
"""Time limit of a round in seconds. Addresses that are not checked in time have no result."""
_MIN_HOSTS: Final = 3
"""Minimum number of hosts. If all of them are unreachable, the network of this machine is down."""
_NOT_PUBLIC: Final = re.compile(
    r"(?:.*\.)?(?:example|test|invalid|local|localhost|internal|home\.arpa"
    r"|example\.(?:com|net|org))|[^.]*"
)
"""Host names that are reserved for examples (RFC 2606, RFC 6761) or used in private networks."""
_LIMITED: Final = re.compile(r"Rate limited \(Retry-After: (.*)\)")
_CONFIGURATION: Final = """\
[checking]
threads=10
timeout={timeout}
recursionlevel=0
maxrunseconds={max_seconds}
[filtering]
checkextern=1
[output]
log=csv
verbose=1
status=0
[csv]
parts=urlname,result,warningstring,valid
separator=;
"""


class ExternalCheckError(Exception):
    """Raised if links to other hosts cannot be checked. The message gives the reason."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Successive failures of an address: the day of the first one, and the number of runs."""

    since: str
    runs: int


@dataclass(frozen=True, slots=True)
class _LinkCheckerRow:
    """Row of LinkChecker's output for one address.

    `text` is the result and `warning` the warning, both as LinkChecker prints them. `valid` is
    "True", "False", or empty if LinkChecker has not checked the address.
    """

    text: str = ""
    warning: str = ""
    valid: str = ""


def is_checkable(address: str, ignore: Iterable[str]) -> bool:
    """Tell whether an address has a public host and matches no pattern in `ignore`.

    A pattern matches the whole address, and `*` in it matches any text. Host names for examples are
    not public.
    """
    if any(fnmatchcase(address, pattern) for pattern in ignore):
        return False
    host = (urlsplit(address).hostname or "").rstrip(".")
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return not _NOT_PUBLIC.fullmatch(host)


def check_addresses(
    addresses: Iterable[str],
    *,
    rounds: int = ROUNDS,
    pause: float = PAUSE,
    timeout: int = TIMEOUT,
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, str | None]:
    """Check addresses on other hosts, and return the error of each address.

    The error is empty for an address that works. It is None for an address without a result, for
    example if its host asks for a longer wait than PATIENCE. Raises ExternalCheckError if
    LinkChecker cannot run. Also raises it if at least three hosts are checked and none can be
    reached, because then the network of this machine is down.
    """
    errors: dict[str, str | None] = {}
    pending = sorted(set(addresses))
    for round_index in range(rounds):
        if not pending:
            break
        results = _run_linkchecker(pending, timeout)
        waits, failed = [pause], []
        for address in pending:
            errors[address], wait = _read_result(results.get(address, _LinkCheckerRow()))
            if errors[address] == "" or wait > PATIENCE:
                continue
            waits.append(wait)
            failed.append(address)
        pending = failed
        if pending and round_index + 1 < rounds:
            sleep(max(waits))
    hosts = {urlsplit(address).netloc for address in errors}
    has_no_status = all(error and not error[0].isdigit() for error in errors.values())
    if len(hosts) >= _MIN_HOSTS and has_no_status:
        raise ExternalCheckError("no host can be reached; check the network of this machine")
    return errors


def _read_result(row: _LinkCheckerRow) -> tuple[str | None, float]:
    """Return the error of an address, and the wait in seconds that its host asks for.

    The error has the same form as in `check_addresses`.
    """
    if match := _LIMITED.search(row.warning):
        return None, _parse_retry_after(match[1])
    if row.valid == "True":
        return "", 0
    if not row.valid:
        return None, 0
    error = " ".join(row.text.split())
    return error if len(error) <= 120 else f"{error[:119]}…", 0


def _parse_retry_after(retry_after: str) -> float:
    """Return the wait in seconds of a Retry-After header, which holds a number or a date.

    Returns 0 for an invalid header.
    """
    if retry_after.isdigit():
        return float(retry_after)
    try:
        return max((parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return 0.0


def _run_linkchecker(addresses: Iterable[str], timeout: int) -> dict[str, _LinkCheckerRow]:
    """Check each address once with LinkChecker, and return its rows by address.

    Raises ExternalCheckError if LinkChecker crashes or does not finish in time.
    """
    with tempfile.TemporaryDirectory(prefix="handbook-links-") as folder:
        # LinkChecker drops its root rights before it reads its files.
        Path(folder).chmod(0o755)
        configuration = Path(folder) / "linkcheckerrc"
        configuration.write_text(
            _CONFIGURATION.format(timeout=timeout, max_seconds=_MAX_SECONDS), encoding="utf-8"
        )
        # LinkChecker must not read the user's settings, plugins and passwords (.netrc).
        # Its results must be in English.
        environment = os.environ | {
            "HOME": folder,
            "XDG_DATA_HOME": folder,
            "XDG_CONFIG_HOME": folder,
            "LC_ALL": "C.UTF-8",
            "LANGUAGE": "en",
            "PYTHONUTF8": "1",
        }
        command = [sys.executable, "-m", "linkcheck", "--config", str(configuration), "--stdin"]
        try:
            process = subprocess.run(  # noqa: S603 - fixed arguments; addresses are input
                command,
                input="\n".join(map(_encode_spaces, addresses)),
                env=environment,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=_MAX_SECONDS + 60,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise ExternalCheckError(
                f"LinkChecker did not finish within {_MAX_SECONDS + 60} seconds"
            ) from error
    results = {
        row[0]: _LinkCheckerRow(row[1], row[2], row[3])
        for row in csv.reader(process.stdout.splitlines(True), delimiter=";")
        if len(row) == 4
    }
    # Exit code 1 means a broken link or a crash. A crash prints no results.
    if process.returncode not in (0, 1) or not results:
        reason = (process.stderr.strip() or "no output").splitlines()[-1]
        raise ExternalCheckError(f"LinkChecker failed: {reason}")
    return {
        address: results[encoded]
        for address in addresses
        if (encoded := _encode_spaces(address)) in results
    }


def _encode_spaces(address: str) -> str:
    return re.sub(r"\s", "%20", address)


def parse_state(text: str) -> dict[str, Failure]:
    """Parse the state file of an earlier run. Raises ValueError if it is invalid."""
    document = json.loads(text)
    if not isinstance(document, dict):
        raise ValueError("not a mapping of addresses")
    state = {}
    for address, value in document.items():
        match value:
            case {"since": str(since), "runs": int(runs)}:
                state[address] = Failure(since, runs)
            case _:
                raise ValueError(f"missing or invalid 'since' or 'runs' of '{address[:80]}'")
    return state


def update_state(
    errors: Mapping[str, str | None], previous_state: Mapping[str, Failure], today: str
) -> dict[str, Failure]:
    """Return the state after a run: the failures of each address.

    `errors` is the result of `check_addresses`. An error adds one run to the failures of its
    address. The failures of an address without a result stay as they are. Addresses that work, or
    that no page links to any more, are removed from the state.
    """
    state = {}
    for address, error in errors.items():
        failure = previous_state.get(address)
        if error:
            state[address] = (
                Failure(failure.since, failure.runs + 1) if failure else Failure(today, 1)
            )
        elif error is None and failure:
            state[address] = failure
    return state


def format_state(state: Mapping[str, Failure]) -> str:
    """Return the state as JSON, with one address on each line."""
    lines = (
        f"{json.dumps(address)}: {json.dumps(asdict(failure))}"
        for address, failure in sorted(state.items())
    )
    return "{" + ",".join(f"\n  {line}" for line in lines) + "\n}\n"
