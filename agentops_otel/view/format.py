"""Values as people read them: durations, amounts, tokens, names. Pure functions."""

from typing import NamedTuple

from opentelemetry.sdk.trace import ReadableSpan

from agentops_otel import semconv


class Glyphs(NamedTuple):
    """The special characters of the output, with ASCII forms for streams that cannot encode them."""

    failed: str
    tee: str
    corner: str
    bar: str
    arrow: str
    cut: str
    times: str


UNICODE = Glyphs(failed="✗ ", tee="├─ ", corner="└─ ", bar="│  ", arrow="→", cut="…", times="×")  # noqa: RUF001  # a multiplication sign is meant
ASCII = Glyphs(failed="x ", tee="|- ", corner="`- ", bar="|  ", arrow="->", cut="...", times="x")


def seconds(nanoseconds: int) -> str:
    """A duration as people read it: `0.4 ms`, `12 ms`, `1.24 s`, `123 s`."""
    ms = nanoseconds / 1e6
    for below, text in ((9.95, f"{ms:.1f} ms"), (999.5, f"{ms:.0f} ms"), (99_995, f"{ms / 1e3:.2f} s")):
        if ms < below:
            return text
    return f"{ms / 1e3:.0f} s"


def dollars(usd: float) -> str:
    """An amount with as many digits as it needs: `$1.20`, `$0.0048`."""
    return f"${usd:.2f}" if usd >= 1 or not usd else f"${usd:.4f}" if usd >= 0.0001 else f"${usd:.6f}"


def plural(count: int, noun: str) -> str:
    """`1 error`, `2 errors`, `2 processes`."""
    ending = "" if count == 1 else "es" if noun.endswith("s") else "s"
    return f"{count} {noun}{ending}"


def model_of(span: ReadableSpan) -> str | None:
    """The model of the response, else that of the request."""
    attributes = span.attributes or {}
    model = attributes.get(semconv.GEN_AI_RESPONSE_MODEL) or attributes.get(semconv.GEN_AI_REQUEST_MODEL)
    return None if model is None else str(model)


def tokens_text(used_in: int | None, used_out: int | None, glyphs: Glyphs = UNICODE) -> str:
    """Used tokens: `1200→180 tok`; empty when none are known."""
    if used_out is None:
        return "" if used_in is None else f"{used_in} tok"
    return f"{'' if used_in is None else used_in}{glyphs.arrow}{used_out} tok"


def one_line(text: str) -> str:
    """The text on one line, with a replacement sign for control characters and lone surrogates."""
    return "".join(sign if sign.isprintable() else "�" for sign in " ".join(text.split()))


def cut(text: str, width: int, glyphs: Glyphs) -> str:
    """The text, cut to *width* characters with a mark at the end."""
    return text if len(text) <= width else text[: width - len(glyphs.cut)] + glyphs.cut
