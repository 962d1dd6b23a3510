"""What several threads change is changed under its lock: who comes while another has it waits."""

import threading
from asyncio import CancelledError
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import set_span_in_context

import agentops_otel
from agentops_otel import sdk
from agentops_otel.export import Pipeline, otlp_json
from agentops_otel.export.encode import Batch
from agentops_otel.export.outbox import Entry, Outbox
from agentops_otel.export.threads import BackgroundThread
from agentops_otel.instrumentation import Steps
from agentops_otel.instrumentation.adoption import Adoptions
from agentops_otel.instrumentation.call import FoldingObserver
from agentops_otel.instrumentation.framework_install import FrameworkInstallation
from agentops_otel.instrumentation.steps import OpenStep
from agentops_otel.launcher import Report
from agentops_otel.recording.session import Sessions
from agentops_otel.taskweaver.hooks import Hooks
from agentops_otel.taskweaver.install import Installation
from agentops_otel.taskweaver.rounds import Round
from agentops_otel.testing import Capture, capture
from agentops_otel.tracing.provider import OwnProvider
from agentops_otel.view.live import Store
from agentops_otel.view.live.wanted import Filter
from agentops_otel.view.session_totals import SessionTotals
from agentops_otel.view.terminal_processor import TerminalProcessor
from agentops_otel.wrapping import import_hook
from agentops_otel.wrapping.patch import LocalClassPatch
from examples import own_framework
from tests.view.spans import CHAT, Trace

Operation = Callable[[], object]
Locked = tuple[Any, str, list[Operation]]
"""What has the lock, the lock's name there, and what changes under it."""


class Watched:
    """A lock that says when somebody comes to it."""

    def __init__(self, lock: Any) -> None:
        self.lock, self.come, self.times = lock, threading.Event(), 0

    def __enter__(self) -> None:
        self.times += 1
        self.come.set()
        self.lock.acquire()

    def __exit__(self, *error: object) -> None:
        self.lock.release()

    def __getattr__(self, name: str) -> object:
        """A condition has more than a lock."""
        return getattr(self.lock, name)


def of_provider(captured: Capture) -> Locked:
    """A tracer of it, and what all of its tracers are given."""
    provider = OwnProvider()
    return (
        provider,
        "_tracers_lock",
        [
            lambda: provider.get_tracer("new"),
            lambda: provider.set_policy(None),
            lambda: provider.renew(OwnProvider()),
            lambda: provider.follow(TracerProvider(shutdown_on_exit=False)),
        ],
    )


def of_sessions(captured: Capture) -> Locked:
    """A session begins and ends."""
    sessions = Sessions()
    session = sessions.start(captured.client.recorder, name="one")
    return (
        sessions,
        "_lock",
        [
            lambda: sessions.start(captured.client.recorder, name="two"),
            lambda: sessions.close(session),
        ],
    )


def of_steps(captured: Capture) -> Locked:
    """A step begins, and what stands for it; those end, and all with the client."""
    steps = Steps(own_framework.SPEC.steps, frozenset(), lambda: captured.client.recorder)
    return (
        steps,
        "_lock",
        [
            lambda: steps.begin("a", {"kind": "agent", "name": "x", "given": "x"}),
            lambda: steps.begin("within", {"kind": "other"}, parent="a"),
            lambda: steps.end("within"),
            lambda: steps.end("a"),
            lambda: steps.begin("b", {"kind": "agent", "name": "x", "given": "x"}),
            lambda: steps.end("b", error=CancelledError()),
            steps.close,
        ],
    )


def of_a_step(captured: Capture) -> Locked:
    """Its first end."""
    steps = Steps(own_framework.SPEC.steps, frozenset(), lambda: captured.client.recorder)
    steps.begin("a", {"kind": "agent", "name": "x", "given": "x"})
    step: OpenStep = steps._open["a"]
    return step, "_lock", [step.abandoned]


def of_a_stream(captured: Capture) -> Locked:
    """What has been folded of it: a chunk more, and its end."""
    call: Any = SimpleNamespace(
        context=Context(),
        recorder=SimpleNamespace(track_stream=lambda observer: None),
        first_chunk=lambda: None,
        completed=lambda response: None,
        abandoned=lambda response: None,
    )
    observer = FoldingObserver(call, lambda response, chunk: None, lambda response: response, times=False)
    return observer, "_lock", [lambda: observer.chunk("a"), observer.exhausted]


def of_adoptions(captured: Capture) -> Locked:
    """A call is recorded on a framework's span, which no other takes then."""
    provider = TracerProvider(shutdown_on_exit=False)
    recorder: Any = SimpleNamespace(tracer=provider.get_tracer("ours"))
    span = provider.get_tracer("framework").start_span("chat", attributes={"gen_ai.operation.name": "chat"})
    adoptions = Adoptions()
    return adoptions, "_lock", [lambda: adoptions.adopt(recorder, "chat", set_span_in_context(span))]


def of_frameworks(captured: Capture) -> Locked:
    """A framework is imported, and left."""
    installation = FrameworkInstallation(lambda: captured.client.recorder)
    return installation, "_lock", [lambda: installation.add([own_framework.SPEC]), installation.uninstall]


def of_totals(captured: Capture) -> Locked:
    """A span is counted, and its session asked for."""
    totals, span = SessionTotals(), Trace().span("chat", attributes={**CHAT, "session.id": "one"})
    return (
        totals,
        "_lock",
        [
            lambda: totals.on_end(span),
            lambda: totals.get("one", 1),
            lambda: totals.pop("one", 1),
            lambda: totals.report(Report(pid=1, program="x")),
        ],
    )


def of_the_terminal(captured: Capture) -> Locked:
    """A span is held, shown, and given up."""
    processor, trace = TerminalProcessor(), Trace()
    span = trace.span("step", under=trace.span("chat"))
    return processor, "_lock", [lambda: processor.on_end(span), lambda: processor.show_open(0.0), processor.shutdown]


def of_the_store(captured: Capture) -> Locked:
    """Its one connection to the database."""
    store, trace = Store(None, otlp_json, clock=lambda: 0.0), Trace()
    return (
        store,
        "_changed",
        [
            lambda: store.add([trace.span("chat", attributes=CHAT)]),
            lambda: store.read_to("no file"),
            lambda: store.runs(Filter()),
            lambda: list(store.export("no run")),
            lambda: store.totals(Filter()),
            store.choices,
            lambda: store.wait(0, 0.0),
            store.close,
        ],
    )


def of_taskweaver(captured: Capture) -> Locked:
    """A function is hooked, and put back."""

    class Theirs:
        def run(self) -> None:
            """Do nothing."""

    installation = Installation(Hooks(lambda: captured.client.recorder), {})
    return (
        installation,
        "_lock",
        [
            lambda: installation._patch(Theirs, "run", lambda *args: None),
            installation.uninstall,
        ],
    )


def of_a_round(captured: Capture) -> Locked:
    """A span of it begins and ends, and so does all of it."""
    recorder = captured.client.recorder
    assert recorder is not None
    of_user = Round(recorder)
    begun = of_user.open("step", {})
    return of_user, "_lock", [lambda: of_user.open("other", {}), lambda: of_user.close(begun), of_user.end]


def of_imports(captured: Capture) -> Locked:
    """Who wants to hear of an import, and no longer."""
    remove = import_hook.on_import("no_such_module", lambda module: None)
    import_hook.before_import("no_such_beginning", lambda: None)
    loader = import_hook._Loader(SimpleNamespace(exec_module=lambda module: None))
    return (
        import_hook,
        "_lock",
        [
            lambda: import_hook.on_import("no_such_module", lambda module: None)(),
            lambda: import_hook._finder.find_spec("no_such_beginning"),
            lambda: loader.exec_module(ModuleType("no_such_module")),
            remove,
        ],
    )


def of_local_classes(captured: Capture) -> Locked:
    """Classes that a method defines are wrapped, and put back."""

    class Maker:
        def make(self) -> None:
            """Define none."""

    patch = LocalClassPatch(Maker, "make")
    return patch, "_lock", [lambda: patch.add("Inner.run", lambda owner, name: None), patch.undo]  # type: ignore[arg-type,return-value]  # none is made


def of_a_thread(captured: Capture) -> Locked:
    """Two who find that it does not run."""
    thread = BackgroundThread("mine", lambda: None)
    return thread, "_starting", [thread.start]


def of_an_outbox(captured: Capture) -> Locked:
    """Requests come and go, and are counted."""
    outbox = Outbox()
    outbox.add(Batch(b"one", 1))
    entry = outbox.take(0.0) or Entry(b"two", 1, 0.0)
    return (
        outbox,
        "_changed",
        [
            lambda: outbox.add(Batch(b"three", 1)),
            lambda: outbox.store(Batch(b"four", 1)),
            lambda: outbox.take(0.0),
            outbox.interrupt,
            lambda: outbox.settled,
            lambda: outbox.has_work,
            lambda: outbox.count_lost(1, "not encodable"),
            outbox.failed,
            lambda: outbox.pause(1.0, by_destination=True),
            outbox.resume,
            outbox.spool_older_than,
            outbox.persist,
            lambda: outbox.wait(0.0),
            lambda: outbox.recover(0.0),
            lambda: outbox.is_pending(entry),
            lambda: outbox.stats(0),
            lambda: outbox.replace(entry, [Batch(b"f", 1)]),
            lambda: outbox.delivered(entry),
            lambda: outbox.dropped(entry, "404"),
            outbox.discard,
            outbox.close,
            outbox.release,
        ],
    )


def of_a_pipeline(captured: Capture) -> Locked:
    """Spans are taken from its queue, and are with the outboxes."""
    pipeline = Pipeline(exit_timeout_s=0.0)
    return (
        pipeline,
        "_changed",
        [
            lambda: pipeline.drain(0.0),
            pipeline.persist,
            lambda: pipeline._take(1),
            lambda: pipeline._encoded(0),
        ],
    )


def of_the_client(captured: Capture) -> Locked:
    """What begins and ends tracing, and what puts other people's code back."""
    return (
        sdk._running,
        "lock",
        [
            agentops_otel.uninstrument,
            agentops_otel.instrument,
            lambda: sdk.instrument_until_init("llm_calls", wanted=True),
            agentops_otel.shutdown,
        ],
    )


OFTEN: dict[Callable[[Capture], Locked], list[int]] = {
    of_provider: [2, 1, 1, 1],
    of_steps: [1, 1, 1, 1, 1, 2, 1],
    of_imports: [2, 1, 1, 1],
    of_the_store: [3, 1, 1, 1, 1, 1, 1, 1],
    of_an_outbox: [1, 2, *[1] * 20],
    of_a_pipeline: [2, 2, 1, 1],
}
"""How often the operations take the lock where that is more than once: each time for what others are to see whole."""


@pytest.mark.parametrize(
    "of",
    [
        *(of_provider, of_sessions, of_steps, of_a_step, of_frameworks, of_totals, of_the_terminal, of_taskweaver),
        *(of_a_stream, of_the_store, of_a_round, of_imports, of_local_classes, of_a_thread, of_the_client),
        *(of_an_outbox, of_a_pipeline, of_adoptions),
    ],
)
def test_who_changes_what_others_use_waits_for_them(
    of: Callable[[Capture], Locked], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of the operations comes to the lock before it is done, and is done once that is free."""
    times = []
    with capture() as captured:
        holder, name, operations = of(captured)
        lock = getattr(holder, name)
        for operation in operations:
            watched, done = Watched(lock), threading.Event()
            monkeypatch.setattr(holder, name, watched)
            thread = threading.Thread(
                target=lambda run=operation, done=done, watched=watched: (run(), done.set(), watched.come.set())
            )
            with lock:
                thread.start()
                has_come = watched.come.wait(60)
                was_done = done.is_set()
            thread.join(60)
            assert (has_come, was_done, done.is_set()) == (True, False, True), operations.index(operation)
            times.append(watched.times)
    assert times == OFTEN.get(of, [1] * len(times))
