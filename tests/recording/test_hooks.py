"""What stands in the place of others' functions hands on what they are called with."""

import threading
from collections.abc import Callable
from multiprocessing import spawn
from typing import Any

import pytest
from opentelemetry.trace import INVALID_SPAN, get_current_span, get_tracer

from agentops_otel.recording import processes, task_processes, threads
from agentops_otel.testing import Capture

HOOKS: dict[str, Callable[..., Any]] = {
    "multiprocessing": processes._prepare,
    "loky": task_processes._submit,
    "joblib": task_processes._call,
    "dask": task_processes._send_graph,
    "thread pool": threads._submit,
    "thread": threads._start_thread,
}


def called(*args: Any, **named: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What it is called with."""
    return args, named


@pytest.mark.parametrize("given", [((), {}), (([1], 2), {"named": 3}), ((), {"named": 3})], ids=str)
@pytest.mark.parametrize("name", HOOKS)
def test_without_a_span_all_is_handed_on(name: str, given: tuple[tuple[Any, ...], dict[str, Any]]) -> None:
    """Each argument, and the result."""
    assert HOOKS[name](called, threading.Thread(), *given) == given


@pytest.mark.parametrize("name", ["loky", "joblib", "thread pool"])
def test_in_a_span_what_is_to_be_called_is_replaced_and_nothing_else(name: str, agentops_spans: Capture) -> None:
    """The other arguments are those of the task; a call without any is what it was."""
    with get_tracer("app").start_as_current_span("current"):
        args, named = HOOKS[name](called, None, ([1], 2), {"named": 3})
        nothing = HOOKS[name](called, None, (), {"named": 3})

    assert args[0] != [1]
    assert (args[1:], named) == ((2,), {"named": 3})
    assert nothing == ((), {"named": 3})


def test_a_task_in_another_process_is_below_the_span_that_asked_for_it(agentops_spans: Capture) -> None:
    """For as long as it runs; in the process itself it finds what is current there."""
    with get_tracer("app").start_as_current_span("current") as span:
        (task,), _ = task_processes._submit(called, None, (get_current_span,), {})
    here = task()
    task._process = 0
    there = task()

    asked, found = span.get_span_context(), there.get_span_context()
    assert (found.trace_id, found.span_id, found.is_remote) == (asked.trace_id, asked.span_id, True)
    assert [here, get_current_span()] == [INVALID_SPAN] * 2


def test_multiprocessing_is_put_back() -> None:
    """What it asks for a new process is its own again."""
    before = spawn.get_preparation_data
    propagation = processes.ProcessPropagation()
    between = spawn.get_preparation_data
    propagation.uninstall()

    assert between is not before
    assert spawn.get_preparation_data is before
