"""The settings of one client: argument > AGENTOPS_* > OTEL_* > default. The only reader of `os.environ`."""

import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Literal
from urllib.parse import SplitResult, unquote, urlsplit

import platformdirs
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.trace import TracerProvider

from agentops_otel.content import Redact

Protocol = Literal["http/protobuf", "grpc"]
Durability = Literal["batch", "span"]

LOCAL_COLLECTOR = "http://localhost:4318"
TRACES_PATH = "/v1/traces"
AGENTOPS_EXPORTER = "https://otlp.agentops.ai/v1/traces"


class ConfigError(ValueError):
    """A setting that cannot work, said once at `init()`: which one, what it is (secrets masked) and what is right."""

    def __init__(self, setting: str, value: object, right: str) -> None:
        super().__init__(f"{setting}={value!r} is not usable: {right}")


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentOps:
    """An AgentOps account, hosted or self-hosted."""

    api_key: str = field(repr=False)
    api_endpoint: str = "https://api.agentops.ai"
    app_url: str = "https://app.agentops.ai"


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """One place that spans are sent to by OTLP."""

    endpoint: str
    """A whole URL: for HTTP with its path, for gRPC `http://host:port` or `https://host:port`."""
    protocol: Protocol = "http/protobuf"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout_s: float = 10.0
    compression: str = "none"
    certificate: Path | None = None
    client_certificate: Path | None = None
    client_key: Path | None = None
    agentops: AgentOps | None = None
    """Set: the key is exchanged for a token, and attributes get the names that the AgentOps backend reads."""
    probe: bool = False
    """True: nobody named it; spans go there only if a collector answers, and none is counted as lost if not."""

    @property
    def shown(self) -> str:
        """The endpoint without anything secret: no user, password or query."""
        url = urlsplit(self.endpoint)
        return f"{url.scheme}://{url.hostname}{f':{url.port}' if url.port else ''}{url.path}"

    def __repr__(self) -> str:
        """The endpoint and the protocol; headers and keys stay out."""
        return f"Destination({self.shown!r}, {self.protocol!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything `init()` was told, checked and with the environment's word added."""

    disabled: bool = False
    """`OTEL_SDK_DISABLED`: every function of ours passes through."""
    service_name: str | None = None
    """None: what OpenTelemetry's resource detection says."""
    tags: tuple[str, ...] = ()
    capture_content: bool = True
    redact: Redact | None = field(default=None, repr=False)
    instrument_llm_calls: bool = True
    instrument_taskweaver: bool = True
    propagate_threads: bool = False
    auto_start_session: bool = False
    tracer_provider: TracerProvider | None = None
    span_processors: tuple[SpanProcessor, ...] = ()
    destinations: tuple[Destination, ...] = ()
    exporters: tuple[str, ...] = ()
    """Further span exporters, by their OpenTelemetry entry point: `OTEL_TRACES_EXPORTER=zipkin`."""
    console: bool = False
    trace_file: Path | None = None
    traces_dir: Path | None = None
    """Set: a trace file of the process's own is made there."""
    spool_dir: Path | None = None
    durability: Durability = "batch"
    exit_timeout_s: float = 2.0
    by_name: frozenset[str] = frozenset()
    """Which of endpoint, api_key, trace_file and console were asked for by name, and not only by `OTEL_*`."""
    quiet: bool = False
    """True keeps the one line that says where the spans go, and the session's summary, off stderr."""
    disabled_instrumentations: frozenset[str] = frozenset()
    """`OTEL_PYTHON_DISABLED_INSTRUMENTATIONS`, by the names of our specs; `*` is all of them."""
    semconv_opt_in: frozenset[str] = frozenset()
    """`OTEL_SEMCONV_STABILITY_OPT_IN`: which generation of metric names is written."""

    def as_guest(self) -> "Config":
        """The settings beside a tracer provider of somebody else's, which has its own word on where spans go."""
        return replace(
            self,
            destinations=tuple(
                destination
                for destination in self.destinations
                if ("api_key" if destination.agentops else "endpoint") in self.by_name and not destination.probe
            ),
            exporters=(),
            traces_dir=self.traces_dir if "trace_file" in self.by_name else None,
            console=self.console and "console" in self.by_name,
        )

    def differences(self, other: "Config") -> list[str]:
        """The names of the settings in which the two differ, for a message; never their values."""
        return [f.name for f in fields(self) if getattr(self, f.name) != getattr(other, f.name)]


def read(
    *,
    api_key: str | None = None,
    endpoint: str | None = None,
    headers: Mapping[str, str] | str | None = None,
    protocol: str | None = None,
    service_name: str | None = None,
    tags: Sequence[str] | None = None,
    capture_content: bool | None = None,
    redact: Redact | None = None,
    instrument_llm_calls: bool = True,
    instrument_taskweaver: bool = True,
    propagate_threads: bool = False,
    auto_start_session: bool | None = None,
    tracer_provider: TracerProvider | None = None,
    span_processors: Sequence[SpanProcessor] = (),
    console: bool | None = None,
    trace_file: str | os.PathLike[str] | bool | None = None,
    spool_dir: str | os.PathLike[str] | bool | None = None,
    durability: str = "batch",
    exit_timeout_s: float = 2.0,
) -> Config:
    """Check the arguments of `init()` and complete them from the environment.

    Raises:
        ConfigError: A setting cannot work; the message names it and says what would be right.
    """
    account = _account(api_key)
    exporters = _exporters()
    collector = _collector(endpoint, headers, protocol, exporters)
    hosted = None if account is None else _agentops_destination(account, headers, collector)
    destinations = tuple(destination for destination in (collector, hosted) if destination is not None)
    nowhere = not destinations and exporters is None and tracer_provider is None and not _env("OTEL_CONFIG_FILE")
    if nowhere:
        destinations = (_destination(_Setting("endpoint", LOCAL_COLLECTOR), headers, protocol, probe=True),)
    state = platformdirs.user_state_path("agentops_otel", appauthor=False)
    return Config(
        disabled=_env("OTEL_SDK_DISABLED").lower() == "true",
        service_name=service_name,
        tags=_tags(tags),
        capture_content=_capture_content(capture_content),
        redact=redact,
        instrument_llm_calls=instrument_llm_calls and _flag("AGENTOPS_INSTRUMENT_LLM_CALLS", True),
        instrument_taskweaver=instrument_taskweaver,
        propagate_threads=propagate_threads,
        auto_start_session=_flag("AGENTOPS_AUTO_START_SESSION", account is not None)
        if auto_start_session is None
        else auto_start_session,
        tracer_provider=tracer_provider,
        span_processors=tuple(span_processors),
        destinations=destinations,
        exporters=tuple(name for name in exporters or () if name not in ("otlp", "console", "none", "agentops")),
        console=(nowhere and sys.stderr.isatty()) or "console" in (exporters or ()) if console is None else console,
        trace_file=_path("trace_file", trace_file),
        traces_dir=state / "traces" if trace_file is True or (trace_file is None and nowhere) else None,
        spool_dir=state / "spool" if spool_dir in (None, True) else _path("spool_dir", spool_dir),
        durability=_durability(durability),
        exit_timeout_s=_seconds(_Setting("exit_timeout_s", str(exit_timeout_s))),
        by_name=frozenset(
            name
            for name, asked in (
                ("endpoint", endpoint),
                ("api_key", account),
                ("trace_file", trace_file),
                ("console", console),
            )
            if asked
        ),
        quiet=console is False,
        disabled_instrumentations=frozenset(_words("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS")),
        semconv_opt_in=frozenset(_words("OTEL_SEMCONV_STABILITY_OPT_IN")),
    )


@dataclass(frozen=True, slots=True)
class _Setting:
    """A setting's text and where it came from, for the error that names it."""

    name: str
    text: str

    def wrong(self, right: str, *, secret: bool = False) -> ConfigError:
        return ConfigError(self.name, "***" if secret else _masked(self.text), right)


def _env(name: str) -> str:
    return os.environ.get(name, "").strip()


def _words(name: str) -> list[str]:
    return [word.strip() for word in _env(name).split(",") if word.strip()]


def _flag(name: str, default: bool) -> bool:
    text = _env(name).lower()
    if text not in ("", "true", "false", "1", "0"):
        raise _Setting(name, text).wrong("use true or false")
    return text in ("true", "1") if text else default


def _first(argument: object, name: str, *variables: str) -> _Setting | None:
    """The argument if there is one, else the first variable that is set."""
    if argument is not None:
        return _Setting(name, str(argument))
    return next((_Setting(variable, _env(variable)) for variable in variables if _env(variable)), None)


def _otlp(name: str) -> tuple[str, str]:
    """The signal's own variable, which wins, and the general one."""
    return f"OTEL_EXPORTER_OTLP_TRACES_{name}", f"OTEL_EXPORTER_OTLP_{name}"


def _exporters() -> list[str] | None:
    """`OTEL_TRACES_EXPORTER` as a list; None when it is not set, empty for `none`."""
    words = _words("OTEL_TRACES_EXPORTER")
    if "none" in words and len(words) > 1:
        raise _Setting("OTEL_TRACES_EXPORTER", ",".join(words)).wrong("none stands alone")
    if not words:
        return None
    return [] if words == ["none"] else words


def _account(api_key: str | None) -> AgentOps | None:
    found = _first(api_key, "api_key", "AGENTOPS_API_KEY")
    if found is None:
        return None
    if not found.text or re.search(r"[^\x21-\x7e]", found.text):
        raise found.wrong("an AgentOps key is a UUID, without spaces or line breaks", secret=True)
    urls = {
        field_name: _url(_Setting(variable, _env(variable))).geturl().rstrip("/")
        for field_name, variable in (("api_endpoint", "AGENTOPS_API_ENDPOINT"), ("app_url", "AGENTOPS_APP_URL"))
        if _env(variable)
    }
    return AgentOps(api_key=found.text, **urls)


def _agentops_destination(
    account: AgentOps, headers: Mapping[str, str] | str | None, collector: Destination | None
) -> Destination:
    """Where the account's spans go; `headers=` belongs to the collector when both are there."""
    found = _first(None, "", "AGENTOPS_EXPORTER_ENDPOINT") or _Setting("endpoint", AGENTOPS_EXPORTER)
    return _destination(found, None if collector else headers, None, agentops=account)


def _collector(
    endpoint: str | None,
    headers: Mapping[str, str] | str | None,
    protocol: str | None,
    exporters: list[str] | None,
) -> Destination | None:
    """The collector that somebody named, by argument or by `OTEL_EXPORTER_OTLP_*`."""
    found = _first(endpoint, "endpoint", *_otlp("ENDPOINT"))
    if exporters is not None and "otlp" not in exporters and endpoint is None:
        return None
    chosen = _first(protocol, "protocol", *_otlp("PROTOCOL"))
    if found is None and (chosen or exporters):
        local = "http://localhost:4317" if chosen and chosen.text == "grpc" else LOCAL_COLLECTOR
        found = _Setting("endpoint", local)
    return None if found is None else _destination(found, headers, protocol)


def _destination(
    found: _Setting,
    headers: Mapping[str, str] | str | None,
    protocol: str | None,
    *,
    agentops: AgentOps | None = None,
    probe: bool = False,
) -> Destination:
    chosen = _protocol(found, protocol)
    certificate, client_certificate, client_key = (
        _file(_first(None, "", *_otlp(name))) for name in ("CERTIFICATE", "CLIENT_CERTIFICATE", "CLIENT_KEY")
    )
    return Destination(
        endpoint=_grpc_endpoint(found) if chosen == "grpc" else _http_endpoint(found),
        protocol=chosen,
        headers=_headers(headers, *(() if agentops else _otlp("HEADERS"))),
        timeout_s=_seconds(_first(None, "", *_otlp("TIMEOUT")) or _Setting("timeout", "10")),
        compression=_compression(_first(None, "", *_otlp("COMPRESSION")), chosen),
        certificate=certificate,
        client_certificate=client_certificate,
        client_key=client_key,
        agentops=agentops,
        probe=probe,
    )


def _protocol(endpoint: _Setting, protocol: str | None) -> Protocol:
    """What was said; else by the port, since 4317 is gRPC's and HTTP cannot be meant by it."""
    found = _first(protocol, "protocol", *(() if endpoint.text == AGENTOPS_EXPORTER else _otlp("PROTOCOL")))
    if found is None:
        return "grpc" if urlsplit(endpoint.text).netloc.endswith(":4317") else "http/protobuf"
    match found.text:
        case "http/protobuf":
            return "http/protobuf"
        case "grpc":
            return "grpc"
        case _:
            raise found.wrong("use http/protobuf or grpc")


def _url(found: _Setting) -> SplitResult:
    right = "give a URL such as http://localhost:4318"
    try:
        url = urlsplit(found.text)
        _ = url.port  # a port that is no number raises here
    except ValueError:
        raise found.wrong(right) from None
    if url.scheme not in ("http", "https") or not url.hostname or re.search(r"[\s\x00-\x1f]", found.text):
        raise found.wrong(right)
    return url


def _http_endpoint(found: _Setting) -> str:
    """The traces variable is taken as it is; anything else is a base, which gets `/v1/traces`.

    https://opentelemetry.io/docs/specs/otel/protocol/exporter/#endpoint-urls-for-otlphttp
    """
    url = _url(found)
    path = url.path.rstrip("/")
    if found.name == "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT":
        return url._replace(path=url.path or "/").geturl()
    return url._replace(path=path if path.endswith(TRACES_PATH) else path + TRACES_PATH).geturl()


def _grpc_endpoint(found: _Setting) -> str:
    """`host:port` alone is a gRPC target; the INSECURE variables say whether it is spoken to in the clear."""
    if "://" in found.text:
        url = _url(found)
        return f"{url.scheme}://{url.netloc}"
    insecure = _first(None, "", *_otlp("INSECURE"))
    scheme = "http" if insecure and insecure.text.lower() == "true" else "https"
    return _url(_Setting(found.name, f"{scheme}://{found.text}")).geturl()


def _headers(argument: Mapping[str, str] | str | None, *variables: str) -> dict[str, str]:
    """Headers from the argument, else from the environment: `name=value,name=value`, values URL-encoded."""
    if isinstance(argument, Mapping):
        pairs = [(str(name).strip().lower(), value) for name, value in argument.items()]
        setting = "headers"
    else:
        found = _first(argument, "headers", *variables) or _Setting("headers", "")
        setting = found.name
        pairs = [_header(found, part) for part in found.text.split(",") if part.strip()]
    for name, value in pairs:
        if not re.fullmatch(r"[a-z0-9!#$%&'*+.^_`|~-]+", name) or not _header_value(value):
            raise ConfigError(setting, f"{_masked(name)}: ***", "a header is one line of printable characters")
    return dict(pairs)


def _header(found: _Setting, part: str) -> tuple[str, str]:
    name, separator, value = part.partition("=")
    if not separator:
        raise found.wrong("write name=value,name=value, with commas in a value as %2C", secret=True)
    return unquote(name).strip().lower(), unquote(value).strip()


def _header_value(value: object) -> bool:
    return isinstance(value, str) and value.isprintable() and value.isascii()


def _compression(found: _Setting | None, protocol: Protocol) -> str:
    allowed = ("none", "gzip") if protocol == "grpc" else ("none", "gzip", "deflate")
    if found and found.text not in allowed:
        raise found.wrong(f"use one of {', '.join(allowed)}")
    return found.text if found else "none"


def _file(found: _Setting | None) -> Path | None:
    if found and not Path(found.text).is_file():
        raise ConfigError(found.name, found.text, "give the path of a PEM file that is there")
    return Path(found.text) if found else None


def _path(name: str, value: str | os.PathLike[str] | bool | None) -> Path | None:
    if value is None or isinstance(value, bool):
        return None
    if not os.fspath(value):
        raise ConfigError(name, value, "give a path, or False for none")
    return Path(value).expanduser()


def _seconds(found: _Setting) -> float:
    try:
        seconds = float(found.text)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < 86400:
        raise found.wrong("give a number of seconds greater than 0")
    return seconds


def _tags(argument: Sequence[str] | None) -> tuple[str, ...]:
    tags = _words("AGENTOPS_DEFAULT_TAGS") if argument is None else argument
    if isinstance(tags, str) or not all(isinstance(tag, str) for tag in tags):
        raise ConfigError("tags", tags, 'give a list of strings, such as ["billing"]')
    return tuple(dict.fromkeys(tags))


def _capture_content(argument: bool | None) -> bool:
    """The conventions' switch. Events are not ours to write, so EVENT_ONLY keeps content off the spans."""
    variable = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
    text = _env(variable).lower()
    if argument is not None:
        return argument
    if text not in ("", "true", "false", "no_content", "span_only", "event_only", "span_and_event"):
        raise _Setting(variable, text).wrong("use NO_CONTENT, SPAN_ONLY, EVENT_ONLY or SPAN_AND_EVENT")
    return text not in ("false", "no_content", "event_only")


def _durability(text: str) -> Durability:
    match text:
        case "batch":
            return "batch"
        case "span":
            return "span"
        case _:
            raise ConfigError("durability", text, 'use "batch" or "span"')


def _masked(text: str) -> str:
    """The text without what may be secret in it: user and password, query, long opaque words."""
    text = re.sub(r"//[^/@\s]*@", "//***@", text)
    text = re.sub(r"\?.*", "?***", text)
    return re.sub(r"[A-Za-z0-9_\-]{20,}", "***", text)
