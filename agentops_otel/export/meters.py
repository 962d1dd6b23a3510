"""Sends the metrics of this process where its spans go: collected at intervals, delivered with the retries of spans."""

import os
import sys
import threading
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import uuid4

from opentelemetry.exporter.otlp.proto.common._internal.metrics_encoder import OTLPMetricExporterMixin
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExporter, MetricReader, MetricsData
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor

from agentops_otel import semconv
from agentops_otel.content import SpanRedaction
from agentops_otel.content.redaction import REDACTED
from agentops_otel.export.encode import Batch
from agentops_otel.export.sender import Sender
from agentops_otel.export.threads import FORK_WAIT_S, STARTS_AT_FORK, BackgroundThread, WakeUp, are_greenlets
from agentops_otel.guard import guard
from agentops_otel.tracing.at_fork import at_fork
from agentops_otel.tracing.fork_wait import wait_before_fork, without_new_threads

COLLECT_S = 30.0
"""The longest that a collection waits for the program's callbacks, as OpenTelemetry's reader does."""


class _Settings(OTLPMetricExporterMixin, MetricExporter):
    """Temporality and aggregation as the variables of OpenTelemetry's exporters say."""

    def __init__(self) -> None:
        self._common_configuration()

    def export(self, *_: object, **__: object) -> Any:
        """Not used."""

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Not used."""
        return True

    def shutdown(self, timeout_millis: float = 30_000, **_: object) -> None:
        """Not used."""


class _Reader(MetricReader):
    """Gives each collection to the senders of the upload that runs, without secrets."""

    def __init__(self, parents_name: object = None) -> None:
        settings: Any = _Settings()
        super().__init__(settings._preferred_temporality, settings._preferred_aggregation)
        self.senders: Sequence[Sender] = ()
        self.durable = False
        self.redaction = SpanRedaction(capture_content=False)
        self._instance = (0, "")
        self._made_in, self._parents_name = os.getpid(), parents_name

    def _receive_metrics(self, metrics_data: MetricsData, *_: object, **__: object) -> None:
        request = encode_metrics(metrics_data)
        for attributes in _attributes(request):
            self._redact(attributes)
        for resource in request.resource_metrics:
            self._identify(resource.resource.attributes)
        batch = Batch(body=request.SerializeToString(), spans=1)
        for sender in self.senders:
            (sender.outbox.store if self.durable else sender.outbox.add)(batch)
            sender.start()

    def _redact(self, attributes: Iterable[KeyValue]) -> None:
        texts = {one.key: one.value for one in attributes if one.value.HasField("string_value")}
        redacted = self.redaction.attributes({name: value.string_value for name, value in texts.items()})
        if redacted is not None:
            for name, value in texts.items():
                # One that is left out of a span stays here: points without it might be the same.
                value.string_value = str(redacted.get(name, REDACTED))

    def _identify(self, attributes: Any) -> None:
        """Name the process: two of one name would be taken for one that counts up and down.

        Older SDKs give it no name, and one that a fork has made has that of its parent under gevent.
        """
        if self._instance[0] != os.getpid():
            self._instance = os.getpid(), str(uuid4())
        named = next((one.value for one in attributes if one.key == semconv.SERVICE_INSTANCE_ID), None)
        if named is None:
            named = attributes.add(key=semconv.SERVICE_INSTANCE_ID).value
        elif os.getpid() == self._made_in or named.string_value != self._parents_name:
            return
        named.string_value = self._instance[1]

    def shutdown(self, timeout_millis: float = 30_000, **_: object) -> None:
        """Called when the provider is shut down, which nobody does to this one."""


class OwnMeterProvider(MeterProvider):
    """The SDK's provider with a reader of ours. In the child of a fork it counts anew: the parent sends what it has."""

    def __init__(self, resource: Resource) -> None:
        self.reader = _Reader(resource.attributes.get(semconv.SERVICE_INSTANCE_ID))
        super().__init__([self.reader], resource=resource, shutdown_on_exit=False)
        at_fork(after_in_child=self.begin_anew)

    def begin_anew(self) -> None:
        """Forget what was counted. The locks are new: those there are may be held by threads that are gone, or hang."""
        consumer: Any = self._measurement_consumer
        fresh: Any = MeterProvider([_Reader()], resource=self._sdk_config.resource, shutdown_on_exit=False)
        (storage,) = fresh._measurement_consumer._reader_storages.values()
        consumer._lock = threading.Lock()
        consumer._reader_storages = {self.reader: storage}

    def _handle_fork(self) -> None:
        """As the SDK does after a fork, but not where gevent has made threads greenlets, as `OwnProvider` does not."""
        monkey = sys.modules.get("gevent.monkey")
        if monkey is None or not monkey.is_module_patched("threading"):
            with without_new_threads():
                super()._handle_fork()


def _attributes(request: ExportMetricsServiceRequest) -> Iterable[Iterable[KeyValue]]:
    """The attributes of the resources, and of all points of a request."""
    for resource in request.resource_metrics:
        yield resource.resource.attributes
        for metric in (metric for scope in resource.scope_metrics for metric in scope.metrics):
            for point in getattr(metric, metric.WhichOneof("data")).data_points:
                yield point.attributes
                yield from (exemplar.filtered_attributes for exemplar in point.exemplars)


class MetricUpload(SpanProcessor):
    """Collects the metrics of a provider at intervals and when it is asked to, on a thread of its own.

    The thread ends before a fork, as all of ours. Where it cannot begin again at once, it does with the next span; in
    the child it does at once.

    Args:
        senders: One for each destination.
        interval_s: From one collection to the next.
        durable: A request is on disk before the collection is done.
        redaction: Of the attributes that other libraries set.
    """

    def __init__(
        self, senders: Sequence[Sender], *, interval_s: float, durable: bool, redaction: SpanRedaction
    ) -> None:
        self.senders = tuple(senders)
        self._interval_s = interval_s
        self._durable = durable
        self._redaction = redaction
        self._provider: OwnMeterProvider | None = None
        self._thread = BackgroundThread("agentops-otel-metrics", self._work)
        self._asked = self._done = 0
        self._forking = False
        self._renew()

    def _renew(self) -> None:
        """Locks and thread anew: those there are belong to threads that are gone or of another kind."""
        self._changed, self._wake_up = threading.Condition(), WakeUp()
        self._greenlets = are_greenlets()
        self._thread.forked()

    def start(self, provider: OwnMeterProvider) -> None:
        """Begin to collect the metrics of *provider*."""
        provider.begin_anew()
        reader = provider.reader
        reader.senders, reader.durable, reader.redaction = self.senders, self._durable, self._redaction
        self._provider = provider
        for sender in self.senders:
            sender.prepare()
        self._thread.start()
        # Here, since the last hook is the first to run: this thread ends before the pipeline's, which it may wake.
        at_fork(before=self._before_fork, after_in_parent=self._after_fork_in_parent, after_in_child=self._after_fork)

    def on_end(self, span: ReadableSpan) -> None:
        """Make sure that the thread runs, but while a fork waits for the thread that calls this."""
        if not self._forking:
            self._thread.start()

    def collect(self, timeout_s: float) -> bool:
        """Collect now; True if that was done in *timeout_s* seconds. The program's callbacks may take any time."""
        if self._greenlets != are_greenlets():
            self._renew()
        if not self._thread.start():
            self._collect(timeout_s)
            return True
        with self._changed:
            self._asked += 1
            asked = self._asked
            self._wake_up.set()
            return self._changed.wait_for(lambda: self._done >= asked, max(0.0, timeout_s))

    def close(self) -> None:
        """Collect no more. A later upload begins to count anew."""
        self._thread.detach()
        self._wake_up.set()
        provider, self._provider = self._provider, None
        if provider is not None:
            provider.reader.senders = ()

    def _work(self) -> None:
        while self._thread.is_current():
            if self._asked == self._done:
                self._wake_up.wait(self._interval_s)
            if self._thread.is_current():
                asked = self._asked
                self._collect(COLLECT_S)
                with self._changed:
                    self._done = asked
                    self._changed.notify_all()

    def _collect(self, timeout_s: float) -> None:
        if self._provider is not None:
            with guard("collecting metrics"):
                self._provider.reader.collect(timeout_s * 1000)

    def _before_fork(self) -> None:
        if not are_greenlets():
            self._forking = True
            thread = self._thread.detach()
            self._wake_up.set()
            wait_before_fork([thread], FORK_WAIT_S)

    def _after_fork_in_parent(self) -> None:
        self._forking = False
        if STARTS_AT_FORK and self._provider is not None:
            self._thread.start()

    def _after_fork(self) -> None:
        self._forking = False
        self._renew()
        if self._provider is not None:
            self._thread.start()
