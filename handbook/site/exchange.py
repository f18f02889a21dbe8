"""Put a new site in the place of an old one, so that at every moment one of them is there, and whole.

Beside the folder of a site, `.NAME.new` is the one that is being built. Where the system cannot exchange two names at
once, `.NAME.old` holds the old site while the new one is renamed; after a kill in between, `recover` puts it back.
"""

from __future__ import annotations

import ctypes
import shutil
from pathlib import Path
from typing import Final

_HERE, _EXCHANGE = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of Linux
NEW: Final = ".{}.new"
_OLD: Final = ".{}.old"


def new_site(site: Path) -> Path:
    """The folder in which a new site is built."""
    return site.with_name(NEW.format(site.name))


def put_in_place(site: Path) -> None:
    """Put the new site in the place of the old one, and remove that. Raises OSError."""
    new = new_site(site)
    old = site.with_name(_OLD.format(site.name))
    if not site.exists():
        new.rename(site)
    elif exchange(new, site):
        new.rename(old)
    else:
        site.rename(old)
        new.rename(site)
    shutil.rmtree(old, ignore_errors=True)


def exchange(one: Path, other: Path) -> bool:
    """Exchange two names at once, where the system can; whether it has."""
    renameat2 = getattr(ctypes.CDLL(None), "renameat2", None)
    return (
        renameat2 is not None and renameat2(_HERE, bytes(one), _HERE, bytes(other), _EXCHANGE) == 0
    )


def recover(site: Path) -> None:
    """Put the old site back where a build was killed between its two renames, and remove it where it was after them.

    Raises OSError.
    """
    old = site.with_name(_OLD.format(site.name))
    if old.is_dir():
        if site.exists():
            shutil.rmtree(old)
        else:
            old.rename(site)
