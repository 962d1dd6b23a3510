"""Reads trace files into the store as they grow. Nothing is read twice, also after a restart."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from opentelemetry.sdk.trace import ReadableSpan

from agentops_otel.view.live.store import Store

BATCH = 2_000
"""Spans stored at a time."""
ReadFrom = Callable[[Path, int], Iterator[tuple[list[ReadableSpan] | ValueError, int]]]
"""Reads a file from an offset: the spans of each line, or its error, with the offset of the next line."""


def read_on(path: Path, store: Store, read_from: ReadFrom, say: Callable[[str], None]) -> None:
    """Read the lines added to a file since the last call. *say* is called with an error for each invalid line.

    A missing file is skipped. A new file at the same path is read from its beginning.
    """
    with suppress(FileNotFoundError):
        about = path.stat()
        name = f"{path.absolute()} {about.st_dev} {about.st_ino}"
        place = begin = store.read_to(name)
        if begin >= about.st_size:
            return
        held: list[ReadableSpan] = []
        for spans, place in read_from(path, begin):
            if isinstance(spans, ValueError):
                say(f"left out: {spans}")
            else:
                held += spans
            if len(held) >= BATCH:
                _keep(held, store, (name, place), say)
                held = []
        _keep(held, store, (name, place), say)


def _keep(spans: list[ReadableSpan], store: Store, read_to: tuple[str, int], say: Callable[[str], None]) -> None:
    try:
        store.add(spans, read_to=read_to)
    except ValueError as error:
        say(f"left out: {len(spans)} spans of {read_to[0]}: {error}")
        store.add([], read_to=read_to)
