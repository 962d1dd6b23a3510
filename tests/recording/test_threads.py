"""The current span carried into threads and thread pools."""

import asyncio
import functools
import gc
import sys
import threading
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType

import pytest
from opentelemetry.context import attach, detach, get_current, set_value
from opentelemetry.trace import Span, get_current_span, use_span

from agentops_otel.recording.task_processes import TaskPropagation
from agentops_otel.recording.threads import ThreadPropagation
from tests.recording.conftest import Recording


@pytest.fixture
def propagation() -> Iterator[ThreadPropagation]:
    """Installed for the test."""
    propagation = ThreadPropagation()
    propagation.install()
    yield propagation
    propagation.uninstall()


@pytest.fixture
def span(recording: Recording) -> Iterator[Span]:
    """The current span of the test."""
    span = recording.recorder.start("parent")
    with use_span(span):
        yield span


def _in_thread() -> Span:
    """The span that is current in a new thread."""
    seen: list[Span] = []
    thread = threading.Thread(target=lambda: seen.append(get_current_span()))
    thread.start()
    thread.join()
    return seen[0]


def test_threads_and_timers_start_under_the_current_span(propagation: ThreadPropagation, span: Span) -> None:
    """A thread, one with its own `run`, and a timer find the span of whoever started them."""
    seen: list[Span] = []

    class Own(threading.Thread):
        def run(self) -> None:
            seen.append(get_current_span())

    threads = [Own(), threading.Timer(0, lambda: seen.append(get_current_span()))]
    for thread in threads:
        thread.start()
        thread.join()

    assert seen == [span, span]
    assert _in_thread() is span


def test_a_call_in_a_pool_gets_its_arguments(propagation: ThreadPropagation, span: Span) -> None:
    """All of them, by place and by name."""
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(lambda *given, **named: (given, named), 1, two=2).result() == ((1,), {"two": 2})


def test_calls_in_a_pool_have_the_span_of_their_submitter(propagation: ThreadPropagation, span: Span) -> None:
    """`submit`, `map` and `run_in_executor` carry it; the worker that they leave behind has none."""
    with ThreadPoolExecutor(1) as pool:

        async def in_executor() -> Span:
            return await asyncio.get_running_loop().run_in_executor(pool, get_current_span)

        seen = [pool.submit(get_current_span).result(), *pool.map(lambda _: get_current_span(), [1])]
        seen.append(asyncio.run(in_executor()))
        token = attach(set_value("other", 1, get_current().__class__()))
        try:
            elsewhere = pool.submit(get_current_span).result()
        finally:
            detach(token)

    assert seen == [span, span, span]
    assert not elsewhere.get_span_context().is_valid


def test_without_a_context_nothing_is_carried(propagation: ThreadPropagation) -> None:
    """Threads and calls that are started outside any span are started as ever."""
    with ThreadPoolExecutor(1) as pool:
        in_pool = pool.submit(get_current_span).result()

    assert not in_pool.get_span_context().is_valid
    assert not _in_thread().get_span_context().is_valid


@pytest.mark.parametrize(
    ("module", "vendored", "owner", "name"),
    [
        ("joblib.parallel", "joblib.parallel", "Parallel", "__call__"),
        ("loky.process_executor", "joblib.externals.loky.process_executor", "ProcessPoolExecutor", "submit"),
    ],
)
def test_what_gives_tasks_to_processes_is_wrapped_and_left_as_it_was(
    module: str, vendored: str, owner: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the library's own name for it; joblib brings loky under another."""
    found = pytest.importorskip(vendored)
    _is_wrapped_and_left_as_it_was(found, module, owner, name, monkeypatch)


@pytest.mark.parametrize(
    ("module", "owner", "name"),
    [
        ("joblib.parallel", "Parallel", "__call__"),
        ("loky.process_executor", "ProcessPoolExecutor", "submit"),
        ("distributed.client", "Client", "_graph_to_futures"),
        ("distributed.worker", "Worker", "execute"),
    ],
)
def test_each_library_that_gives_tasks_to_processes_is_known_by_its_names(
    module: str, owner: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`make programs` runs the libraries themselves."""
    found = ModuleType(module)
    setattr(found, owner, type(owner, (), {name: lambda self: None}))
    _is_wrapped_and_left_as_it_was(found, module, owner, name, monkeypatch)


def _is_wrapped_and_left_as_it_was(
    found: ModuleType, module: str, owner: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, found)
    before = getattr(getattr(found, owner), name)

    propagation = TaskPropagation()
    wrapped = getattr(getattr(found, owner), name)
    propagation.uninstall()

    assert wrapped is not before
    assert getattr(getattr(found, owner), name) is before


def test_uninstall_leaves_everything_as_it_was_found() -> None:
    """The very functions are back; under somebody else's wrapper ours goes silent."""
    before = (threading.Thread.start, ThreadPoolExecutor.submit)
    propagation = ThreadPropagation()
    propagation.install()
    propagation.install()
    ours = threading.Thread.start
    propagation.uninstall()

    assert (threading.Thread.start, ThreadPoolExecutor.submit) == before
    assert ours is not before[0]


def test_uninstall_under_another_wrapper_goes_silent(span: Span) -> None:
    """What somebody put over our wrapper stays there, and nothing is carried any more."""
    propagation = ThreadPropagation()
    start = threading.Thread.start
    propagation.install()
    ours = threading.Thread.start
    theirs = functools.partialmethod(ours)
    threading.Thread.start = theirs  # type: ignore[assignment, method-assign]  # somebody else's wrapper
    try:
        propagation.uninstall()
        seen = _in_thread()
    finally:
        threading.Thread.start = start  # type: ignore[method-assign]  # as it was

    assert not seen.get_span_context().is_valid


def test_thread_that_cannot_start_says_so_as_ever(propagation: ThreadPropagation, span: Span) -> None:
    """A second start is a RuntimeError, and leaves nothing on the thread."""
    thread = threading.Thread(target=lambda: None)
    thread.start()
    thread.join()

    with pytest.raises(RuntimeError, match="threads can only be started once"):
        thread.start()

    assert "run" not in vars(thread)


def test_nothing_keeps_what_was_run(propagation: ThreadPropagation, span: Span) -> None:
    """A thread and a call that are over keep neither their function nor the context."""

    class Work:
        def __call__(self) -> None: ...

    for_thread, for_pool = Work(), Work()
    ends = [weakref.ref(for_thread), weakref.ref(for_pool)]
    thread = threading.Thread(target=for_thread)
    thread.start()
    thread.join()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(for_pool).result()
    del for_thread, for_pool
    gc.collect()

    assert [end() for end in ends] == [None, None]
    assert "run" not in vars(thread)
