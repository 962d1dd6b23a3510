"""Trees of TaskWeaver's spans in a form that is the same in every run."""

import re
import sys
from collections.abc import Iterable, Iterator
from textwrap import wrap
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan

from agentops_otel import semconv
from agentops_otel.testing import Capture
from agentops_otel.view.tree import Node, build

_LENGTH = 52
_IDS = re.compile(r"\d{8}-\d{6}-[0-9a-f]{8}")
_EVERYWHERE = {semconv.AGENTOPS_TAGS, semconv.GEN_AI_CONVERSATION_ID}
_SHOWN = {
    semconv.ERROR_TYPE,
    semconv.GEN_AI_TOOL_CALL_ARGUMENTS,
    semconv.GEN_AI_TOOL_CALL_RESULT,
    semconv.GEN_AI_USAGE_INPUT_TOKENS,
    semconv.GEN_AI_USAGE_OUTPUT_TOKENS,
    semconv.TASKWEAVER_ARTIFACTS,
    semconv.TASKWEAVER_FILE_COUNT,
    semconv.TASKWEAVER_POST_ATTEMPT,
    semconv.TASKWEAVER_POST_SEND_TO,
    semconv.TASKWEAVER_ROUND_STATE,
    *(f"taskweaver.{kind}" for kind in ("code_error", "execution_status", "reply_content", "verification")),
}
_NEW_EACH_TIME = {semconv.SERVER_PORT, semconv.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK}
_MISSING_MESSAGE = "an attribute that every span of TaskWeaver has"


def whole(captured: Capture) -> list[dict[str, Any]]:
    """`captured.tree()`, with TaskWeaver's ids and the Planner's prompt replaced."""
    return [_fixed(node) for node in captured.tree()]


def outline(captured: Capture) -> str:
    """One line a span: what differs from flow to flow. Attributes of every span are looked for, and not shown."""
    spans = captured.spans
    everywhere = _EVERYWHERE if captured.client.config.instrument_taskweaver else {semconv.AGENTOPS_TAGS}
    assert all(set(span.attributes or {}) >= everywhere for span in spans), _MISSING_MESSAGE
    assert len({span.context.trace_id for span in spans if span.context}) == len(build(spans))
    return "\n".join(line for root in build(spans) for line in _lines(root, 0)) + "\n"


def _lines(node: Node, depth: int) -> Iterator[str]:
    span = node.span
    status = "" if span.status.is_unset else f" {span.status.status_code.name}: {span.status.description}"
    attributes = dict(span.attributes or {})
    if attributes.get(semconv.TASKWEAVER_POST_ATTEMPT) == 1:
        del attributes[semconv.TASKWEAVER_POST_ATTEMPT]
    said = [f"{_short(name)}={_text(value)!r}" for name, value in sorted(attributes.items()) if name in _SHOWN]
    margin = "  " * depth
    yield from wrap(_IDS.sub("ID", f"{span.name}{status}"), 110, initial_indent=margin, subsequent_indent=margin + "  ")
    yield from wrap("  ".join(said), 110, initial_indent=f"{margin}  - ", subsequent_indent=f"{margin}    ")
    for child in _sorted(node):
        yield from _lines(child, depth + 1)


def _sorted(node: Node) -> list[Node]:
    # The kernel starts beside the first LLM call of the reply: either may be the first.
    return sorted(node.children, key=lambda child: child.span.name != "taskweaver.kernel.start")


def _short(name: str) -> str:
    return name.removeprefix("taskweaver.").removeprefix("gen_ai.")


def _text(value: object) -> str:
    text = str(value)
    text = _IDS.sub("ID", " ".join(text.replace(sys.prefix, "VENV").split()))
    return text if len(text) <= _LENGTH else text[: _LENGTH - 1] + "…"


def _fixed(node: dict[str, Any]) -> dict[str, Any]:
    attributes = node["attributes"]
    if node["name"].startswith("chat"):
        attributes[semconv.GEN_AI_INPUT_MESSAGES] = "(the prompt)"
    attributes = {name: value for name, value in attributes.items() if name not in _NEW_EACH_TIME}
    fixed = {name: _text(value) if isinstance(value, str) else value for name, value in attributes.items()}
    children = [_fixed(child) for child in node.get("children", [])]
    children.sort(key=lambda child: child["name"] != "taskweaver.kernel.start")
    return {**node, "attributes": fixed, **({"children": children} if children else {})}


def names(captured: Capture) -> list[str]:
    """The names of the spans, indented."""
    return tree(captured.spans)


def tree(spans: Iterable[ReadableSpan]) -> list[str]:
    """The names of any spans, indented; a kernel's start comes before its siblings."""
    return [line for root in build(spans) for line in _names(root, 0)]


def _names(node: Node, depth: int) -> list[str]:
    below = [line for child in _sorted(node) for line in _names(child, depth + 1)]
    return ["  " * depth + node.span.name, *below]
