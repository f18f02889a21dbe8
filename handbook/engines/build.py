"""`make site`: the site is built beside the old one, and takes its place in one step.

At every moment the old site or the new one is there, and whole, whatever ends the build; and one with a broken link
takes no place. One build at a time works in a folder: the lock is the folder itself, held by every process of the
build, so that nothing is left of it.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Final

from handbook.loading import load
from handbook.reporters.text import text
from handbook.rules.engine import run_on_site
from handbook.settings import read_settings
from handbook.site.built import NoSiteError, read_site

SITE: Final = Path("site")
NEW: Final = Path("site.new")
_HERE, _EXCHANGE = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of Linux


def main() -> int:
    """Build the site of this folder; answers 0, or 1 with what is wrong on standard error."""
    lock = os.open(".", os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if NEW.exists():
            shutil.rmtree(NEW)
        command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(NEW)]
        if subprocess.run(command, pass_fds=[lock], check=False).returncode:  # noqa: S603 - our own words
            return 1
        if not links_hold(NEW):
            return 1
        put_in_place(NEW, SITE)
    except NoSiteError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    except BlockingIOError:
        print("Error: another build is at work in this folder", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"Error: the site cannot be written: {error.strerror} ({error.filename})", file=sys.stderr)
        return 1
    return 0


def links_hold(new: Path) -> bool:
    """Whether every link of a new site leads somewhere; what does not is told on standard error. Raises OSError."""
    root = Path.cwd()
    site = read_site(new, read_settings(root).site_url)
    if not site.faults:
        return True
    report = run_on_site(site, load(root), date.today())
    prefix = "Error: " if report.errors else ""
    sys.stderr.write(f"{prefix}links of the new site lead nowhere\n{text(report)}")
    return not report.errors


def put_in_place(new: Path, old: Path) -> None:
    """Put a folder in the place of another, and remove that. Raises OSError.

    Where the machine can exchange two names at once (Linux), both are there at every moment; elsewhere `old` is missing
    for as long as a renaming takes.
    """
    gone = new
    if not old.exists():
        new.rename(old)
    elif not _exchanged(new, old):
        gone = new.with_suffix(".old")
        shutil.rmtree(gone, ignore_errors=True)
        old.rename(gone)
        new.rename(old)
    shutil.rmtree(gone, ignore_errors=True)


def _exchanged(one: Path, other: Path) -> bool:
    """Whether the kernel has exchanged the two names."""
    renameat2 = getattr(ctypes.CDLL(None), "renameat2", None)
    return renameat2 is not None and renameat2(_HERE, bytes(one), _HERE, bytes(other), _EXCHANGE) == 0


if __name__ == "__main__":
    sys.exit(main())
