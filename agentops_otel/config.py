"""The settings of one client: argument > AGENTOPS_* > OTEL_* > default."""

import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import platformdirs
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.trace import TracerProvider

from agentops_otel import environment
from agentops_otel.content import Redact
from agentops_otel.environment import ConfigError, Setting
from agentops_otel.launcher import Run

OtlpProtocol = Literal["http/protobuf", "grpc"]
Durability = Literal["batch", "span"]

LOCAL_COLLECTOR = "http://localhost:4318"
TRACES_PATH = "/v1/traces"
AGENTOPS_API = "https://api.agentops.ai"
AGENTOPS_EXPORTER = "https://otlp.agentops.ai/v1/traces"
AGENTOPS_GRPC = "https://otlp.agentops.ai:4317"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentOps:
    """An AgentOps account, hosted or self-hosted."""

    api_key: str = field(repr=False)
    api_endpoint: str = AGENTOPS_API
    app_url: str = "https://app.agentops.ai"

    def session_url(self, trace_id: str) -> str:
        """The dashboard's page of a trace, whose id is 32 hex digits.

        ```python
        account.session_url(session.trace_id)  # https://app.agentops.ai/sessions?trace_id=0123...
        ```
        """
        return f"{self.app_url.rstrip('/')}/sessions?trace_id={trace_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """One place that spans are sent to by OTLP."""

    endpoint: str
    """A whole URL: for HTTP with its path, for gRPC `http://host:port` or `https://host:port`."""
    protocol: OtlpProtocol = "http/protobuf"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout_s: float = 10.0
    compression: str = "none"
    certificate: Path | None = None
    client_certificate: Path | None = None
    client_key: Path | None = None
    proxy: str | None = field(default=None, repr=False)
    agentops: AgentOps | None = None
    """Set: the key is exchanged for a token, and attributes get the names that the AgentOps backend reads."""
    probe: bool = False
    """True: nobody named it; spans go there only if a collector answers, and none is counted as lost if not."""

    @property
    def display_url(self) -> str:
        """The endpoint without anything secret: no user, password or query."""
        url = urlsplit(self.endpoint)
        return f"{url.scheme}://{url.hostname}{f':{url.port}' if url.port else ''}{url.path}"

    def __repr__(self) -> str:
        """The endpoint and the protocol; headers and keys stay out."""
        return f"Destination({self.display_url!r}, {self.protocol!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything `init()` was told, checked and with the environment's word added."""

    disabled: bool = False
    """`OTEL_SDK_DISABLED`: every function of ours passes through."""
    service_name: str | None = None
    """None: what OpenTelemetry's resource detection says."""
    tags: tuple[str, ...] = ()
    capture_content: bool = True
    event_content: bool | None = None
    """Whether content is in the conventions' events; None: there are no events."""
    redact: Redact | None = field(default=None, repr=False)
    instrument_llm_calls: bool = True
    instrument_taskweaver: bool = True
    propagate_threads: bool = False
    auto_start_session: bool = False
    session_name: str = "session"
    """What the session is called that starts by itself."""
    session_id: str | None = None
    """Its `session.id`; None is a new one."""
    tracer_provider: TracerProvider | None = None
    span_processors: tuple[SpanProcessor, ...] = ()
    destinations: tuple[Destination, ...] = ()
    exporters: tuple[str, ...] = ()
    """Further span exporters, by their OpenTelemetry entry point: `OTEL_TRACES_EXPORTER=zipkin`."""
    console: bool = False
    trace_file: Path | None = None
    own_trace_file: bool = False
    """True: the process makes a trace file of its own in the state directory."""
    spare_trace_file: bool = False
    """True: it makes one only if AgentOps, its one destination, refuses the key."""
    state_dir: Path = field(default_factory=lambda: _state_dir())
    """The user's state directory: trace files and the spool."""
    spool_dir: Path | None = None
    durability: Durability = "batch"
    exit_timeout_s: float = 2.0
    upload_logs: bool = False
    """Whether what is printed goes to the AgentOps account, by trace."""
    by_name: frozenset[str] = frozenset()
    """Which of endpoint, api_key, trace_file and console were asked for by name, and not only by `OTEL_*`."""
    run: Run | None = None
    """The run of `agentops-otel run` that this process belongs to."""
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
            own_trace_file=self.own_trace_file and "trace_file" in self.by_name,
            console=self.console and "console" in self.by_name,
        )

    def differences(self, other: "Config") -> list[str]:
        """The names of the settings in which the two differ, for a message; never their values."""
        return [f.name for f in fields(self) if getattr(self, f.name) != getattr(other, f.name)]


def read_config(
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
    upload_logs: bool | None = None,
    api_endpoint: str | None = None,
    app_url: str | None = None,
    exporter_endpoint: str | None = None,
    trace_name: str | None = None,
    inherited_session_id: str | None = None,
) -> Config:
    """Check the arguments of `init()` and complete them from the environment.

    Raises:
        ConfigError: A setting cannot work; the message names it and says what would be right.
    """
    account = _account(api_key, api_endpoint, app_url)
    exporters = _exporters()
    collector = _collector(endpoint, headers, protocol, exporters, keyed=account is not None)
    hosted = None
    if account is not None:
        at = environment.first(exporter_endpoint, "exporter_endpoint", "AGENTOPS_EXPORTER_ENDPOINT")
        hosted = _agentops_destination(account, at, headers, protocol, collector)
    destinations = tuple(destination for destination in (collector, hosted) if destination is not None)
    nowhere = (
        not destinations and exporters is None and tracer_provider is None and not environment.env("OTEL_CONFIG_FILE")
    )
    if nowhere:
        destinations = (_destination(Setting("endpoint", LOCAL_COLLECTOR), headers, protocol, probe=True),)
    on_spans, in_events = environment.content(capture_content)
    if upload_logs and account is None:
        raise ConfigError("upload_logs", upload_logs, "what is printed goes to an AgentOps account: give api_key too")
    return Config(
        disabled=environment.env("OTEL_SDK_DISABLED").lower() == "true",
        service_name=service_name,
        tags=_tags(tags),
        capture_content=on_spans,
        event_content=in_events,
        redact=redact,
        instrument_llm_calls=instrument_llm_calls and environment.flag("AGENTOPS_INSTRUMENT_LLM_CALLS", True),
        instrument_taskweaver=instrument_taskweaver,
        propagate_threads=propagate_threads,
        session_name=trace_name or environment.env("AGENTOPS_TRACE_NAME") or "session",
        session_id=inherited_session_id,
        auto_start_session=environment.flag("AGENTOPS_AUTO_START_SESSION", account is not None)
        if auto_start_session is None
        else auto_start_session,
        tracer_provider=tracer_provider,
        span_processors=tuple(span_processors),
        destinations=destinations,
        exporters=tuple(name for name in exporters or () if name not in ("otlp", "console", "none", "agentops")),
        console=(nowhere and sys.stderr.isatty()) or "console" in (exporters or ()) if console is None else console,
        trace_file=_path("trace_file", trace_file),
        own_trace_file=trace_file is True or (trace_file is None and nowhere),
        spare_trace_file=trace_file is None and destinations == (hosted,),
        spool_dir=_state_dir() / "spool" if spool_dir in (None, True) else _path("spool_dir", spool_dir),
        durability=_durability(durability),
        exit_timeout_s=environment.seconds(Setting("exit_timeout_s", str(exit_timeout_s))),
        upload_logs=on_spans
        and account is not None
        and (environment.flag("AGENTOPS_UPLOAD_LOGS", False) if upload_logs is None else upload_logs),
        by_name=frozenset(
            name
            for name, asked in (
                ("endpoint", endpoint),
                # The provider's owner reads OTEL_TRACES_EXPORTER too: two of us would send each span twice.
                ("api_key", api_key or (account and "agentops" not in (exporters or ()))),
                ("trace_file", trace_file),
                ("console", console),
            )
            if asked
        ),
        run=_run(),
        quiet=console is False,
        disabled_instrumentations=frozenset(environment.words("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS")),
        semconv_opt_in=frozenset(environment.words("OTEL_SEMCONV_STABILITY_OPT_IN")),
    )


def _otlp(name: str) -> tuple[str, str]:
    """The signal's own variable, which wins, and the general one."""
    return f"OTEL_EXPORTER_OTLP_TRACES_{name}", f"OTEL_EXPORTER_OTLP_{name}"


def _exporters() -> list[str] | None:
    """`OTEL_TRACES_EXPORTER` as a list; None when it is not set, empty for `none`."""
    words = environment.words("OTEL_TRACES_EXPORTER")
    if "none" in words and len(words) > 1:
        raise Setting("OTEL_TRACES_EXPORTER", ",".join(words)).wrong("none stands alone")
    if not words:
        return None
    return [] if words == ["none"] else words


def _account(api_key: str | None, api_endpoint: str | None, app_url: str | None) -> AgentOps | None:
    found = environment.first(api_key, "api_key", "AGENTOPS_API_KEY")
    if found is None:
        return None
    if not found.text or re.search(r"[^\x21-\x7e]", found.text):
        raise found.wrong("an AgentOps key is a UUID, without spaces or line breaks", secret=True)
    urls = {
        name: environment.url(base).geturl().rstrip("/")
        for name, argument in (("api_endpoint", api_endpoint), ("app_url", app_url))
        if (base := environment.first(argument, name, f"AGENTOPS_{name.upper()}"))
    }
    return AgentOps(api_key=found.text, **urls)


def _agentops_destination(
    account: AgentOps,
    at: Setting | None,
    headers: Mapping[str, str] | str | None,
    protocol: str | None,
    collector: Destination | None,
) -> Destination:
    """Where the account's spans go; `headers=` and `protocol=` belong to the collector when both are there."""
    if collector is not None:
        headers = protocol = None
    if at is None and account.api_endpoint != AGENTOPS_API:
        raise ConfigError(
            "AGENTOPS_EXPORTER_ENDPOINT", "", "a self-hosted AgentOps takes spans at a URL of its own; give it too"
        )
    hosted = AGENTOPS_GRPC if protocol == "grpc" else AGENTOPS_EXPORTER
    return _destination(at or Setting("endpoint", hosted), headers, protocol, agentops=account)


def _collector(
    endpoint: str | None,
    headers: Mapping[str, str] | str | None,
    protocol: str | None,
    exporters: list[str] | None,
    *,
    keyed: bool,
) -> Destination | None:
    """The collector that somebody named, by argument or by `OTEL_EXPORTER_OTLP_*`.

    A protocol alone names the one on localhost, unless there is a key: then it says how to speak to AgentOps.
    """
    found = environment.first(endpoint, "endpoint", *_otlp("ENDPOINT"))
    if exporters is not None and "otlp" not in exporters and endpoint is None:
        return None
    chosen = environment.first(protocol, "protocol", *_otlp("PROTOCOL"))
    if found is None and ((chosen and not keyed) or exporters):
        local = "http://localhost:4317" if chosen and chosen.text == "grpc" else LOCAL_COLLECTOR
        found = Setting("endpoint", local)
    return None if found is None else _destination(found, headers, protocol)


def _destination(
    found: Setting,
    headers: Mapping[str, str] | str | None,
    protocol: str | None,
    *,
    agentops: AgentOps | None = None,
    probe: bool = False,
) -> Destination:
    chosen = _protocol(found, protocol)
    # The OTLP variables speak of the user's own collector; the hosted AgentOps is none of it.
    hosted = found.text in (AGENTOPS_EXPORTER, AGENTOPS_GRPC)
    certificate, client_certificate, client_key = (
        None if hosted else environment.pem_file(environment.first(None, "", *_otlp(name)))
        for name in ("CERTIFICATE", "CLIENT_CERTIFICATE", "CLIENT_KEY")
    )
    return Destination(
        endpoint=_grpc_endpoint(found) if chosen == "grpc" else _http_endpoint(found),
        protocol=chosen,
        headers=environment.headers(headers, *(() if agentops else _otlp("HEADERS"))),
        timeout_s=environment.seconds(environment.first(None, "", *_otlp("TIMEOUT")) or Setting("timeout", "10")),
        compression=_compression(chosen, hosted),
        certificate=certificate,
        client_certificate=client_certificate,
        client_key=client_key,
        proxy=environment.proxy(found.text),
        agentops=agentops,
        probe=probe,
    )


def _protocol(endpoint: Setting, protocol: str | None) -> OtlpProtocol:
    """What was said; else by the port, since 4317 is gRPC's and HTTP cannot be meant by it."""
    found = environment.first(protocol, "protocol", *(() if endpoint.text == AGENTOPS_EXPORTER else _otlp("PROTOCOL")))
    if found is None:
        return "grpc" if urlsplit(endpoint.text).netloc.endswith(":4317") else "http/protobuf"
    match found.text:
        case "http/protobuf":
            return "http/protobuf"
        case "grpc":
            return "grpc"
        case _:
            raise found.wrong("use http/protobuf or grpc")


def _http_endpoint(found: Setting) -> str:
    """The traces variable is taken as it is; anything else is a base, which gets `/v1/traces`.

    https://opentelemetry.io/docs/specs/otel/protocol/exporter/#endpoint-urls-for-otlphttp
    """
    url = environment.url(found)
    path = url.path.rstrip("/")
    if found.name == "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT":
        return url._replace(path=url.path or "/").geturl()
    return url._replace(path=path if path.endswith(TRACES_PATH) else path + TRACES_PATH).geturl()


def _grpc_endpoint(found: Setting) -> str:
    """`host:port` alone is a gRPC target; the INSECURE variables say whether it is spoken to in the clear."""
    if "://" in found.text:
        url = environment.url(found)
        return f"{url.scheme}://{url.netloc}"
    insecure = environment.first(None, "", *_otlp("INSECURE"))
    scheme = "http" if insecure and insecure.text.lower() == "true" else "https"
    return environment.url(Setting(found.name, f"{scheme}://{found.text}")).geturl()


def _compression(protocol: OtlpProtocol, hosted: bool) -> str:
    """Who says zstd, which OTLP does not ask of a server, knows the collector, not the hosted AgentOps."""
    allowed = ("none", "gzip") if protocol == "grpc" else ("none", "gzip", "deflate", "zstd")
    chosen = environment.compression(environment.first(None, "", *_otlp("COMPRESSION")), allowed)
    return "gzip" if hosted and chosen == "zstd" else chosen


def _path(name: str, value: str | os.PathLike[str] | bool | None) -> Path | None:
    if value is None or isinstance(value, bool):
        return None
    if not os.fspath(value):
        raise ConfigError(name, value, "give a path, or False for none")
    return Path(value).expanduser()


def _tags(argument: Sequence[str] | None) -> tuple[str, ...]:
    tags = environment.words("AGENTOPS_DEFAULT_TAGS") if argument is None else argument
    if isinstance(tags, str) or not all(isinstance(tag, str) for tag in tags):
        raise ConfigError("tags", tags, 'give a list of strings, such as ["billing"]')
    return tuple(dict.fromkeys(tags))


def _run() -> Run | None:
    folder = Path(environment.env(Run.VARIABLE) or os.devnull)
    return Run(folder) if folder.is_dir() else None


def _durability(text: str) -> Durability:
    match text:
        case "batch":
            return "batch"
        case "span":
            return "span"
        case _:
            raise ConfigError("durability", text, 'use "batch" or "span"')


def _state_dir() -> Path:
    return platformdirs.user_state_path("agentops_otel", appauthor=False)
