"""The settings of `init()`, one row each: name, variables, default, check and sentence.

`init()`'s signature and docstring and `docs/settings.md` repeat them; tests compare all three with these rows.
"""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.trace import TracerProvider

from agentops_otel.environment import TRUTH, ConfigError, env, masked, words

Check = Callable[[str, Any], object]
"""`(name of the argument or variable, its value) -> the value to use`. Raises `ConfigError`."""

CONTENT_VARIABLE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"


def text(name: str, value: object) -> str:
    """A text that is not empty."""
    if not isinstance(value, str) or not value:
        raise ConfigError(name, value, "give a text")
    return value


def secret(name: str, value: object) -> str:
    """A text that is never shown in messages."""
    if not isinstance(value, str):
        raise ConfigError(name, type(value).__name__, "give a text")
    return value


def truth(name: str, value: object) -> bool:
    """True or False, also as 1 and 0 and as a word: `"no"`, `"False"`, `"off"`."""
    boolean = TRUTH.get(str(value).strip().lower()) if isinstance(value, bool | int | str) else None
    if boolean is None:
        raise ConfigError(name, value, "use true or false")
    return boolean


def content_mode(name: str, value: object) -> str:
    """The content mode in the conventions' words: true or false, or `SPAN_ONLY` and the like."""
    word = str(value).strip().lower()
    if not isinstance(value, bool | int | str) or word not in {*TRUTH, *CONTENT_MODES}:
        raise ConfigError(name, value, "use NO_CONTENT, SPAN_ONLY, EVENT_ONLY or SPAN_AND_EVENT, or true or false")
    return word


CONTENT_MODES: Mapping[str, tuple[bool, bool]] = {
    "no_content": (False, False),
    "span_only": (True, False),
    "event_only": (False, True),
    "span_and_event": (True, True),
}
"""Word -> whether content is on spans, and whether it is in events."""


def one_of(*allowed: str) -> Check:
    """A check for one of the *allowed* words."""

    def check(name: str, value: object) -> str:
        if value not in allowed or not isinstance(value, str):
            raise ConfigError(name, value, "use " + " or ".join(allowed))
        return value

    return check


def seconds(name: str, value: object) -> float:
    """A duration of more than nothing and at most a day."""
    try:
        duration = 0.0 if isinstance(value, bool) else float(value)  # type: ignore[arg-type]  # whatever was given
    except (TypeError, ValueError):
        duration = 0.0
    if not 0 < duration <= 86400:
        raise ConfigError(name, value, "give a number of seconds greater than 0")
    return duration


def metrics_exporter(name: str, value: object) -> bool:
    """True or False; of `OTEL_METRICS_EXPORTER`, whether otlp is among its words. The others are for whom they name."""
    if not isinstance(value, list):
        return truth(name, value)
    if unknown := next((word for word in value if word not in _METRICS_EXPORTERS), None):
        from importlib.metadata import entry_points

        if unknown not in entry_points(group="opentelemetry_metrics_exporter").names:
            raise ConfigError(name, unknown, "use otlp, none or the name of an installed exporter")
    return "otlp" in value


_METRICS_EXPORTERS = ("otlp", "none", "console", "prometheus")


def path_or_truth(name: str, value: object) -> Path | bool:
    """A path, or True or False, also as a word."""
    if isinstance(value, int | str) and str(value).strip().lower() in TRUTH:
        return truth(name, value)
    if not isinstance(value, str | os.PathLike) or not isinstance(os.fspath(value), str) or not os.fspath(value):
        raise ConfigError(name, value, "give a path, or False for none")
    return Path(value).expanduser()


def tags(name: str, value: object) -> tuple[str, ...]:
    """Strings, each once."""
    is_list = isinstance(value, Sequence | set | frozenset) and not isinstance(value, str | bytes)
    if not is_list or not all(isinstance(tag, str) for tag in value):  # type: ignore[attr-defined]  # a list: just asked
        raise ConfigError(name, value, 'give a list of strings, such as ["billing"]')
    return tuple(dict.fromkeys(value))  # type: ignore[call-overload]  # the same


def headers(name: str, value: object) -> Mapping[str, str] | str:
    """A mapping, or `name=value,name=value`; read by `environment.headers`."""
    if not isinstance(value, Mapping | str):
        raise ConfigError(name, type(value).__name__, 'give a mapping, or "name=value,name=value"')
    return value


def redact_function(name: str, value: object) -> object:
    """A function, or where it is: `package.module:function`."""
    right = "give a function (attribute name, text) -> text or None"
    if isinstance(value, str):
        module, separator, function = value.partition(":")
        right += ", or its place as package.module:function"
        if not separator or not re.fullmatch(r"\w[\w.]*", module):
            raise ConfigError(name, value, right)
        try:
            value = getattr(import_module(module), function)
        except (ImportError, AttributeError) as error:
            raise ConfigError(name, value, f"{right} ({masked(str(error))})") from error
    if not callable(value):
        raise ConfigError(name, value, right)
    return value


def provider(name: str, value: object) -> object:
    """A tracer provider of OpenTelemetry's API."""
    if not isinstance(value, TracerProvider):
        raise ConfigError(name, value, "give an OpenTelemetry TracerProvider")
    return value


def processors(name: str, value: object) -> tuple[SpanProcessor, ...]:
    """OpenTelemetry's span processors."""
    if not isinstance(value, Sequence) or not all(isinstance(one, SpanProcessor) for one in value):
        raise ConfigError(name, value, "give a list of OpenTelemetry SpanProcessors")
    return tuple(value)


class Option(NamedTuple):
    """A setting: how it is given, checked and explained."""

    name: str
    check: Check
    sentence: str
    """The description in `init()`'s docstring."""
    shown_default: str
    """The default in `docs/settings.md`."""
    default: object = None
    """The default value; None if it depends on other settings, as `shown_default` describes."""
    variables: tuple[str, ...] = ()
    """Variables that are read without an argument; the first one that is set wins."""
    listed: bool = False
    """True: the variable is a comma list."""

    def read(self) -> object:
        """The first variable that is set, else the default.

        Raises:
            ConfigError: The variable has a wrong word.
        """
        for variable in self.variables:
            if value := words(variable) if self.listed else env(variable):
                return self.check(variable, value)
        return self.default


def _otlp(name: str) -> tuple[str, str]:
    return f"OTEL_EXPORTER_OTLP_TRACES_{name}", f"OTEL_EXPORTER_OTLP_{name}"


# Endpoint, headers, protocol and key are told apart by where they come from, and completed in `config`: here their type
# alone is checked, and their variables are listed.
OPTIONS = (
    Option(
        name="api_key",
        check=secret,
        variables=("AGENTOPS_API_KEY",),
        shown_default="none",
        sentence="An AgentOps key: spans go to that account.",
    ),
    Option(
        name="endpoint",
        check=text,
        variables=_otlp("ENDPOINT"),
        shown_default="localhost:4318 if a collector answers and no trace file is named",
        sentence="A collector's base URL; `/v1/traces` is appended for HTTP.",
    ),
    Option(
        name="headers",
        check=headers,
        variables=_otlp("HEADERS"),
        shown_default="none",
        sentence="Sent with every export, as a mapping or as `name=value,name=value`.",
    ),
    Option(
        name="protocol",
        check=one_of("http/protobuf", "grpc"),
        variables=_otlp("PROTOCOL"),
        shown_default="`http/protobuf`; `grpc` for port 4317",
        sentence='"http/protobuf" or "grpc".',
    ),
    Option(
        name="service_name",
        check=text,
        # Its variable is read by OpenTelemetry's resource detection.
        shown_default="`OTEL_SERVICE_NAME`, else `unknown_service`",
        sentence="Who is being traced.",
    ),
    Option(
        name="tags",
        check=tags,
        variables=("AGENTOPS_DEFAULT_TAGS",),
        listed=True,
        default=(),
        shown_default="none",
        sentence="Strings that every span carries as `agentops.tags`.",
    ),
    Option(
        name="capture_content",
        check=content_mode,
        variables=(CONTENT_VARIABLE,),
        default="true",
        shown_default="true",
        sentence="False keeps arguments, results, prompts and answers off every span.",
    ),
    Option(
        name="redact",
        check=redact_function,
        variables=("AGENTOPS_REDACT",),
        shown_default="none: secrets only; the variable says `package.module:function`",
        sentence="`(attribute name, text) -> text, or None to drop it`, after the built-in redaction of secrets.",
    ),
    Option(
        name="instrument_llm_calls",
        check=truth,
        variables=("AGENTOPS_INSTRUMENT_LLM_CALLS",),
        default=True,
        shown_default="true; single clients: `OTEL_PYTHON_DISABLED_INSTRUMENTATIONS`",
        sentence="False leaves LLM clients alone.",
    ),
    Option(
        name="instrument_taskweaver",
        check=truth,
        default=True,
        shown_default="true",
        sentence="False leaves TaskWeaver alone; its event handler still works.",
    ),
    Option(
        name="instrument_frameworks",
        check=truth,
        default=True,
        shown_default="true; single frameworks: `OTEL_PYTHON_DISABLED_INSTRUMENTATIONS`",
        sentence="False leaves agent frameworks alone; LLM calls that they make are recorded as before.",
    ),
    Option(
        name="propagate_threads",
        check=truth,
        default=False,
        shown_default="false",
        sentence="True carries the current span into new threads and thread pools.",
    ),
    Option(
        name="auto_start_session",
        check=truth,
        variables=("AGENTOPS_AUTO_START_SESSION",),
        shown_default="true with a key, else false",
        sentence="Open a session at once.",
    ),
    Option(
        name="tracer_provider",
        check=provider,
        shown_default="the global one; one is made if there is none",
        sentence="Make spans with this provider.",
    ),
    Option(
        name="span_processors",
        check=processors,
        default=(),
        shown_default="none",
        sentence="Further OpenTelemetry span processors.",
    ),
    Option(
        name="console",
        variables=("AGENTOPS_CONSOLE",),
        check=truth,
        shown_default="true on a terminal with nothing else set up, and with `OTEL_TRACES_EXPORTER=console`",
        sentence="True prints every finished trace on stderr. False prints nothing at all.",
    ),
    Option(
        name="trace_file",
        check=path_or_truth,
        variables=("AGENTOPS_TRACE_FILE",),
        shown_default="true with nothing else set up",
        sentence="Write spans as OTLP JSON lines: a path, True for a new file in the user's state directory, False for"
        " none.",
    ),
    Option(
        name="spool_dir",
        check=path_or_truth,
        variables=("AGENTOPS_SPOOL_DIR",),
        default=True,
        shown_default="the user's state directory",
        sentence="Where spans wait that cannot be sent; False for memory only.",
    ),
    Option(
        name="durability",
        check=one_of("batch", "span"),
        variables=("AGENTOPS_DURABILITY",),
        default="batch",
        shown_default='`"batch"`',
        sentence='"batch", or "span": each span is on disk before its `end()` returns.',
    ),
    Option(
        name="exit_timeout_s",
        check=seconds,
        variables=("AGENTOPS_EXIT_TIMEOUT_S",),
        default=2.0,
        shown_default="2.0",
        sentence="The longest that tracing may hold up the end of the process, in seconds.",
    ),
    Option(
        name="upload_logs",
        check=truth,
        variables=("AGENTOPS_UPLOAD_LOGS",),
        default=False,
        shown_default="false",
        sentence="True sends what the program prints in a trace to the Logs tab of its AgentOps page, redacted;"
        " nothing where content is off.",
    ),
    Option(
        name="upload_metrics",
        check=metrics_exporter,
        variables=("OTEL_METRICS_EXPORTER",),
        listed=True,
        default=False,
        shown_default="false; the variable says `otlp`",
        sentence="True sends metrics where the spans go: tokens, durations, cost, and those of your program.",
    ),
)
"""The settings of `init()`, in the order of its signature."""

COMPAT_OPTIONS = tuple(
    Option(name=name, check=text, sentence="", shown_default="", variables=variables)
    for name, variables in (
        ("api_endpoint", ()),
        ("app_url", ()),
        ("exporter_endpoint", ()),
        ("trace_name", ("AGENTOPS_TRACE_NAME",)),
        ("inherited_session_id", ()),
    )
)
"""Settings of AgentOps' SDK that `compat_settings` passes on. The variables of the URLs are read in `destinations`."""

_BY_NAME = {option.name: option for option in (*OPTIONS, *COMPAT_OPTIONS)}


def check(arguments: Mapping[str, object]) -> dict[str, Any]:
    """The arguments that were given, each with its type and word checked; None is not given.

    Raises:
        ConfigError: An argument has a wrong type or word; the message names it.
        TypeError: There is no such argument; the message names the nearest.
    """
    if unknown := next((name for name in arguments if name not in _BY_NAME), None):
        raise TypeError(unexpected(unknown))
    return {name: _BY_NAME[name].check(name, value) for name, value in arguments.items() if value is not None}


def read(name: str, arguments: Mapping[str, Any]) -> Any:
    """A setting: the argument, which `check` has seen, else its variable, else its default.

    Raises:
        ConfigError: The variable has a wrong word; the message names it.
    """
    return arguments[name] if name in arguments else _BY_NAME[name].read()


def unexpected(name: str) -> str:
    """The message about an argument that `init()` does not have."""
    from difflib import get_close_matches  # on use: for a mistake

    near = get_close_matches(name, _BY_NAME)
    return f"init() got an unexpected keyword argument {name!r}" + (f"; did you mean {near[0]!r}?" if near else "")
