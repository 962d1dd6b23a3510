"""Traces as one HTML page without network access and scripts. All recorded values are escaped."""

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from html import escape
from importlib.resources import files
from string import Template

import orjson

from agentops_otel import semconv
from agentops_otel.view.format import dollars, model_of, plural, seconds, tokens_text
from agentops_otel.view.tree import Node, duration_ns, error_of, role, summarize, tokens, trace_id

_MESSAGES = (semconv.GEN_AI_SYSTEM_INSTRUCTIONS, semconv.GEN_AI_INPUT_MESSAGES, semconv.GEN_AI_OUTPUT_MESSAGES)


def render(traces: Sequence[Sequence[Node]], *, title: str) -> str:
    """The page.

    Args:
        traces: The trees of each trace.
        title: The title of the page: the file's name.
    """
    template = files("agentops_otel.view").joinpath("page.html").read_text("utf-8")
    style = template.partition("<style>")[2].partition("</style>")[0]
    return Template(template).substitute(
        title=_text(title),
        traces="\n".join(_trace(roots) for roots in traces),
        style_hash=b64encode(sha256(style.encode()).digest()).decode(),
    )


def _trace(roots: Sequence[Node]) -> str:
    total = summarize(roots)
    facts = [
        seconds(total.duration_ns),
        plural(total.spans, "span"),
        plural(total.llm_calls, "LLM call"),
        tokens_text(total.input_tokens, total.output_tokens),
        "" if total.cost_usd is None else dollars(total.cost_usd),
    ]
    failed = f'<span class="error">{plural(total.errors, "error")}</span>' if total.errors else ""
    start = min(root.span.start_time or 0 for root in roots)
    rows = "\n".join(_row(node, depth, start, total.duration_ns) for root in roots for depth, node in root.walk())
    head = " · ".join(part for part in facts if part)
    name = _text(trace_id(roots[0].span))
    return f'<section><h2>{name}</h2><p class="sum">{_text(head)} {failed}</p>\n{rows}\n</section>'


def _row(node: Node, depth: int, start: int, length: int) -> str:
    span, error = node.span, error_of(node.span)
    left = _percent((span.start_time or start) - start, length)
    width = _percent(duration_ns([span]), length)
    model, used = model_of(span), tokens_text(*tokens(span))
    facts = [used, model if model and model not in span.name else "", error or ""]
    return (
        f'<details class="{role(span)}{" failed" if error else ""}">'
        # In SVG the bar's place is an attribute; as a style it the content policy would refuse it.
        f'<summary><span class="name"><svg class="indent" width="{min(depth, 40) * 14}" height="1"></svg>'
        f'<i></i>{_text(span.name)}</span><span class="time">{_text(seconds(duration_ns([span])))}</span>'
        f'<svg class="bar"><rect x="{left}%" width="{width}%" height="100%" rx="2"></rect></svg>'
        f'<span class="said">{_text("  ".join(part for part in facts if part))}</span></summary>'
        f"{''.join(_details(node))}</details>"
    )


def _details(node: Node) -> Iterator[str]:
    attributes = node.span.attributes or {}
    for name in _MESSAGES:
        if name in attributes:
            yield from _messages(name, attributes[name])
    yield _table({name: value for name, value in attributes.items() if name not in _MESSAGES})
    for event in node.span.events:
        yield f"<h3>{_text(event.name)}</h3>{_table(event.attributes or {})}"
    if node.span.links:
        yield _table(
            {"links": [f"{link.context.trace_id:032x}/{link.context.span_id:016x}" for link in node.span.links]}
        )


def _messages(name: str, value: object) -> Iterator[str]:
    """The messages of a conversation; any other value unchanged."""
    messages = _parsed(value)
    yield f"<h3>{_text(name)}</h3>"
    for message in messages if isinstance(messages, list) else [messages]:
        fields = message if isinstance(message, dict) else {"content": message}
        parts = fields.get("parts", [fields])
        for part in parts if isinstance(parts, list) else [parts]:
            role_text, text = _text(fields.get("role", "")), _text(_part_text(part))
            yield f'<div class="message"><b>{role_text}</b><pre>{text}</pre></div>'


def _part_text(part: object) -> object:
    """The text of a text part; any other part whole."""
    if isinstance(part, dict) and isinstance(part.get("content"), str) and part.get("type", "text") in ("text", ""):
        return part["content"]
    return part


def _table(fields: Mapping[str, object]) -> str:
    rows = (
        f"<tr><th>{_text(name)}</th><td><pre>{_text(_parsed(value))}</pre></td></tr>" for name, value in fields.items()
    )
    return f"<table>{''.join(rows)}</table>"


def _parsed(value: object) -> object:
    """JSON text parsed, so that it can be indented; any other value unchanged."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            return value
    return value


def _text(value: object) -> str:
    """Any value as escaped text."""
    text = value if isinstance(value, str) else _indented(value)
    return escape(text.encode("utf-8", "replace").decode())


def _indented(value: object) -> str:
    try:
        return orjson.dumps(value, default=repr, option=orjson.OPT_INDENT_2).decode()
    except orjson.JSONEncodeError:  # nested deeper than it goes, or a number of more than 64 bits
        return repr(value)


def _percent(part: int, whole: int) -> str:
    return f"{min(max(100 * part / whole, 0), 100):.3f}" if whole else "0"
