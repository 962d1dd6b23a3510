"""The settings of one client: argument > AGENTOPS_* > OTEL_* > default. The only reader of `os.environ`."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Literal, TypeVar
from urllib.parse import urlsplit

from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.trace import TracerProvider

from agentops_otel.content.values import Redact

Protocol = Literal["http/protobuf", "grpc"]
Durability = Literal["batch", "span"]
T = TypeVar("T")

PROTOCOLS: tuple[Protocol, ...] = ("http/protobuf", "grpc")
COMPRESSIONS = ("none", "gzip", "deflate")
LOCAL_COLLECTOR = "http://localhost:4318"
TRACES_PATH = "/v1/traces"


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
    spool_dir: Path | None = None
    durability: Durability = "batch"
    exit_timeout_s: float = 2.0
    by_name: bool = False
    """True when an endpoint, a key, a file or the console was asked for by name, and not only by `OTEL_*`."""
    quiet: bool = False
    """True keeps the one line that says where the spans go, and the session's summary, off stderr."""

    def differences(self, other: "Config") -> list[str]:
        """The names of the settings in which the two differ, for a message; never their values."""
        return [f.name for f in fields(self) if getattr(self, f.name) != getattr(other, f.name)]


@dataclass(frozen=True, slots=True)
class _Found:
    """A setting's text and where it came from, for the error that names it."""

    setting: str
    text: str

    def error(self, right: str, *, secret: bool = False) -> ConfigError:
        return ConfigError(self.setting, "***" if secret else _masked(self.text), right)


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
    trace_file: str | os.PathLike[str] | None = None,
    spool_dir: str | os.PathLike[str] | None = None,
    durability: str = "batch",
    exit_timeout_s: float = 2.0,
) -> Config:
    """Check the arguments of `init()` and complete them from the environment.

    Raises:
        ConfigError: A setting cannot work; the message names it and says what would be right.
    """
    raise NotImplementedError


def _masked(text: str) -> str:
    """The text without what may be secret in it: user and password, query, long opaque words."""
    text = re.sub(r"//[^/@\s]*@", "//***@", text)
    text = re.sub(r"\?.*", "?***", text)
    return re.sub(r"[A-Za-z0-9_\-]{20,}", "***", text)
