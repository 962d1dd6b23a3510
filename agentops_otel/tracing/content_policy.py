"""Applies the content policy to a span's attributes when they are first read, usually on the exporting thread."""

from collections.abc import Mapping, Set
from typing import Any

import orjson
from opentelemetry.trace import Link

from agentops_otel import semconv
from agentops_otel.content import Content

SPAN_LIMIT_BYTES = 256 * 1024
"""The most content that one span holds, in UTF-8 bytes."""

MARK_BYTES = 128
"""Budget of an attribute in a span whose content limit is used up, in UTF-8 bytes: room for a mark."""


def apply_policy(policy: Content | None, values: Mapping[str, Any]) -> dict[str, Any]:
    """A span's attributes with their content redacted; content that must not be kept is left out.

    Args:
        policy: The policy; None removes the content.
        values: The attributes. Content stands in lists: `[value]` becomes JSON, `[value, None]` keeps its type.
    """
    kept: dict[str, Any] = {}
    held = 0
    for name, value in values.items():
        if type(value) is not list:
            kept[name] = value
        elif (text := _kept(policy, name, value, max(SPAN_LIMIT_BYTES - held, MARK_BYTES))) is not None:
            kept[name] = text
        held += size(kept[name]) if type(kept.get(name)) is str else 0
    return kept


def _kept(policy: Content | None, name: str, unread: list[Any], room: int) -> Any:
    if policy is None:
        return None
    return policy.json(name, unread[0], limit_bytes=room) if len(unread) == 1 else redacted(policy, name, unread[0])


def redacted(policy: Content, name: str, value: Any) -> Any:
    """The value of an attribute that the program or a library set, under the policy; None if it must not be kept."""
    return _content(policy, name, value) if name in semconv.CONTENT else value


def redacted_event(policy: Content, event: str, attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    """The attributes of an event that the program or a library added, under the policy.

    The messages of exceptions are content, and so are those in events of the GenAI conventions:
    https://github.com/open-telemetry/semantic-conventions/blob/v1.36.0/docs/gen-ai/gen-ai-events.md
    """
    return _kept_of(policy, attributes, {name for name in attributes if _is_content(event, name)})


def redacted_link(policy: Content, link: Link) -> Link:
    """A link that the program or a library gives a span, under the policy."""
    content = semconv.CONTENT.intersection((link.attributes if link else None) or ())
    return Link(link.context, _kept_of(policy, link.attributes or {}, content)) if content else link


def _kept_of(policy: Content, attributes: Mapping[str, Any], content: Set[str]) -> Mapping[str, Any]:
    """The attributes, those that are content under the policy."""
    under = {name: _content(policy, name, attributes[name]) for name in content}
    return {name: under.get(name, value) for name, value in attributes.items() if under.get(name, True) is not None}


def _is_content(event: str, name: str) -> bool:
    if name in semconv.CONTENT:
        return True
    if not (isinstance(event, str) and event.startswith(semconv.GEN_AI_EVENTS)):
        return False
    # An attribute with an unknown name may be a message: it is content, unless the conventions define it otherwise.
    return not (name in semconv.GEN_AI_EVENT_FIELDS or str(name).startswith(semconv.GEN_AI_EVENTS))


def _content(policy: Content, name: str, value: Any) -> Any:
    if not policy.enabled:
        return None
    if isinstance(value, str):
        return _text(policy, name, value)
    if isinstance(value, tuple):
        return tuple(_content(policy, name, item) for item in value)
    if isinstance(value, Mapping):
        text = policy.json(name, value)
        return None if text is None else orjson.loads(text)
    return value


def _text(policy: Content, name: str, text: str) -> str | None:
    """A text under the policy. JSON is redacted by its keys, and stays valid JSON if it is shortened."""
    if text[:1] in ("{", "["):
        try:
            return policy.json(name, orjson.loads(text))
        except ValueError:  # it only looks like JSON
            pass
    return policy.text(name, text)


def size(text: str) -> int:
    """The text's length in UTF-8 bytes."""
    return len(text) if text.isascii() else len(text.encode(errors="replace"))
