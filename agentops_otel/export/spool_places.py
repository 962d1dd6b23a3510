"""Which directories of `init(spool_dir=)` have been used, so that `agentops-otel send` finds them."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from agentops_otel.private_files import opener

_DIRECTORY = "spools"


def reminder(state_dir: Path, spool_dir: Path) -> Callable[[], None]:
    """A callback for a spool's first write: it notes the spool's directory in the state directory."""

    def remember() -> None:
        path = spool_dir.absolute()
        note = state_dir / _DIRECTORY / hashlib.sha256(bytes(path)).hexdigest()[:16]
        with suppress(OSError):  # a state directory that cannot be written to has no notes
            if not note.exists():
                with open(note, "wb", opener=opener) as file:
                    file.write(bytes(path))

    return remember


def used(state_dir: Path) -> Iterator[Path]:
    """The directories that are still there; the note of one that is gone is removed."""
    for note in sorted((state_dir / _DIRECTORY).glob("*")):
        with suppress(OSError):
            path = Path(note.read_bytes().decode("utf-8", "surrogateescape"))
            if path.is_dir():
                yield path
            else:
                note.unlink()
