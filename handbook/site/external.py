"""Whether other hosts still answer for what pages link to: LinkChecker asks, what failed is kept for the next run.

A host that fails once may be down for an hour: it is asked again in the same run, and what fails in every round of two
runs, one after the other, is gone. One that asks for patience (429, Retry-After) is given it, and is no failure.
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
"""How often a run asks for what has not answered."""

PAUSE: Final = 10.0
"""Seconds between two rounds, at least."""

PATIENCE: Final = 120.0
"""Seconds that a host can ask to be left alone and is still asked again in this run."""

TIMEOUT: Final = 20
"""Seconds that a host has to answer."""

_MOST: Final = 900
"""Seconds that a round can take; what has not been asked by then stays unknown."""
_FEW: Final = 3
_NOT_PUBLIC: Final = re.compile(
    r"(?:.*\.)?(?:example|test|invalid|local|localhost|internal|home\.arpa|example\.(?:com|net|org))|[^.]*"
)
"""Names that are examples (RFC 2606, RFC 6761), or that no public server knows."""
_LIMITED: Final = re.compile(r"Rate limited \(Retry-After: (.*)\)")
_CONFIGURATION: Final = """\
[checking]
threads=10
timeout={timeout}
recursionlevel=0
maxrunseconds={most}
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


class NoWebError(Exception):
    """The web could not be asked; the text says why."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An address that did not answer: the day of the first run of those in a row, and how many they are."""

    since: str
    runs: int


def worth_asking(address: str, ignore: Iterable[str]) -> bool:
    """Whether the web is asked for an address: not for an example, a host without a public name, or what is ignored.

    `ignore` are patterns of the whole address, * standing for anything.
    """
    if any(fnmatchcase(address, pattern) for pattern in ignore):
        return False
    host = (urlsplit(address).hostname or "").rstrip(".")
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return not _NOT_PUBLIC.fullmatch(host)


def ask(
    addresses: Iterable[str],
    *,
    rounds: int = ROUNDS,
    pause: float = PAUSE,
    timeout: int = TIMEOUT,
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, str | None]:
    """What is wrong with each address: nothing (""), what was said instead of an answer, or None where it is not known.

    It is not known where a host asked for more patience than there is. Raises NoWebError where LinkChecker cannot be
    run, and where none of three hosts or more could be reached: then it is this machine that is not on the web.
    """
    answers: dict[str, str | None] = {}
    left = sorted(set(addresses))
    for turn in range(rounds):
        if not left:
            break
        found = _linkchecker(left, timeout)
        waits, again = [pause], []
        for address in left:
            said, patience = _answer(*found.get(address, ("", "", "")))
            answers[address] = said
            if said == "" or patience > PATIENCE:
                continue
            waits.append(patience)
            again.append(address)
        left = again
        if left and turn + 1 < rounds:
            sleep(max(waits))
    hosts = {urlsplit(address).netloc for address in answers}
    if len(hosts) >= _FEW and all(said and not said[0].isdigit() for said in answers.values()):
        raise NoWebError("no host could be reached: this machine seems not to be on the web")
    return answers


def _answer(result: str, warning: str, valid: str) -> tuple[str | None, float]:
    """What is wrong, as `ask` has it, and the seconds that the host asked for."""
    if match := _LIMITED.search(warning):
        return None, _seconds(match[1])
    if valid == "True":
        return "", 0
    if not valid:
        return None, 0
    result = " ".join(result.split())
    return result if len(result) <= 120 else f"{result[:119]}…", 0


def _seconds(retry_after: str) -> float:
    """The seconds that Retry-After says, which may be a number or a date; none where it says nothing that is read."""
    if retry_after.isdigit():
        return float(retry_after)
    try:
        return max((parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return 0.0


def _linkchecker(addresses: Iterable[str], timeout: int) -> dict[str, tuple[str, str, str]]:
    """LinkChecker's result, warnings and verdict ("True" or "False") of each address, each asked once."""
    with tempfile.TemporaryDirectory(prefix="handbook-links-") as folder:
        Path(folder).chmod(0o755)  # started by root, LinkChecker reads as nobody
        configuration = Path(folder) / "linkcheckerrc"
        configuration.write_text(
            _CONFIGURATION.format(timeout=timeout, most=_MOST), encoding="utf-8"
        )
        # Neither the user's settings and plugins nor their passwords (.netrc), and results in English.
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
            answer = subprocess.run(  # noqa: S603 - our own words; addresses go in as data
                command,
                input="\n".join(re.sub(r"\s", "%20", address) for address in addresses),
                env=environment,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=_MOST + 60,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise NoWebError(
                f"LinkChecker did not come to an end within {_MOST + 60} seconds"
            ) from error
    found = {
        row[0]: (row[1], row[2], row[3])
        for row in csv.reader(answer.stdout.splitlines(True), delimiter=";")
        if len(row) == 4
    }
    if (
        answer.returncode not in (0, 1) or not found
    ):  # 1 is that of a broken link, and that of a crash
        reason = (answer.stderr.strip() or "it printed nothing").splitlines()[-1]
        raise NoWebError(f"LinkChecker failed: {reason}")
    return {
        address: found[asked]
        for address in addresses
        if (asked := re.sub(r"\s", "%20", address)) in found
    }


def remembered(text: str) -> dict[str, Failure]:
    """What a run has written. Raises ValueError where it is something else."""
    document = json.loads(text)
    if not isinstance(document, dict):
        raise ValueError("it is not a mapping of addresses")
    state = {}
    for address, value in document.items():
        match value:
            case {"since": str(since), "runs": int(runs)}:
                state[address] = Failure(since, runs)
            case _:
                raise ValueError(f"{address[:80]} has not the keys 'since' and 'runs'")
    return state


def after(
    answers: Mapping[str, str | None], before: Mapping[str, Failure], today: str
) -> dict[str, Failure]:
    """What is remembered after a run: what failed, counted on; what is not known, as it was; and nothing else."""
    state = {}
    for address, said in answers.items():
        known = before.get(address)
        if said:
            state[address] = Failure(known.since, known.runs + 1) if known else Failure(today, 1)
        elif said is None and known:
            state[address] = known
    return state


def written(state: Mapping[str, Failure]) -> str:
    """What is remembered as JSON, an address a line."""
    lines = (
        f"{json.dumps(address)}: {json.dumps(asdict(failure))}"
        for address, failure in sorted(state.items())
    )
    return "{" + ",".join(f"\n  {line}" for line in lines) + "\n}\n"
