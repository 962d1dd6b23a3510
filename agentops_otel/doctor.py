"""Why nothing arrives: each thing that can be wrong, looked at in turn, up to a real span that is sent and answered."""

import re
import secrets
import socket
import ssl
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from typing import Literal
from urllib.parse import urlsplit

import certifi
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, TraceFlags

from agentops_otel import semconv
from agentops_otel.clients import SPECS
from agentops_otel.config import TRACES_PATH, Config, Destination
from agentops_otel.content.span_redaction import SpanRedaction
from agentops_otel.distribution import MEND, NAME, clash
from agentops_otel.environment import env
from agentops_otel.export import transport
from agentops_otel.export.agentops import TokenAuthorization
from agentops_otel.export.agentops_api import Reply, wait_for_trace
from agentops_otel.export.agentops_names import translate
from agentops_otel.export.connection import OTHER_PROTOCOL
from agentops_otel.export.encode import Encoder
from agentops_otel.export.file import FileExporter
from agentops_otel.export.sender import Answer, Verdict
from agentops_otel.export.trace_directory import DIRECTORY
from agentops_otel.export.viewers import JAEGER_PORT, showing
from agentops_otel.frameworks import SPECS as FRAMEWORKS
from agentops_otel.settings import OPTIONS
from agentops_otel.version import VERSION

READ_BACK_S = 15.0
"""Seconds that AgentOps may take to show a span; its collector alone batches for 5 s."""
SEEN_S = 3.0
"""Seconds that a viewer which answers may take to know the span."""
TIMEOUT_S = 5.0
"""The longest that one connection or one answer is waited for."""

_NONE = ("0", "0.0")
"""A ratio that keeps nothing."""

Level = Literal["ok", "note", "wrong"]


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check."""

    level: Level
    """"wrong": spans do not arrive because of it."""
    text: str
    advice: str = ""
    """The remedy."""


def examine(config: Config, *, read_back_s: float = READ_BACK_S, jaeger_port: int = JAEGER_PORT) -> Iterator[Finding]:
    """Check everything between a program and its destinations, the most fundamental first.

    Touches the network: connects to each destination and sends it one span, which it reads back from AgentOps,
    from `agentops-otel view` and from a Jaeger on the same host, where they answer.
    """
    installed = {dist.name: dist for dist in metadata.distributions()}
    yield from _versions(installed)
    yield _from_environment()
    yield from _switches(config)
    yield from _frameworks(config, installed)
    yield _provider(trace.get_tracer_provider())
    yield from _patched(metadata.entry_points(group="opentelemetry_instrumentor"))
    for destination in config.destinations:
        yield from _endpoint(destination)
        reached = list(_connect(destination))
        yield from reached
        if reached[-1].level == "ok":
            yield from _probe(destination, config.tags, read_back_s, jaeger_port)
    for destination in config.metrics:
        yield _metrics(destination)
    if config.own_trace_file or config.trace_file:
        yield _file(config)
    captured = "captured and redacted" if config.capture_content else "not captured"
    yield Finding("ok", f"prompts, arguments and results are {captured}")


def _versions(installed: dict[str, metadata.Distribution]) -> Iterator[Finding]:
    ours = {name: dist for name, dist in installed.items() if name.startswith("opentelemetry-")}
    listed = ", ".join(f"{name.removeprefix('opentelemetry-')} {ours[name].version}" for name in sorted(ours))
    yield Finding("ok", f"agentops_otel {VERSION}; opentelemetry {listed}")
    if overwritten := clash():
        yield Finding("wrong", overwritten, MEND)
    for name, dist in sorted(ours.items()):
        for wanted, version in _pins(dist.requires or ()):
            present = installed.get(wanted)
            if present is not None and present.version != version:
                yield Finding(
                    "note",
                    f"{name} {dist.version} was made for {wanted} {version}; {present.version} is installed",
                    f"install versions that belong together: pip install --upgrade {name} {wanted}",
                )


def _from_environment() -> Finding:
    """Which settings come from the environment; their values may be secret."""
    variables = [name for option in OPTIONS for name in option.variables if env(name)]
    named = ", ".join(dict.fromkeys(variables)) or "none; all are the defaults, or arguments of init()"
    return Finding("ok", f"settings from the environment: {named}")


def _pins(requires: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The requirements of one exact version that are not those of an extra."""
    for requirement in requires:
        match = re.fullmatch(r"([\w.-]+)(?:\[[^]]*])?\s*\(?==\s*([\w.]+)\)?", requirement)
        if match:
            yield match[1], match[2]


def _switches(config: Config) -> Iterator[Finding]:
    if config.disabled:
        yield Finding("wrong", "tracing is off: OTEL_SDK_DISABLED=true", "unset OTEL_SDK_DISABLED")
    if env("OTEL_TRACES_EXPORTER") == "none":
        yield Finding("note", "nothing is exported: OTEL_TRACES_EXPORTER=none", "unset it, or name an endpoint=")
    if file := env("OTEL_CONFIG_FILE"):
        yield Finding("note", f"OTEL_CONFIG_FILE={file} says where spans go: init() adds no place of its own")
    sampler = env("OTEL_TRACES_SAMPLER")
    if sampler.endswith(("always_off", "traceidratio")):
        keeps_none = sampler.endswith("always_off") or ("ratio" in sampler and env("OTEL_TRACES_SAMPLER_ARG") in _NONE)
        share = f" with {env('OTEL_TRACES_SAMPLER_ARG') or '1.0'}" if "ratio" in sampler else ""
        kept = "no" if keeps_none else "not every"
        level: Level = "wrong" if keeps_none else "note"
        yield Finding(level, f"{kept} trace is kept: OTEL_TRACES_SAMPLER={sampler}{share}", "unset it to keep all")
    if not config.instrument_llm_calls:
        yield Finding("note", "LLM clients are left alone: AGENTOPS_INSTRUMENT_LLM_CALLS=false")
    if config.disabled_instrumentations:
        names = ",".join(sorted(config.disabled_instrumentations))
        yield Finding("note", f"some clients are left alone: OTEL_PYTHON_DISABLED_INSTRUMENTATIONS={names}")


def _frameworks(config: Config, installed: Mapping[str, metadata.Distribution]) -> Iterator[Finding]:
    """The agent frameworks that are installed, and whether they are listened to when a program imports them."""
    frameworks = {spec.name: dist for spec in FRAMEWORKS if (dist := _framework(spec.name, installed))}
    traced = frameworks.keys() - config.disabled_instrumentations if config.instrument_frameworks else set()
    for names, state in ((traced, "traced when they are imported"), (frameworks.keys() - traced, "left alone")):
        if names:
            listed = ", ".join(f"{frameworks[name].name} {frameworks[name].version}" for name in sorted(names))
            yield Finding("ok" if names is traced else "note", f"agent frameworks that are {state}: {listed}")


def _framework(name: str, installed: Mapping[str, metadata.Distribution]) -> metadata.Distribution | None:
    """The distribution of a framework; some are in one with a longer name."""
    return next(
        (
            installed[candidate]
            for candidate in (name, f"{name}-core", f"{name}-slim", f"{name}-ai")
            if candidate in installed
        ),
        None,
    )


def _provider(provider: trace.TracerProvider) -> Finding:
    if isinstance(provider, trace.ProxyTracerProvider):
        return Finding("ok", "no tracer provider is set in this process: init() sets one of its own")
    kind = f"a tracer provider is there already ({type(provider).__module__}.{type(provider).__qualname__})"
    if hasattr(provider, "add_span_processor"):
        return Finding("note", f"{kind}: init() adds to it, and exports only to destinations that it is given by name")
    return Finding("note", f"{kind}, which takes no span processors: spans go to one of our own beside it")


def _patched(points: Iterable[metadata.EntryPoint]) -> Iterator[Finding]:
    """Libraries that two instrumentations patch under `opentelemetry-instrument`."""
    patching: dict[str, set[str]] = defaultdict(set)
    for point in points:
        patching[point.name].add(point.dist.name if point.dist else point.value)
    for spec in SPECS:
        if spec.name in patching:
            patching[spec.name].add(NAME)
    for name, who in sorted(patching.items()):
        if len(who) > 1:
            yield Finding(
                "note",
                f"{name} is patched by {' and by '.join(sorted(who))}: under opentelemetry-instrument twice a call",
                "uninstall all but one, or init(instrument_llm_calls=False)",
            )


def _endpoint(destination: Destination) -> Iterator[Finding]:
    url = urlsplit(destination.endpoint)
    headers = f" with {', '.join(sorted(destination.headers))}" if destination.headers else ""
    yield Finding("ok", f"spans go to {destination.display_url} by {destination.protocol}{headers}")
    http = destination.protocol == "http/protobuf"
    if http and url.port == 4317:
        yield Finding("note", "4317 is where collectors speak gRPC", "use port 4318, or protocol=grpc")
    if not http and url.port == 4318:
        yield Finding("note", "4318 is where collectors speak HTTP", "use port 4317, or protocol=http/protobuf")
    if http and not url.path.endswith(TRACES_PATH) and destination.agentops is None:
        yield Finding(
            "note",
            f"the path is {url.path!r}; collectors take traces at {TRACES_PATH}",
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is used as it is: write the path, or use OTEL_EXPORTER_OTLP_ENDPOINT",
        )


def _connect(destination: Destination) -> Iterator[Finding]:
    """Tries TCP to every address of the host, then TLS; the last finding is whether there is a connection."""
    url = urlsplit(destination.endpoint)
    host, port = url.hostname or "", url.port or (443 if url.scheme == "https" else 80)
    try:
        addresses = sorted({str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)})
    except OSError as error:
        yield _unreachable(destination, f"{host} is no known host ({error})", "check the name of the host")
        return
    refusals = {address: _refusal(address, port) for address in addresses}
    yield from _listening(destination, f"{host}:{port}", refusals)
    if url.scheme == "https" and None in refusals.values():
        yield _tls(destination, host, port)


def _listening(destination: Destination, where: str, refusals: Mapping[str, str | None]) -> Iterator[Finding]:
    """Explain which addresses of a host accept connections (None) and which refuse them."""
    closed = [f"{address} ({refusal})" for address, refusal in refusals.items() if refusal is not None]
    if len(closed) == len(refusals):
        advice = "start a collector there, or name another: endpoint=, OTEL_EXPORTER_OTLP_ENDPOINT"
        yield _unreachable(destination, f"nobody listens on {where}: {', '.join(closed)}", advice)
        return
    served = [address for address, refusal in refusals.items() if refusal is None]
    if closed:
        yield Finding("note", f"{where} is also {', '.join(closed)}", f"write {served[0]} to be sure")
    yield Finding("ok", f"{where} takes connections")


def _refusal(address: str, port: int) -> str | None:
    try:
        socket.create_connection((address, port), timeout=TIMEOUT_S).close()
    except OSError as error:
        return error.strerror or str(error)
    return None


def _unreachable(destination: Destination, text: str, advice: str) -> Finding:
    if destination.probe:
        return Finding("note", f"{text}; nobody named a collector, so that is no fault", advice)
    return Finding("wrong", text, advice)


def _tls(destination: Destination, host: str, port: int) -> Finding:
    context = ssl.create_default_context(cafile=str(destination.certificate or certifi.where()))
    try:
        if destination.client_certificate:
            context.load_cert_chain(destination.client_certificate, destination.client_key)
        with (
            socket.create_connection((host, port), timeout=TIMEOUT_S) as plain,
            context.wrap_socket(plain, server_hostname=host) as secured,
        ):
            return Finding("ok", f"{secured.version()} with a trusted certificate")
    except OSError as error:
        late = "no answer in time" if isinstance(error, TimeoutError) else ""
        why = late or getattr(error, "verify_message", "") or error.strerror or str(error)
        advice = "name its authority: OTEL_EXPORTER_OTLP_CERTIFICATE=ca.pem; or http:// if it speaks no TLS"
        return Finding("wrong", f"TLS with {host}:{port} failed: {why}", advice)


def _probe(destination: Destination, tags: tuple[str, ...], read_back_s: float, jaeger_port: int) -> Iterator[Finding]:
    """Send one span by the transport that the program's spans go by, and read it back."""
    account = destination.agentops
    authorization = TokenAuthorization(account, destination) if account else None
    headers = authorization.headers() if authorization else {}
    if headers is None:
        yield Finding(
            "wrong",
            "AgentOps gave no token for the API key",
            "check AGENTOPS_API_KEY in the dashboard's settings",
        )
        return
    trace_id = secrets.randbits(128)
    body = Encoder().batch([_span(trace_id)], partial(translate, tags=lambda: tags) if account else None).body
    sender = transport(destination)
    started = time.monotonic()
    try:
        answer = sender.send(body, headers, min(destination.timeout_s, TIMEOUT_S))
    finally:
        sender.close()
    sent = _judged(answer, destination, time.monotonic() - started)
    yield sent
    if account and sent.level == "ok":
        shown = wait_for_trace(account, destination, headers, f"{trace_id:032x}", read_back_s)
        yield _read_back(shown, f"see {account.session_url(f'{trace_id:032x}')}")
    elif sent.level == "ok":
        for viewer in showing(destination.endpoint, f"{trace_id:032x}", jaeger_port=jaeger_port, patience_s=SEEN_S):
            yield Finding("ok", f"the span was read back from {viewer}")


def _read_back(reply: Reply, page: str) -> Finding:
    """The finding from AgentOps' API about the span; the dashboard shows the same data."""
    match reply.body:
        case {"spans": [{"span_name": str(name), "status_code": str(status)}, *_], "tags": list(tags)}:
            tagged = f", tagged {', '.join(map(str, tags))}" if tags else ""
            title = name.removesuffix(".session")
            return Finding("ok", f"AgentOps lists it as {title!r}{tagged}, with status {status}: {page}")
    if reply.status == 404:
        return Finding("note", "AgentOps took the span, and does not show it yet", page)
    reason = f"answered {reply.status}" if reply.status else "cannot be reached"
    return Finding("note", f"AgentOps took the span; its API does not show traces to this key ({reason})", page)


def _judged(answer: Answer, destination: Destination, seconds: float) -> Finding:
    url = destination.display_url
    message = f" ({answer.message})" if answer.message else ""
    if answer.verdict is Verdict.ACCEPTED and not answer.rejected:
        return Finding("ok", f"a span was sent to {url} and accepted in {seconds * 1e3:.0f} ms{message}")
    if answer.verdict is Verdict.ACCEPTED:
        return Finding("wrong", f"{url} answered, and refused the span{message}", "see the collector's log")
    advice = next((text for faults, text in _ADVICE if answer.fault in faults), "see the collector's log")
    return _unreachable(destination, f"{url} did not take a span: {answer.fault}{message}", advice)


_ADVICE: tuple[tuple[tuple[str, ...], str], ...] = (
    (("401", "403", "UNAUTHENTICATED", "PERMISSION_DENIED"), "check headers=, OTEL_EXPORTER_OTLP_HEADERS, or the key"),
    (("404", "405"), f"something else listens there; collectors take traces by HTTP at {TRACES_PATH}, port 4318"),
    (("UNIMPLEMENTED",), "what listens there takes no OTLP by gRPC: use protocol=http/protobuf, port 4318"),
    ((OTHER_PROTOCOL,), "gRPC is on 4317, HTTP on 4318"),
    (("the connection broke", "UNAVAILABLE"), "does it speak this protocol? gRPC is on 4317, HTTP on 4318"),
    (("no answer in time", "DEADLINE_EXCEEDED"), "it does not answer: is it the right port, is it overloaded?"),
    (("400", "415", "INVALID_ARGUMENT"), "something else listens there, or the collector wants another protocol="),
)


def _metrics(destination: Destination) -> Finding:
    """Send a request without metrics to where they go: one that is taken says that those of a program are."""
    account = destination.agentops
    headers = TokenAuthorization(account, destination).headers() if account else {}
    sender = transport(destination)
    try:
        answer = sender.send(b"", headers or {}, min(destination.timeout_s, TIMEOUT_S))
    finally:
        sender.close()
    where = f"metrics go to {destination.display_url} by {destination.protocol}"
    if answer.verdict is Verdict.ACCEPTED:
        return Finding("ok", f"{where}, which takes them")
    return _unreachable(
        destination, f"{where}, which did not take them: {answer.fault}", "unset OTEL_METRICS_EXPORTER to send none"
    )


def _span(trace_id: int) -> ReadableSpan:
    now = time.time_ns()
    context = SpanContext(trace_id, secrets.randbits(64), False, TraceFlags(TraceFlags.SAMPLED))
    span = ReadableSpan(
        "agentops-otel doctor",
        context,
        resource=Resource.create(),
        instrumentation_scope=InstrumentationScope(semconv.SCOPE, VERSION),
        start_time=now,
        end_time=now,
    )
    return SpanRedaction(capture_content=True)(span)  # the environment gives the resource


def _file(config: Config) -> Finding:
    directory = config.trace_file.absolute().parent if config.trace_file else config.state_dir / DIRECTORY
    path = directory / "doctor.jsonl"
    if FileExporter(path).export([_span(secrets.randbits(128))]) is SpanExportResult.FAILURE:
        return Finding("wrong", f"no trace file can be written in {directory}", "name another: trace_file=")
    path.unlink()
    return Finding("ok", f"trace files are written in {directory}")
