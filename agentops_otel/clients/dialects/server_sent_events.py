"""Server-sent events, for responses whose stream the program reads as bytes.

The format: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from collections.abc import Iterable, Iterator
from typing import Any

from agentops_otel.instrumentation.reading import loads
from agentops_otel.instrumentation.spec import Fold

LINE_LIMIT_BYTES = 1024 * 1024
"""Longer lines are not read."""

_UNFINISHED = "unfinished line"


def are_events(body: bytes) -> bool:
    """Whether a body is a stream of events."""
    return body.lstrip().startswith((b"data:", b"event:", b"id:", b":"))


def events(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """The JSON objects of the `data` lines. LLM servers send one line for each event."""
    for line in lines:
        if line.startswith(b"data:") and isinstance(event := loads(line[5:]), dict):
            yield event


def folding_bytes(fold: Fold) -> Fold:
    """A fold of chunks of bytes, which may end anywhere in a line; *fold* gets the events.

    A chunk that is no bytes is an event already.
    """

    def fold_chunk(response: dict[str, Any], chunk: Any) -> None:
        if not isinstance(chunk, bytes | bytearray | str):
            fold(response, chunk)
            return
        unfinished: bytearray = response.setdefault(_UNFINISHED, bytearray())
        *lines, rest = (unfinished + (chunk.encode() if isinstance(chunk, str) else chunk)).split(b"\n")
        for event in events(map(bytes, lines)):
            fold(response, event)
        response[_UNFINISHED] = rest if len(rest) <= LINE_LIMIT_BYTES else bytearray()

    return fold_chunk
