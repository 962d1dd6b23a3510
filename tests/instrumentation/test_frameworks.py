"""The machine under agent frameworks, by a framework that the example describes."""

import asyncio
import importlib
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from inline_snapshot import snapshot
from opentelemetry.context import get_current
from opentelemetry.propagate import extract
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.trace import SpanKind

import agentops_otel
from agentops_otel.instrumentation import FrameworkInstallation, FrameworkSpec, Step, Steps, install_frameworks, steps
from agentops_otel.testing import Capture, capture
from examples import own_framework
from examples.own_framework import Crew


@pytest.fixture
def captured() -> Iterator[Capture]:
    """Spans, with the example's framework listened to."""
    with capture() as captured:
        installation = install_frameworks([own_framework.SPEC], lambda: captured.client.recorder)
        yield captured
        installation.uninstall()


def opened(captured: Capture) -> Steps:
    """Steps of the example's kinds."""
    return Steps(own_framework.SPEC.steps, frozenset({"StopIteration"}), lambda: captured.client.recorder)


def step(kind: str, name: str = "x") -> dict[str, Any]:
    """What the example's framework tells of a step."""
    return {"kind": kind, "name": name, "given": name}


def test_a_framework_that_a_spec_describes(captured: Capture) -> None:
    """Steps are spans below each other, the agent's name is on what is below it, and nothing is current afterwards."""
    before = get_current()

    assert Crew().run("hello") == "HELLO"

    assert captured.tree() == snapshot(
        [
            {
                "name": "invoke_agent helper",
                "attributes": {"gen_ai.agent.name": "helper", "gen_ai.operation.name": "invoke_agent"},
                "children": [
                    {
                        "name": "execute_tool shout",
                        "attributes": {
                            "gen_ai.agent.name": "helper",
                            "gen_ai.operation.name": "execute_tool",
                            "gen_ai.tool.call.arguments": '"hello"',
                            "gen_ai.tool.call.result": '"HELLO"',
                            "gen_ai.tool.name": "shout",
                        },
                    }
                ],
            }
        ]
    )
    assert get_current() is before


@pytest.mark.parametrize("way", ["its end", "its parent's", "too many open"])
def test_what_stands_for_a_step_is_forgotten_with_it(
    way: str, captured: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each key of what has no span of its own, however the step ends."""
    told = opened(captured)
    told.begin("crew", step("agent"))
    told.begin("agent", step("agent"), parent="crew")
    told.begin("within", step("no kind of the example's"), parent="agent")
    assert told.kind_of("within") is own_framework.AGENT

    if way == "its end":
        told.end("agent")
    elif way == "its parent's":
        told.end("crew", error=asyncio.CancelledError())
    else:
        monkeypatch.setattr(steps, "OPEN_LIMIT", 1)
        told.begin("another", step("agent"))
        told.begin("a third", step("agent"))

    assert told.kind_of("agent") is None
    assert told.kind_of("within") is None
    told.close()


def test_a_step_that_was_cancelled_ends_what_is_open_below_it(captured: Capture) -> None:
    """Frameworks tell of a cancelled run, and not always of what was running in it; what is beside it goes on."""
    told = opened(captured)
    told.begin("beside", step("agent", "beside"))
    told.begin("run", step("agent"))
    told.begin("tool", step("tool"), parent="run")

    told.end("run", error=asyncio.CancelledError())
    told.end("tool", "too late")

    assert [(span.name, span.status.is_ok) for span in captured.spans] == [
        ("execute_tool x", False),
        ("invoke_agent x", False),
    ]
    told.close()


def test_a_step_that_was_left_leaves_what_is_open_below_it(captured: Capture) -> None:
    """A framework may cancel then what runs in it; that is no failure."""
    told = opened(captured)
    told.begin("run", step("agent"))
    told.begin("tool", step("tool"), parent="run")

    told.end("run", error=GeneratorExit())
    told.end("tool", error=asyncio.CancelledError())

    assert [(span.name, span.status.is_ok) for span in captured.spans] == [
        ("execute_tool x", True),
        ("invoke_agent x", True),
    ]


def test_uninstall(captured: Capture) -> None:
    """A framework that is no longer listened to has none of our listeners."""
    installation: FrameworkInstallation = install_frameworks([own_framework.SPEC], lambda: captured.client.recorder)
    assert len(own_framework.listeners) == 2

    installation.uninstall()
    Crew().run("hello")

    assert len(own_framework.listeners) == 1
    assert [span.name for span in captured.spans] == ["execute_tool shout", "invoke_agent helper"]


def test_a_listener_that_the_framework_keeps_records_nothing_after_the_end(captured: Capture) -> None:
    """What is open ends then."""
    kept: list[Steps] = []

    def listen(_: ModuleType, steps: Steps) -> Callable[[], None]:
        kept.append(steps)
        return lambda: None

    spec = replace(own_framework.SPEC, listeners={own_framework.__name__: listen})
    installation = install_frameworks([spec], lambda: captured.client.recorder)
    (told,) = kept
    told.begin("open", step("agent", "open"))

    installation.uninstall()
    told.begin("late", step("agent", "late"))
    told.end("late")

    assert [span.name for span in captured.spans] == ["invoke_agent open"]
    assert (told.recorder, told.follows_callers) == (None, False)


def test_a_framework_that_is_loaded_again_is_listened_to_once(
    captured: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The listener of the module as it was before goes."""
    (tmp_path / "framework_loaded_again.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    listeners: list[object] = []

    def listen(_: ModuleType, steps: Steps) -> Callable[[], None]:
        listeners.append(listener := object())
        return lambda: listeners.remove(listener)

    name = "framework_loaded_again"
    installation = install_frameworks(
        [FrameworkSpec(name="again", module=name, steps=(), listeners={name: listen})],
        lambda: captured.client.recorder,
    )
    importlib.reload(importlib.import_module(name))
    listening, wrapped = len(listeners), set(installation.wrapped)
    installation.uninstall()
    del sys.modules[name]

    assert (listening, wrapped, len(listeners), installation.wrapped) == (1, {name}, 0, set())


def test_an_import_that_ends_after_the_end_is_not_listened_to(captured: Capture) -> None:
    """Another thread may be importing the framework while ours takes back the listeners."""
    heard: list[ModuleType] = []
    installation = FrameworkInstallation(lambda: captured.client.recorder)

    def listen(module: ModuleType, _: Steps) -> Callable[[], None]:
        heard.append(module)
        return lambda: None

    begun = partial(installation._apply, own_framework.SPEC, opened(captured), listen)
    begun(ModuleType("before"))

    installation.uninstall()
    begun(ModuleType("after"))

    assert [module.__name__ for module in heard] == ["before"]
    assert installation.wrapped == set()


@pytest.mark.parametrize(
    ("operation", "attribute", "is_inherited"),
    [
        ("invoke_agent", "gen_ai.agent.name", True),
        ("execute_tool", "gen_ai.tool.name", False),
        ("invoke_workflow", "gen_ai.workflow.name", False),
        ("retrieval", "gen_ai.data_source.id", False),
        ("plan", "name", False),
    ],
)
def test_whose_name_is_on_what_is_below(operation: str, attribute: str, is_inherited: bool) -> None:
    """An agent's; the name of each other step is its own."""
    made = Step(operation=operation, name="name", inherited={"langgraph.step": "number"})

    assert [row.name for row in made.name_row] == [attribute]
    assert {row.name for row in made.inherited_rows} == {"langgraph.step", *([attribute] if is_inherited else [])}
    assert {row.name for row in made.attribute_rows} == {"langgraph.step"}


def test_a_step_without_a_span_stands_for_its_parent(captured: Capture) -> None:
    """What is below a step that no kind matches is below its parent; without one, below what is current."""
    open_steps = opened(captured)
    open_steps.begin("a", step("agent"))
    open_steps.begin("b", step("no such kind"), parent="a")
    open_steps.begin("c", step("tool", "below"), parent="b")
    open_steps.begin("d", step("tool", "apart"), parent="no such key")
    for key in ("d", "c", "b", "a"):
        open_steps.end(key)

    assert [(span.name, span.parent and span.parent.span_id) for span in captured.spans] == snapshot(
        [("execute_tool apart", None), ("execute_tool below", 1), ("invoke_agent x", None)]
    )


class Telling:
    """A key that tells, once, when it is looked up."""

    def __init__(self) -> None:
        self.tell: Callable[[], None] = lambda: None

    def __hash__(self) -> int:
        """Tell."""
        tell, self.tell = self.tell, lambda: None
        tell()
        return 1


@pytest.mark.parametrize("word", ["begin", "end"])
def test_a_step_ends_while_another_thread_tells_of_what_has_no_span_below_it(captured: Capture, word: str) -> None:
    """Its span is there: the other thread waits until the step is forgotten."""
    open_steps, nothing = opened(captured), step("no such kind")
    open_steps.begin("a", step("agent"))
    keys = [Telling(), Telling()]
    threads: list[threading.Thread] = []
    for key in keys:
        open_steps.begin(key, nothing, parent="a")

    def tell_of(key: Telling) -> None:
        tell = partial(open_steps.begin, "c", nothing, parent=key) if word == "begin" else partial(open_steps.end, key)
        thread = threading.Thread(target=tell)
        thread.start()
        threads.append(thread)
        thread.join(0.1)

    for key, other in zip(keys, reversed(keys), strict=True):
        key.tell = partial(tell_of, key if word == "begin" else other)
    open_steps.end("a")
    while threads:
        threads.pop().join()

    assert [span.name for span in captured.spans] == ["invoke_agent x"]


def test_a_key_that_is_used_again_is_the_new_steps(captured: Capture) -> None:
    """It stood for another step before, whose end is no end of the new one."""
    open_steps = opened(captured)
    open_steps.begin("a", step("agent"))
    open_steps.begin("b", step("no such kind"), parent="a")
    open_steps.end("b")
    open_steps.begin("b", step("tool"))
    open_steps.end("a")
    open_steps.end("b", result="done")

    assert [(span.name, span.status.is_ok) for span in captured.spans] == [
        ("invoke_agent x", True),
        ("execute_tool x", True),
    ]
    assert captured.client.stats().pending == 0


def test_spans_of_the_program_lie_between(captured: Capture) -> None:
    """A step that begins in a span of the program's own, within its parent, is below that span."""
    open_steps = opened(captured)
    open_steps.begin("a", step("agent"), is_current=True)
    with agentops_otel.start_trace("own"):
        open_steps.begin("b", step("tool"), parent="a")
        open_steps.end("b")
    open_steps.end("a")

    assert [span.name for span in captured.spans] == ["execute_tool x", "invoke_workflow own", "invoke_agent x"]
    assert [span.parent and span.parent.span_id for span in captured.spans] == snapshot([2, None, None])


def test_one_end_wins(captured: Capture) -> None:
    """A step ends once; an end of a step that is not open is left alone."""
    open_steps = opened(captured)
    open_steps.begin("a", step("agent"))
    open_steps.end("a", error=ValueError("first"))
    open_steps.end("a", error=KeyError("second"))
    open_steps.end("never begun")

    (span,) = captured.spans
    assert span.status.description == "first"


@pytest.mark.parametrize("error", [StopIteration(), GeneratorExit()])
def test_control_flow_is_no_failure(captured: Capture, error: BaseException) -> None:
    """An interrupt of the framework's, and a stream that is left, do not fail the step."""
    open_steps = opened(captured)
    open_steps.begin("a", step("agent"))
    open_steps.end("a", error=error)

    (span,) = captured.spans
    assert span.status.is_unset
    assert (span.attributes or {}).get("agentops.stream.abandoned") == (isinstance(error, GeneratorExit) or None)


def test_only_the_first_end_of_a_step_counts(captured: Capture, caplog: pytest.LogCaptureFixture) -> None:
    """Its own, the limit's or that of the process: whoever comes later finds it ended, and says nothing."""
    open_steps = opened(captured)
    for key, first in (("a", "end"), ("b", "abandoned")):
        open_steps.begin(key, step("agent"))
        begun = open_steps._open[key]
        getattr(begun, first)()
        begun.abandoned()
        begun.end(error=ValueError("late"))

    ended = [
        (span.status.is_unset, (span.attributes or {}).get("agentops.stream.abandoned")) for span in captured.spans
    ]
    assert ended == [(True, None), (True, True)]
    assert caplog.messages == []


def test_open_steps_are_bounded(captured: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a framework that tells no ends the oldest step is given up for a further one."""
    monkeypatch.setattr(steps, "OPEN_LIMIT", 2)
    open_steps = opened(captured)
    for name in ("first", "second", "third"):
        open_steps.begin(name, step("agent", name))

    assert [span.name for span in captured.spans] == ["invoke_agent first"]
    open_steps.close()
    assert [span.name for span in captured.spans[1:]] == ["invoke_agent third", "invoke_agent second"]


def test_open_steps_end_with_the_client(captured: Capture) -> None:
    """A step that is open when the process ends is recorded."""
    opened(captured).begin("a", step("agent"))

    captured.client.end_open()

    assert [span.name for span in captured.spans] == ["invoke_agent x"]


def test_suppressed(captured: Capture) -> None:
    """In a suppressed block there are no steps."""
    with agentops_otel.suppress():
        Crew().run("hello")

    assert captured.spans == ()


def test_what_is_known_at_the_end(captured: Capture) -> None:
    """Attributes of the outcome are set with a result, also where the step has failed."""
    kind = Step(
        operation="task", name="name", outcome={"app.used": "used"}, failure=lambda result: result.get("failed")
    )
    open_steps = Steps((kind,), frozenset(), lambda: captured.client.recorder)
    for name, failed, error in (("good", None, None), ("reported", "refused", None), ("raised", None, KeyError("x"))):
        open_steps.begin(name, {"name": name})
        open_steps.end(name, {"used": 3, "failed": failed}, error)

    assert [(span.name, (span.attributes or {})["app.used"]) for span in captured.spans] == [
        ("task good", 3),
        ("task reported", 3),
        ("task raised", 3),
    ]
    assert [(span.attributes or {}).get("error.type") for span in captured.spans] == [None, "refused", "KeyError"]


def test_a_step_of_a_kind_of_the_frameworks_own(captured: Capture) -> None:
    """It has what its tables say, the word of the framework for it, and what those around it hand down."""
    node = Step(
        operation="node",
        span_name="run",
        name="name",
        attributes={"app.number": "number"},
        inherited={"app.graph": "graph", "app.part": "part"},
        content={"app.input": "given"},
        result={"app.output": "answer"},
        kind=SpanKind.CONSUMER,
    )
    told, before = Steps((node,), frozenset(), lambda: captured.client.recorder), get_current()
    told.begin("a", {"name": "first", "number": 1, "graph": "g", "given": {"x": 1}})
    told.begin("b", {"number": 2, "part": "p"}, parent="a")
    told.begin("c", {"name": "last"}, parent="b")
    assert get_current() is before  # unless it is said that they are the current ones
    for key in ("c", "b"):
        told.end(key)
    told.end("a", {"answer": [2]})

    assert captured.tree() == snapshot(
        [
            {
                "name": "run first",
                "kind": "CONSUMER",
                "attributes": {
                    "agentops.span.kind": "node",
                    "app.graph": "g",
                    "app.input": '{"x":1}',
                    "app.number": 1,
                    "app.output": "[2]",
                },
                "children": [
                    {
                        "name": "run",
                        "kind": "CONSUMER",
                        "attributes": {
                            "agentops.span.kind": "node",
                            "app.graph": "g",
                            "app.number": 2,
                            "app.part": "p",
                        },
                        "children": [
                            {
                                "name": "run last",
                                "kind": "CONSUMER",
                                "attributes": {"agentops.span.kind": "node", "app.graph": "g", "app.part": "p"},
                            }
                        ],
                    }
                ],
            }
        ]
    )


def test_a_step_that_is_a_block(captured: Capture) -> None:
    """A step is current in its block, ends with what that gives or raises, and begins in a caller's trace."""
    open_steps = opened(captured)
    caller = extract({"traceparent": "00-0000000000000000000000000000abcd-00000000000000ef-01"})

    async def work() -> None:
        with open_steps.step(step("tool", "a"), context=caller) as block:
            await asyncio.sleep(0)
            block.result = "done"

    asyncio.run(work())
    with pytest.raises(ValueError, match="no"), open_steps.step(step("agent", "b")):
        raise ValueError("no")

    first, second = captured.spans
    assert (first.name, first.context.trace_id) == ("execute_tool a", 0xABCD)
    assert first.parent is not None
    assert first.parent.span_id == 0xEF
    assert (first.attributes or {})["gen_ai.tool.call.result"] == '"done"'
    assert (second.name, second.status.description) == ("invoke_agent b", "no")


def test_more_on_the_span_of_a_framework(captured: Capture) -> None:
    """What a framework's own span leaves out is told on it, under the content policy."""
    open_steps = opened(captured)
    provider = captured.client.recorder.provider  # type: ignore[union-attr]
    with provider.get_tracer("framework").start_as_current_span("execute_tool weather"):  # type: ignore[union-attr]
        open_steps.add({"gen_ai.transfer.mode": "pass_control"}, {"gen_ai.tool.call.arguments": {"city": "Paris"}})
    with TracerProvider().get_tracer("apart").start_as_current_span("of another provider") as apart:
        open_steps.add({"gen_ai.transfer.mode": "pass_control"}, {})

    (span,) = captured.spans
    assert dict(span.attributes or {}) == {
        "gen_ai.transfer.mode": "pass_control",
        "gen_ai.tool.call.arguments": '{"city":"Paris"}',
    }
    assert isinstance(apart, ReadableSpan)
    assert dict(apart.attributes or {}) == {}


def test_a_step_below_that_nobody_ended_is_not_left_current(captured: Capture) -> None:
    """The end of a step leaves what began in it and was given up."""
    before = get_current()
    open_steps = opened(captured)
    open_steps.begin("a", step("agent"), is_current=True)
    open_steps.begin("b", step("tool"), parent="a", is_current=True)
    open_steps.end("a")

    assert get_current() is before
    open_steps.close()


class Instrumentor:
    """As OpenTelemetry's instrumentors are: one object, which knows whether it is on."""

    _instance: Any = SimpleNamespace(_is_instrumented_by_opentelemetry=True)


def test_another_instrumentation_of_the_framework(
    captured: Capture, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where another instrumentation listens too, one warning says so at the first step."""
    other = ModuleType("openinference.instrumentation.crew")
    vars(other)["CrewInstrumentor"] = Instrumentor
    monkeypatch.setitem(sys.modules, other.__name__, other)
    Crew().run("hello")
    Crew().run("hello")

    (warning,) = (record.getMessage() for record in caplog.records if record.name == "agentops_otel")
    assert "crew is instrumented by openinference.instrumentation.crew too" in warning
