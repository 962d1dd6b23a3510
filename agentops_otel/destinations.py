"""OTLP destinations, from arguments and the variables `OTEL_EXPORTER_OTLP_*` and `AGENTOPS_*`."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from agentops_otel import environment
from agentops_otel.environment import ConfigError, Setting

OtlpProtocol = Literal["http/protobuf", "grpc"]
Signal = Literal["traces", "metrics"]

LOCAL_COLLECTOR = "http://localhost:4318"
TRACES_PATH = "/v1/traces"
METRICS_PATH = "/v1/metrics"
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
    """An OTLP receiver, and the settings for sending to it."""

    endpoint: str
    """A whole URL: for HTTP with its path, for gRPC `http://host:port` or `https://host:port`."""
    protocol: OtlpProtocol = "http/protobuf"
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float = 10.0
    compression: str = "none"
    certificate: Path | None = None
    client_certificate: Path | None = None
    client_key: Path | None = None
    proxy: str | None = None
    agentops: AgentOps | None = None
    """Set: the key is exchanged for a token, and attributes get the names that the AgentOps backend reads."""
    probe: bool = False
    """True for the default collector: spans go there only if it answers, and are not counted as dropped otherwise."""
    signal: Signal = "traces"
    """What is sent there."""

    @property
    def display_url(self) -> str:
        """The endpoint without secrets: without user, password and query."""
        url = urlsplit(self.endpoint)
        host = f"[{url.hostname}]" if ":" in (url.hostname or "") else url.hostname
        return f"{url.scheme}://{host}{f':{url.port}' if url.port else ''}{url.path}"

    def __repr__(self) -> str:
        """The endpoint and the protocol; headers and keys stay out."""
        return f"Destination({self.display_url!r}, {self.protocol!r})"


def _otlp(name: str, signal: Signal = "traces") -> tuple[str, str]:
    """Names of the signal's own variable, which wins, and of the general one."""
    return f"OTEL_EXPORTER_OTLP_{signal.upper()}_{name}", f"OTEL_EXPORTER_OTLP_{name}"


def account(arguments: Mapping[str, Any]) -> AgentOps | None:
    """The AgentOps account whose key is given, by argument or variable."""
    key = environment.first(arguments.get("api_key"), "api_key", "AGENTOPS_API_KEY")
    if key is None:
        return None
    if not key.text or re.search(r"[^\x21-\x7e]", key.text):
        raise key.wrong("an AgentOps key is a UUID, without spaces or line breaks", secret=True)
    urls = {
        name: environment.url(base).geturl().rstrip("/")
        for name in ("api_endpoint", "app_url")
        if (base := environment.first(arguments.get(name), name, f"AGENTOPS_{name.upper()}"))
    }
    return AgentOps(api_key=key.text, **urls)


def agentops_destination(owner: AgentOps, arguments: Mapping[str, Any], collector: Destination | None) -> Destination:
    """The account's destination. `headers=` and `protocol=` apply to the collector instead, if there is one too."""
    own = {} if collector is not None else arguments
    endpoint = environment.first(arguments.get("exporter_endpoint"), "exporter_endpoint", "AGENTOPS_EXPORTER_ENDPOINT")
    if endpoint is None and owner.api_endpoint != AGENTOPS_API:
        raise ConfigError(
            "AGENTOPS_EXPORTER_ENDPOINT", "", "a self-hosted AgentOps takes spans at a URL of its own; give it too"
        )
    hosted = AGENTOPS_GRPC if own.get("protocol") == "grpc" else AGENTOPS_EXPORTER
    return _destination(endpoint or Setting("endpoint", hosted), own, agentops=owner)


def named_collector(arguments: Mapping[str, Any], exporters: list[str] | None, *, keyed: bool) -> Destination | None:
    """The collector that is named by argument or by `OTEL_EXPORTER_OTLP_*`.

    A protocol alone names the one on localhost, unless there is a key: then it says how to speak to AgentOps.
    """
    endpoint = environment.first(arguments.get("endpoint"), "endpoint", *_otlp("ENDPOINT"))
    if exporters is not None and "otlp" not in exporters and "endpoint" not in arguments:
        return None
    protocol = environment.first(arguments.get("protocol"), "protocol", *_otlp("PROTOCOL"))
    if endpoint is None and ((protocol and not keyed) or exporters):
        local = "http://localhost:4317" if protocol and protocol.text == "grpc" else LOCAL_COLLECTOR
        endpoint = Setting("endpoint", local)
    return None if endpoint is None else _destination(endpoint, arguments)


def local_collector(arguments: Mapping[str, Any]) -> Destination:
    """The collector on localhost, which gets spans only if one answers."""
    return _destination(Setting("endpoint", LOCAL_COLLECTOR), arguments, probe=True)


def of_metrics(arguments: Mapping[str, Any], spans: Sequence[Destination]) -> tuple[Destination, ...]:
    """Where metrics go: where the spans do, but that `OTEL_EXPORTER_OTLP_METRICS_*` speak of the collector's.

    Args:
        arguments: Those of `init()`.
        spans: The destinations of the spans. Without any, metrics go where the variables say, or to OpenTelemetry's
            default, the collector on localhost.
    """
    hosted = [_metrics_at(place) for place in spans if place.agentops]
    endpoint = environment.first(arguments.get("endpoint"), "endpoint", *_otlp("ENDPOINT", "metrics"))
    if endpoint is not None:
        return _destination(endpoint, arguments, signal="metrics"), *hosted
    collectors = [_metrics_by_variables(place, arguments) for place in spans if _has_metrics(place)]
    local = _destination(Setting("endpoint", LOCAL_COLLECTOR), arguments, probe=True, signal="metrics")
    return (*collectors, *hosted) or (local,)


def _has_metrics(spans: Destination) -> bool:
    """Whether it is a collector whose place for metrics is known by that for spans."""
    return not spans.agentops and (spans.protocol == "grpc" or urlsplit(spans.endpoint).path.endswith(TRACES_PATH))


def _metrics_at(spans: Destination) -> Destination:
    """The destination of metrics at the receiver of the spans."""
    url = urlsplit(spans.endpoint)
    path = url.path.removesuffix(TRACES_PATH) + METRICS_PATH if spans.protocol == "http/protobuf" else url.path
    return replace(spans, endpoint=url._replace(path=path).geturl(), signal="metrics")


def _metrics_by_variables(spans: Destination, arguments: Mapping[str, Any]) -> Destination:
    """The same for a collector, with the settings of metrics where there are some."""
    at = _metrics_at(spans)
    own = _destination(
        Setting("endpoint", at.endpoint), {**arguments, "protocol": at.protocol}, probe=at.probe, signal="metrics"
    )
    kept = ("headers", "certificate", "client_certificate", "client_key")
    return replace(own, **{name: getattr(own, name) or getattr(at, name) for name in kept})


def _destination(
    setting: Setting,
    arguments: Mapping[str, Any],
    *,
    agentops: AgentOps | None = None,
    probe: bool = False,
    signal: Signal = "traces",
) -> Destination:
    otlp = partial(_otlp, signal=signal)
    chosen = _protocol(setting, arguments.get("protocol"), signal)
    # The OTLP variables speak of the user's own collector; the hosted AgentOps is none of it.
    hosted = setting.text in (AGENTOPS_EXPORTER, AGENTOPS_GRPC)
    certificate, client_certificate, client_key = (
        None if hosted else environment.pem_file(environment.first(None, "", *otlp(name)))
        for name in ("CERTIFICATE", "CLIENT_CERTIFICATE", "CLIENT_KEY")
    )
    return Destination(
        endpoint=_grpc_endpoint(setting, signal) if chosen == "grpc" else _http_endpoint(setting, signal),
        protocol=chosen,
        headers=environment.headers(arguments.get("headers"), *(() if agentops else otlp("HEADERS"))),
        timeout_s=environment.seconds(environment.first(None, "", *otlp("TIMEOUT")) or Setting("timeout", "10")),
        compression=_compression(chosen, hosted, signal),
        certificate=certificate,
        client_certificate=client_certificate,
        client_key=client_key,
        proxy=environment.proxy(setting.text),
        agentops=agentops,
        probe=probe,
        signal=signal,
    )


def _protocol(endpoint: Setting, protocol: str | None, signal: Signal) -> OtlpProtocol:
    """The given protocol; by default gRPC for port 4317, which is gRPC's, and HTTP for any other."""
    setting = environment.first(
        protocol, "protocol", *(() if endpoint.text == AGENTOPS_EXPORTER else _otlp("PROTOCOL", signal))
    )
    if setting is None:
        return "grpc" if urlsplit(endpoint.text).netloc.endswith(":4317") else "http/protobuf"
    match setting.text:
        case "http/protobuf":
            return "http/protobuf"
        case "grpc":
            return "grpc"
        case _:
            raise setting.wrong("use http/protobuf or grpc")


def _http_endpoint(setting: Setting, signal: Signal) -> str:
    """The URL for HTTP: `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` as it is, any other URL with `/v1/traces` appended.

    That of metrics has `METRICS` and `/v1/metrics` there.

    https://opentelemetry.io/docs/specs/otel/protocol/exporter/#endpoint-urls-for-otlphttp
    """
    url = environment.url(setting)
    path = url.path.rstrip("/")
    if setting.name == _otlp("ENDPOINT", signal)[0]:
        return url._replace(path=url.path or "/").geturl()
    base = path.removesuffix(TRACES_PATH).removesuffix(METRICS_PATH)
    return url._replace(path=base + (TRACES_PATH if signal == "traces" else METRICS_PATH)).geturl()


def _grpc_endpoint(setting: Setting, signal: Signal) -> str:
    """The URL for gRPC. `host:port` alone gets http or https by the variables `OTEL_EXPORTER_OTLP_*INSECURE`."""
    if "://" in setting.text:
        url = environment.url(setting)
        return f"{url.scheme}://{url.netloc}"
    insecure = environment.first(None, "", *_otlp("INSECURE", signal))
    scheme = "http" if insecure and insecure.text.lower() == "true" else "https"
    return environment.url(Setting(setting.name, f"{scheme}://{setting.text}")).geturl()


def _compression(protocol: OtlpProtocol, hosted: bool, signal: Signal) -> str:
    """The compression. OTLP does not require zstd of a server: hosted AgentOps gets gzip instead."""
    allowed = ("none", "gzip") if protocol == "grpc" else ("none", "gzip", "deflate", "zstd")
    chosen = environment.compression(environment.first(None, "", *_otlp("COMPRESSION", signal)), allowed)
    return "gzip" if hosted and chosen == "zstd" else chosen
