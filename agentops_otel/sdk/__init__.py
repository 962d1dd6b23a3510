"""The one place with global state: the running client, and the functions that act on it."""

import logging
import os
import pkgutil
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Unpack
from weakref import ref

from opentelemetry.metrics import get_meter_provider
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.trace import TracerProvider, get_tracer_provider

from agentops_otel import clients, frameworks
from agentops_otel.client import ClientBase
from agentops_otel.compat_settings import CompatSettings, log_ignored, translate_settings
from agentops_otel.config import Config, read_config
from agentops_otel.content import Redact
from agentops_otel.export.process_exit import ProcessExit
from agentops_otel.guard import guard
from agentops_otel.metrics.call_metrics import are_kept
from agentops_otel.sdk.installations import Installed, installations
from agentops_otel.taskweaver.handler import TaskWeaverEventHandler
from agentops_otel.tracing import Recorder, suppressed
from agentops_otel.tracing.global_provider import set_global_meters
from agentops_otel.tracing.processors import not_in
from agentops_otel.tracing.provider import ProviderChoice, choose_provider, resource_of
from agentops_otel.tracing.relay import Relay
from agentops_otel.wrapping.import_hook import on_import

if TYPE_CHECKING:
    from agentops_otel.export.meters import OwnMeterProvider

_logger = logging.getLogger("agentops_otel")


class Client(ClientBase):
    """The running client, as `init()` returns it; `Client(api_key=...)` is `init(...)`.

    ```python
    client = agentops_otel.Client(tags=["staging"])
    client.record(agentops_otel.Event("api call"))
    ```

    There is one in a process, and its methods are the functions of the module. Its bases, from below: `Decorators` and
    `AllDecorators` (`recording/`), `CompatClient` (AgentOps' methods), `ClientBase` (the parts, without global state).
    """

    def __new__(cls, api_key: str | None = None, **settings: object) -> "Client":
        """Return `init(...)`: programs of AgentOps' SDK begin with `Client(api_key=...)`."""
        return init(api_key, **settings)  # type: ignore[arg-type]  # init checks them by name

    def __init__(self, *_: object, **__: object) -> None:
        """Does nothing: `__new__` has returned the client of `init()`."""

    @staticmethod
    def suppress() -> AbstractContextManager[None]:
        """See `agentops_otel.suppress`."""
        return suppressed()

    @staticmethod
    def configure(**settings: object) -> None:
        """See `agentops_otel.configure`."""
        configure(**settings)

    @staticmethod
    def set_api_key(key: str) -> None:
        """See `agentops_otel.set_api_key`."""
        configure(api_key=key)

    @staticmethod
    def set_parent_key(key: str) -> None:
        """See `agentops_otel.set_parent_key`."""
        log_ignored("set_parent_key()", key)

    @staticmethod
    def instrument() -> None:
        """See `agentops_otel.instrument`."""
        instrument()

    @staticmethod
    def uninstrument() -> None:
        """See `agentops_otel.uninstrument`."""
        uninstrument()

    @staticmethod
    def stop_instrumenting() -> None:
        """See `agentops_otel.stop_instrumenting`."""
        uninstrument()

    def shutdown(self, timeout_s: float | None = None) -> bool:
        """See `agentops_otel.shutdown`."""
        with _running.lock:
            self.end_open()
            clients = _running.clients()
            _running.forget(self)
            delivered = self.close(timeout_s)
            self.report_to_run(clients)
            return delivered

    def report_to_run(self, clients: Mapping[str, Any]) -> None:
        """Report what this process has done to `agentops-otel run`: it ends, or may be ended from now on."""
        if self.config.run is not None:
            with guard("reporting to agentops-otel run"):
                self.config.run.write(self.report()._replace(ended=True, **clients))


@dataclass(slots=True)
class _Running:
    """All the state there is."""

    client: Client | None = None
    latest: Client | None = None
    """The client of the newest `init()`, also after its `shutdown()`: its account can still be read."""
    temporary_client: Client | None = None
    """The client of `instrument_until_init()`."""
    wanted_parts: frozenset[str] = frozenset()
    """The parts that it wraps: "llm_calls", "taskweaver"."""
    relay: Relay = field(default_factory=Relay)
    with_relay: list[ref[TracerProvider]] = field(default_factory=list)
    """The providers that have our relay."""
    configured: dict[str, object] = field(default_factory=dict)
    """Settings of `configure()` for the next `init()`."""
    requested: Config = field(default_factory=Config)
    """The requested settings, before `Config.as_guest()` reduced them."""
    is_replaceable: bool = False
    """True when a launcher started the client, and the program has not called `init()` yet."""
    installations: tuple[Installed, ...] = ()
    warned: set[str] = field(default_factory=set)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by name: a decorated function records in the process that loads it."""
        return pkgutil.resolve_name, (f"{__name__}:_running",)

    def current(self) -> Recorder | None:
        """The running client's recorder; None before `init()`, after `shutdown()` and when tracing is disabled."""
        client = self.client
        return client.recorder if client else None

    def run(self, client: Client) -> None:
        """Make *client* the running one, and wrap the libraries that its settings name."""
        self.uninstrument()
        self.client = self.latest = client
        self.relay.targets = client.processors
        if client.recorder is not None:
            self.instrument(client.config)

    def instrument(self, config: Config) -> None:
        """Wrap libraries by the settings; those that are wrapped already stay as they are."""
        if not self.installations:
            self.installations = tuple(
                installations(config, current, self.conversation_ended, self.conversation_went_on)
            )

    def clients(self) -> dict[str, Any]:
        """Two fields of a report: the imported clients and frameworks with their versions, and those not wrapped.

        Empty where nobody wants a report: to know of clients that are not wrapped imports what describes them.
        """
        if self.client is None or self.client.config.run is None:
            return {}
        imported = {
            *(spec.module for spec in clients.imported() if spec.module in sys.modules),
            *(spec.module for spec in frameworks.imported() if not spec.listeners.keys().isdisjoint(sys.modules)),
        }
        wrapped: set[str] = set().union(*(getattr(one, "wrapped", ()) for one in self.installations))
        return {
            "clients": {module: str(getattr(sys.modules[module], "__version__", "")) for module in imported},
            "not_wrapped": sorted(imported - wrapped),
        }

    def uninstrument(self) -> None:
        """Restore the wrapped libraries."""
        for installation in self.installations:
            installation.uninstall()
        self.installations = ()

    def conversation_ended(self, conversation_id: str, rounds: int, duration_ns: int) -> None:
        """A session of TaskWeaver has stopped."""
        if self.client is not None:
            self.client.conversation_ended(conversation_id, rounds, duration_ns)

    def conversation_went_on(self, conversation_id: str) -> None:
        """A session of TaskWeaver has had a round."""
        if self.client is not None:
            self.client.conversation_went_on(conversation_id)

    def forget(self, client: Client) -> None:
        """Detach the client. A relay cannot be removed from a provider, so it is emptied."""
        if self.client is client:
            self.uninstrument()
            self.client = None
            self.relay.targets = ()

    def attach_relay(self, provider: TracerProvider) -> None:
        """Add the relay to a provider, once."""
        add = getattr(provider, "add_span_processor", None)
        if add is not None and not any(reference() is provider for reference in self.with_relay):
            self.with_relay.append(ref(provider))  # compared by identity: logfire's provider has no hash
            add(self.relay)

    def meter_provider(self, config: Config, *, by_name: bool) -> "OwnMeterProvider | None":
        """The global meter provider if it is ours, set now if there is none; None beside one of the program's.

        Args:
            config: The settings.
            by_name: Whether the upload was asked for by argument. The variable speaks to whoever sets a provider up.
        """
        from agentops_otel.export.meters import OwnMeterProvider  # imported on use: it takes long

        provider = get_meter_provider()
        if not are_kept():
            provider = OwnMeterProvider(resource_of(config.service_name))
            set_global_meters(provider)
        if isinstance(provider, OwnMeterProvider):
            return provider
        if by_name:
            self.warn_once(
                "metrics are not uploaded: the program has a meter provider of its own, which gets those of"
                " agentops_otel."
            )
        return None

    def provider_replaced(self, provider: TracerProvider) -> None:
        """The program has set its own global provider: our spans are made on it and go to the same destinations."""
        with self.lock:
            if self.client is not None:
                self.relay.targets = not_in(provider, self.relay.targets)
                self.attach_relay(provider)
                _process_exit.watch()

    def warn_once(self, what: str) -> None:
        """Log a warning, once per process."""
        if what not in self.warned:
            self.warned.add(what)
            _logger.warning("%s", what)


_running = _Running()
current = _running.current


class _Ending:
    """Forwards the end of the process to the running client, if there is one."""

    def shutdown(self) -> bool:
        """See `shutdown`."""
        return shutdown()

    def flush(self) -> None:
        """Deliver what has ended within the exit's time, and put the rest on disk."""
        if client := _running.client:
            with guard("flushing"):
                client.flush(client.config.exit_timeout_s)
                client.pipeline.persist()
                client.report_to_run(_running.clients())

    def persist(self) -> None:
        """Put on disk what has ended."""
        if client := _running.client:
            client.pipeline.persist()
            client.report_to_run(_running.clients())

    def deliver_at_once(self) -> None:
        """End what is open, and deliver each span from now on when it ends."""
        if client := _running.client:
            with guard("delivering at once"):
                client.end_open()
                client.deliver_at_once()
                client.report_to_run(_running.clients())


_process_exit = ProcessExit(_Ending(), on_import)


def _make(
    config: Config, settings: dict[str, object], source: ProviderChoice | None, clock: Callable[[], int]
) -> Client:
    client = object.__new__(Client)
    ClientBase.__init__(client, config, settings, source, clock=clock)
    return client


TaskWeaverEventHandler.get_recorder = staticmethod(current)  # TaskWeaver's users make handlers without arguments


def init(
    api_key: str | None = None,
    *,
    endpoint: str | None = None,
    headers: Mapping[str, str] | str | None = None,
    protocol: str | None = None,
    service_name: str | None = None,
    tags: Sequence[str] | None = None,
    capture_content: bool | None = None,
    redact: Redact | None = None,
    instrument_llm_calls: bool | None = None,
    instrument_taskweaver: bool = True,
    instrument_frameworks: bool = True,
    propagate_threads: bool = False,
    auto_start_session: bool | None = None,
    tracer_provider: TracerProvider | None = None,
    span_processors: Sequence[SpanProcessor] = (),
    console: bool | None = None,
    trace_file: str | os.PathLike[str] | bool | None = None,
    spool_dir: str | os.PathLike[str] | bool | None = None,
    durability: str | None = None,
    exit_timeout_s: float | None = None,
    upload_logs: bool | None = None,
    upload_metrics: bool | None = None,
    **compat: Unpack[CompatSettings],
) -> Client:
    """Start tracing: LLM calls, agents' steps, TaskWeaver sessions and everything decorated or recorded become spans.

    Never touches the network and imports no LLM client or framework. Idempotent: a second call returns the running
    client; other settings in it are ignored as a whole, with a warning that names them (`shutdown()` first to change
    them).

    ```python
    client = agentops_otel.init(endpoint="http://localhost:4318", tags=["staging"])
    ```

    Args:
        api_key: An AgentOps key: spans go to that account. Default: `AGENTOPS_API_KEY`.
        endpoint: A collector's base URL; `/v1/traces` is appended for HTTP. Default: `OTEL_EXPORTER_OTLP_ENDPOINT`;
            with neither a key nor an endpoint, spans go to a collector on localhost:4318 if one answers, to a trace
            file, and to the terminal.
        headers: Sent with every export, as a mapping or as `name=value,name=value`.
            Default: `OTEL_EXPORTER_OTLP_HEADERS`.
        protocol: "http/protobuf" or "grpc". Default: `OTEL_EXPORTER_OTLP_PROTOCOL`, else grpc for port 4317.
        service_name: Who is being traced. Default: `OTEL_SERVICE_NAME`.
        tags: Strings that every span carries as `agentops.tags`. Default: `AGENTOPS_DEFAULT_TAGS`.
        capture_content: False keeps arguments, results, prompts and answers off every span.
            Default: `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`, else True.
        redact: `(attribute name, text) -> text, or None to drop it`, after the built-in redaction of secrets.
            Default: `AGENTOPS_REDACT`, as `package.module:function`.
        instrument_llm_calls: False leaves LLM clients alone. Default: `AGENTOPS_INSTRUMENT_LLM_CALLS`, else True.
        instrument_taskweaver: False leaves TaskWeaver alone; its event handler still works. Default: True.
        instrument_frameworks: False leaves agent frameworks alone; LLM calls that they make are recorded as before.
            Default: True.
        propagate_threads: True carries the current span into new threads and thread pools. Default: False.
        auto_start_session: Open a session at once. Default: `AGENTOPS_AUTO_START_SESSION`, else True with a key.
        tracer_provider: Make spans with this provider. Default: the global one; one is made if there is none.
        span_processors: Further OpenTelemetry span processors. Default: none.
        console: True prints every finished trace on stderr. False prints nothing at all.
            Default: `AGENTOPS_CONSOLE`, else True on a terminal when nothing else was configured.
        trace_file: Write spans as OTLP JSON lines: a path, True for a new file in the user's state directory, False
            for none. Default: `AGENTOPS_TRACE_FILE`, else True when nothing else was configured.
        spool_dir: Where spans wait that cannot be sent; False for memory only.
            Default: `AGENTOPS_SPOOL_DIR`, else the user's state directory.
        durability: "batch", or "span": each span is on disk before its `end()` returns.
            Default: `AGENTOPS_DURABILITY`, else "batch".
        exit_timeout_s: The longest that tracing may hold up the end of the process, in seconds.
            Default: `AGENTOPS_EXIT_TIMEOUT_S`, else 2.0.
        upload_logs: True sends what the program prints in a trace to the Logs tab of its AgentOps page, redacted;
            nothing where content is off. Default: `AGENTOPS_UPLOAD_LOGS`, else False.
        upload_metrics: True sends metrics where the spans go: tokens, durations, cost, and those of your program.
            Default: `OTEL_METRICS_EXPORTER`, True where it says `otlp`, else False.
        compat: What AgentOps 0.0 to 0.4 took besides: put into the settings above, or left aside (said at DEBUG).

    Returns:
        The client; its methods are the functions of this module.

    Raises:
        ConfigError: A setting that cannot work; the message names it and says what would be right.
    """
    arguments = locals()
    given = {name: arguments[name] for name, default in _DEFAULTS.items() if arguments[name] is not default}
    settings = translate_settings({**_running.configured, **given, **compat}, _DEFAULTS)
    with _running.lock:
        client = None if _running.client is _running.temporary_client else _running.client
        if client is not None and not settings:
            return client
        config = read_config(**settings)
        if client is not None and _running.is_replaceable:
            client.shutdown()
            client = None
        if client is None:
            return _start(config, settings)
        if config.differences(_running.requested):
            ignored = ", ".join(name for name, value in settings.items() if client.settings.get(name) != value)
            _running.warn_once(
                f"init() was called again with other settings ({ignored}): they are ignored as a whole;"
                " call agentops_otel.shutdown() first to change them."
            )
        return client


_DEFAULTS: dict[str, object] = {"api_key": None, **(init.__kwdefaults__ or {})}


def init_for_program() -> Client:
    """`init()` for a launcher. The program's own first `init()` with settings replaces this client."""
    client = init()
    _running.is_replaceable = True
    return client


def _start(config: Config, settings: dict[str, object]) -> Client:
    """A client with these settings, running; called under the lock."""
    if config.disabled:
        client = _make(replace(config, metrics=()), settings, None, time.time_ns)
    else:
        source = choose_provider(config.tracer_provider, config.service_name, _running.provider_replaced)
        missing = not_in(source.provider, config.span_processors)
        used = replace(config.as_guest() if source.guest else config, span_processors=missing)
        meters = _running.meter_provider(config, by_name="upload_metrics" in settings) if config.metrics else None
        used = used if meters is not None else replace(used, metrics=())
        client = _make(used, settings, source, time.time_ns)
        if client.metrics is not None and meters is not None:
            client.metrics.start(meters)
        client.sees_spans = bool(not source.guest or config.by_name or missing)
        if client.sees_spans:
            _running.attach_relay(source.provider)
    _running.run(client)
    _running.configured, _running.requested, _running.is_replaceable = {}, config, False
    _process_exit.watch()
    if not config.disabled:
        client.pipeline.look_back()
    if not (client.config.quiet or config.disabled or _is_child_of_run(config)):
        client.announce()
    if config.run is not None:
        config.run.write(client.report())
    if client.config.auto_start_session:
        client.start_session(name=config.session_name, session_id=config.session_id)
    return client


def _is_child_of_run(config: Config) -> bool:
    return config.run is not None and not config.run.is_main_process


def instrument_until_init(
    what: Literal["llm_calls", "taskweaver"], *, wanted: bool, capture_content: bool | None = None
) -> None:
    """Start a temporary client on the global provider, without destinations.

    For OpenTelemetry's launcher and TaskWeaver's kernel, which do not call `init()`. The program's own `init()`
    replaces the client; after that this does nothing.

    Args:
        what: The parts to wrap or, with *wanted* False, to restore; other parts stay as they are.
        wanted: Whether to wrap them.
        capture_content: As `init()` has it.
    """
    with _running.lock:
        if _running.client is not _running.temporary_client:
            return
        _running.wanted_parts = _running.wanted_parts - {what} | ({what} if wanted else set())
        config = read_config(
            instrument_llm_calls="llm_calls" in _running.wanted_parts,
            instrument_taskweaver="taskweaver" in _running.wanted_parts,
            instrument_frameworks="llm_calls" in _running.wanted_parts,
            capture_content=capture_content,
            console=False,
            trace_file=False,
        )
        config = replace(config, destinations=(), exporters=(), metrics=())
        source = None if config.disabled else ProviderChoice(provider=get_tracer_provider(), guest=True)
        _running.temporary_client = _make(config, {}, source, time.time_ns)
        _running.run(_running.temporary_client)


@contextmanager
def running(
    config: Config, provider: TracerProvider, processor: SpanProcessor, *, clock: Callable[[], int]
) -> Iterator[Client]:
    """A client with a provider, a processor and a clock of its own, in place of the running one; for tests."""
    client = _make(config, {}, ProviderChoice(provider=provider, guest=True), clock)
    client.processors += (processor,)
    with _running.lock:
        before = _running.client
        _running.attach_relay(provider)
        _running.run(client)
    try:
        yield client
    finally:
        with _running.lock:
            client.shutdown()
            if before is not None:
                _running.run(before)


def instrument() -> None:
    """Wrap LLM clients, frameworks and TaskWeaver again after `uninstrument()`, by the settings of `init()`.

    ```python
    agentops_otel.instrument()
    ```
    """
    client = client_for("instrument")
    if client is not None and client.recorder is not None:
        with _running.lock:
            _running.instrument(client.config)


def uninstrument() -> None:
    """Restore LLM clients, frameworks and TaskWeaver. Decorated functions and events are recorded as before.

    ```python
    agentops_otel.uninstrument()
    ```
    """
    with _running.lock:
        _running.uninstrument()


def shutdown(timeout_s: float | None = None) -> bool:
    """End open sessions, deliver the remaining spans and stop. `init()` may be called again afterwards.

    Runs by itself at exit. A tracer provider that the program made keeps running.

    ```python
    agentops_otel.shutdown(timeout_s=5)
    ```

    Args:
        timeout_s: The longest that it may take, in seconds. Default: `exit_timeout_s` of `init()`.

    Returns:
        True if every span was delivered or spooled.
    """
    client = _running.client
    return client.shutdown(timeout_s) if client else True


def configure(**settings: object) -> None:
    """Keep settings for the next `init()`: they are used for arguments that it is not given.

    ```python
    agentops_otel.configure(service_name="bot", capture_content=False)
    ```

    Args:
        settings: Those of `init()`, which checks them.
    """
    _running.configured |= settings


def client() -> Client | None:
    """The running client, if there is one."""
    return _running.client


def latest_client() -> Client | None:
    """The running client, or else the one that was shut down last."""
    return _running.client or _running.latest


def client_for(function: str) -> Client | None:
    """The running client; None without one, after a warning, once, that *function* recorded nothing."""
    if _running.client is None:
        _running.warn_once(f"agentops_otel.{function}() recorded nothing: call agentops_otel.init() first.")
    return _running.client
