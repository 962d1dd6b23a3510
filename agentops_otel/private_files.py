"""Files and directories for the user alone: 0600 and 0700, whatever the umask."""

import os
from contextlib import suppress
from pathlib import Path


def make_directories(path: Path) -> None:
    """Make the directory and those above it that are missing, each of mode 0700; `os.makedirs` does the last alone.

    Raises:
        OSError: One of them cannot be made.
    """
    if path.is_dir():
        return
    make_directories(path.parent)
    with suppress(FileExistsError):  # another process makes it too
        path.mkdir(mode=0o700)


def opener(path: str, flags: int) -> int:
    """Opens a file of mode 0600, for `open(..., opener=opener)`; makes its directories when they are missing."""
    with suppress(FileNotFoundError):
        return os.open(path, flags, 0o600)
    make_directories(Path(path).parent)
    return os.open(path, flags, 0o600)
