"""Exports spans: pipeline, outboxes, senders and transports, put together by `build`."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.sdk.trace.export import SpanExporter

from agentops_otel.config import SPOOL, Config, Destination
from agentops_otel.content import SpanRedaction
from agentops_otel.export.agentops import TokenAuthorization
from agentops_otel.export.agentops_logs import LogTransport, LogUpload, destination_of_logs
from agentops_otel.export.agentops_names import translate
from agentops_otel.export.encode import Translation
from agentops_otel.export.fallback_file import FallbackFile
from agentops_otel.export.file import FileExporter
from agentops_otel.export.outbox import Outbox, Stats
from agentops_otel.export.pipeline import Pipeline, Route
from agentops_otel.export.sender import Sender, Transport
from agentops_otel.export.sink import Sink
from agentops_otel.export.spool import AVAILABLE, Spool, folder
from agentops_otel.export.spool_places import reminder, used
from agentops_otel.export.trace_directory import KEEP

if TYPE_CHECKING:
    from agentops_otel.export.meters import MetricUpload

_logger = logging.getLogger("agentops_otel")

__all__ = ["Pipeline", "Stats", "build", "log_upload", "metric_upload", "send_left_overs", "transport"]


def build(
    config: Config,
    spare_trace_file: Path | None = None,
    tags: Callable[[], tuple[str, ...]] = tuple,
    senders: Sequence[Sender] = (),
    observers: Sequence[SpanProcessor] = (),
) -> Pipeline:
    """Build the pipeline for the settings. Opens no connection, file or thread: the first span does.

    Args:
        config: The settings.
        spare_trace_file: The trace file for spans if AgentOps refuses the key.
        tags: The client's tags; at AgentOps a span without tags gets them.
        senders: Senders of other data than spans, flushed and closed with those of spans.
        observers: Processors that see each ended span in the pipeline's thread.
    """
    sinks = [Sink(name=name, exporter=exporter) for name, exporter in _exporters(config)]
    fallback = None
    if spare_trace_file:
        fallback = FallbackFile(
            name=f"the trace file {spare_trace_file}", exporter=FileExporter(spare_trace_file, keep=KEEP)
        )
        sinks.append(fallback)
    translation = partial(translate, tags=tags)
    return Pipeline(
        [_route(destination, config, fallback, translation) for destination in config.destinations],
        sinks,
        senders,
        observers,
        exit_timeout_s=config.exit_timeout_s,
        durable=config.durability == "span",
        redaction=SpanRedaction(capture_content=config.capture_content),
    )


def send_left_overs(config: Config, timeout_s: float) -> tuple[Counter[str], Counter[str], Sequence[Path]]:
    """Deliver spooled spans for the destinations of the settings, from every spool directory that was ever used.

    Returns:
        Spans sent and spans left, by endpoint, and the folders with spans for other destinations.
    """
    deadline = time.monotonic() + timeout_s
    sent, left, others = Counter[str](), Counter[str](), list[Path]()
    places = dict.fromkeys([config.spool_dir or config.state_dir / SPOOL, *used(config.state_dir)])
    for place in places:
        here = replace(config, spool_dir=place, exporters=())
        pipeline = build(here, senders=[_metric_sender(destination, here) for destination in config.metrics])
        for shown, (delivered, waiting) in pipeline.recover(deadline - time.monotonic()).items():
            sent[shown] += delivered
            left[shown] += waiting
        # With nothing left the threads end at once, and close their connections.
        pipeline.close(0.0 if left.total() else deadline - time.monotonic())
        own = {folder(place, destination) for destination in (*config.destinations, *config.metrics)}
        others += sorted({path.parent for path in place.glob("*/*.spans")} - own)
    return sent, left, others


def log_upload(config: Config) -> LogUpload | None:
    """The upload of printed text to AgentOps' Logs tab; None if it is off. Opens nothing, as `build`."""
    for destination in config.destinations:
        if config.upload_logs and (account := destination.agentops):
            logs = destination_of_logs(account, destination)
            sender = Sender(
                logs.display_url,
                Outbox(_spool(logs, config), request_spans=1),
                LogTransport(logs),
                timeout_s=logs.timeout_s,
                authorization=TokenAuthorization(account, logs),
                cargo="logs",
                splits=False,
            )
            return LogUpload(sender, durable=config.durability == "span")
    return None


def metric_upload(config: Config) -> "MetricUpload | None":
    """The upload of metrics; None if it is off. Opens nothing, as `build`."""
    if not config.metrics:
        return None
    from agentops_otel.export.meters import MetricUpload  # imported on use: it takes long

    senders = [_metric_sender(destination, config) for destination in config.metrics]
    return MetricUpload(
        senders,
        interval_s=config.metrics_interval_s,
        durable=config.durability == "span",
        redaction=SpanRedaction(capture_content=config.capture_content),
    )


def _metric_sender(destination: Destination, config: Config) -> Sender:
    account = destination.agentops
    return Sender(
        f"{destination.display_url} (metrics)" if destination.protocol == "grpc" else destination.display_url,
        Outbox(_spool(destination, config), request_spans=1),
        transport(destination),
        timeout_s=destination.timeout_s,
        authorization=TokenAuthorization(account, destination) if account else None,
        probe=destination.probe,
        cargo="metrics",
        splits=False,
    )


def _spool(destination: Destination, config: Config) -> Spool | None:
    if not config.spool_dir or destination.probe:
        return None
    if not AVAILABLE:
        if config.durability == "span":
            _logger.warning('durability="span" keeps nothing here: this system cannot lock files, so there is no spool')
        return None
    own = config.spool_dir == config.state_dir / SPOOL
    return Spool(
        folder(config.spool_dir, destination), begun=None if own else reminder(config.state_dir, config.spool_dir)
    )


def _route(destination: Destination, config: Config, fallback: FallbackFile | None, translation: Translation) -> Route:
    account = destination.agentops
    sender = Sender(
        destination.display_url,
        Outbox(_spool(destination, config)),
        transport(destination),
        timeout_s=destination.timeout_s,
        authorization=TokenAuthorization(account, destination, fallback=fallback) if account else None,
        probe=destination.probe,
    )
    return Route(sender=sender, translation=translation if account else None)


def transport(destination: Destination) -> Transport:
    """The transport for the destination's protocol. It connects at the first request."""
    # Imported on use: grpc takes as long to import as all the rest.
    if destination.protocol == "grpc":
        from agentops_otel.export.grpc import GrpcTransport

        return GrpcTransport(destination)
    from agentops_otel.export.http import HttpTransport

    return HttpTransport(destination)


def _exporters(config: Config) -> Iterator[tuple[str, SpanExporter]]:
    """The exporters within the process, by name: the trace file, and the entry points in `OTEL_TRACES_EXPORTER`."""
    if config.trace_file:
        yield "the trace file", FileExporter(config.trace_file, keep=KEEP if config.own_trace_file else None)
    if config.exporters:
        from importlib.metadata import entry_points

        for name in config.exporters:
            for point in entry_points(group="opentelemetry_traces_exporter", name=name):
                yield name, point.load()()
