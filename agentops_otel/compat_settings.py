"""Translates settings and end states of AgentOps 0.0 to 0.4 into ours. Ignored ones are logged once, at DEBUG."""

import logging
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypedDict
from urllib.parse import urlsplit

from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

from agentops_otel import settings

_logger = logging.getLogger("agentops_otel")
_said: set[str] = set()


class CompatSettings(TypedDict, total=False):
    """Arguments of `init()` and `Client()` in AgentOps 0.0 to 0.4 that ours do not have."""

    default_tags: list[str] | None
    """0.3, 0.4: `tags`."""
    trace_name: str | None
    """0.4: what the session is called that starts by itself."""
    inherited_session_id: str | None
    """0.3: the `session.id` of the session that starts by itself."""
    app_url: str | None
    exporter_endpoint: str | None
    """0.4: where an AgentOps account's spans go."""
    exporter: SpanExporter | None
    processor: SpanProcessor | None
    """0.4 took these two and did nothing with them; they are used."""
    override: bool
    """0.0: `instrument_llm_calls`."""
    bypass_new_session: bool
    """0.0: not `auto_start_session`."""
    auto_init: object
    env_data_opt_out: object
    export_flush_interval: object
    fail_safe: object
    log_level: object
    log_session_replay_url: object
    max_queue_size: object
    max_wait_time: object
    org_key: object
    parent_key: object
    prefetch_jwt_token: object
    skip_auto_end_session: object


class CompatSessionSettings(TypedDict, total=False):
    """Arguments of AgentOps' `start_session()` that ours does not have."""

    inherited_session_id: str | None
    """0.3: `session_id`."""
    config: object
    jwt: object


class CompatEndSettings(TypedDict, total=False):
    """Arguments of AgentOps' `end_session()` that ours does not have."""

    video: object
    is_auto_end: object


_AS_THEY_ARE = ("trace_name", "inherited_session_id", "app_url", "exporter_endpoint")
_PUT_INTO_OURS: Mapping[str, Callable[[object], tuple[str, object]]] = {
    "default_tags": lambda tags: ("tags", tags),
    "override": lambda override: ("instrument_llm_calls", bool(override)),
    "bypass_new_session": lambda bypass: ("auto_start_session", not bypass),
    "processor": lambda processor: ("span_processors", (processor,) if processor else ()),
    "exporter": lambda exporter: (
        "span_processors",
        (BatchSpanProcessor(exporter),) if isinstance(exporter, SpanExporter) else (),
    ),
}
_ENDINGS = {"ok": "Success", "failure": "Fail", "error": "Fail", "unset": "Indeterminate"}


def translate_settings(given: Mapping[str, Any], ours: Collection[str]) -> dict[str, Any]:
    """Translate the settings of older generations into those of `init()`; where both are given, ours wins.

    Args:
        given: The settings by name.
        ours: The names of those that `init()` takes now.

    Raises:
        TypeError: A setting that no generation knows.
    """
    translated: dict[str, Any] = {}
    for name in sorted(given, key=lambda name: name in ours):
        value = given[name]
        if name in ours or name in _AS_THEY_ARE:
            translated[name] = value
        elif name in _PUT_INTO_OURS:
            put_in, put = _PUT_INTO_OURS[name](value)
            before = translated.get(put_in)
            translated[put_in] = (*before, *put) if isinstance(before, tuple) and isinstance(put, tuple) else put
        elif name in CompatSettings.__annotations__:
            log_ignored(f"init({name}=...)", value)
        else:
            raise TypeError(settings.unexpected(name))
    if _is_agentops_api(translated.get("endpoint")):
        translated["api_endpoint"] = translated.pop("endpoint")
    return {name: value for name, value in translated.items() if value is not None}


def end_state_of(end_state: object) -> str:
    """An end state in the words of any generation: `Error`, `TraceState.SUCCESS`, a status code's name."""
    text = str(getattr(end_state, "name", end_state) if not isinstance(end_state, str) else end_state)
    return _ENDINGS.get(text.lower(), text)


def log_ignored(what: str, *values: object) -> None:
    """Log, once, that a setting is ignored; nothing if none of its *values* is given, or each is None."""
    if any(value is not None for value in values) and what not in _said:
        _said.add(what)
        _logger.debug("%s has no meaning any more and is left aside", what)


def _is_agentops_api(endpoint: object) -> bool:
    """True for AgentOps' own API, which is what its SDK called an endpoint; ours is a collector's."""
    host = urlsplit(endpoint).hostname if isinstance(endpoint, str) else None
    return host is not None and host.startswith("api.") and host.endswith(".agentops.ai")
