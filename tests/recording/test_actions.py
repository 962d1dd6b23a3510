"""What the spans of decorated functions say, and what the functions stay for their callers."""

import asyncio
import contextlib
import contextvars
import copy
import functools
import gc
import inspect
import itertools
import json
import pickle
import threading
import time
import warnings
import weakref
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from inline_snapshot import snapshot
from opentelemetry import trace
from opentelemetry.context import Context, attach, detach, get_current, set_value
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, sampling
from opentelemetry.trace import get_current_span

import agentops_otel
from agentops_otel import guard
from agentops_otel.content import Content
from agentops_otel.recording.actions import Decorators
from agentops_otel.testing import capture
from agentops_otel.tracing import SUPPRESS_KEY, attached, with_inherited
from agentops_otel.tracing.provider import OwnProvider, tracer_of
from agentops_otel.tracing.recorder import Recorder
from tests.recording.conftest import Recording, Tagged

IntFunction = Callable[[int], int]


def test_call_says_its_arguments_by_name_its_result_and_its_tags(recording: Recording) -> None:
    """A call's span has each parameter under its name, defaults included, the result, and all tags."""

    @recording.decorators.record_action("search", tags=["db", "session"])
    def search(query: str, *words: str, limit: int = 10, **more: object) -> list[str]:
        return [query, *words]

    result = search("a", "b", "c", deep=True)

    assert result == ["a", "b", "c"]
    assert recording.tree() == snapshot(
        [
            {
                "name": "search",
                "attributes": {
                    "agentops.entity.input": '{"query": "a", "words": ["b", "c"], "more": {"deep": true}, "limit": 10}',
                    "agentops.entity.output": '["a", "b", "c"]',
                    "agentops.span.kind": "operation",
                    "agentops.tags": ["session", "db"],
                    "operation.name": "search",
                },
            }
        ]
    )


class Opened:
    """What no copy can be made of."""

    def __init__(self) -> None:
        self.mode = "r"
        self.lock = threading.Lock()


def test_what_cannot_be_copied_is_read_at_once() -> None:
    """Arguments as they are when the call begins, beside those that could be, and the result as it is at its end."""

    @agentops_otel.operation
    def read(opened: Opened, times: int = 2) -> Opened:
        opened.mode = "closed"
        return opened

    with capture() as captured:
        read(Opened()).mode = "r"

    [attributes] = (dict(span.attributes or {}) for span in captured.spans)
    given, result = (json.loads(str(attributes[f"agentops.entity.{side}"])) for side in ("input", "output"))
    assert (given["opened"]["mode"], given["times"], result["mode"]) == ("r", 2, "closed")


class Now(Mapping[str, int]):
    """Says each time what it is asked when."""

    at = 0

    def __getitem__(self, name: str) -> int:
        return self.at

    def __iter__(self) -> Iterator[str]:
        return iter(("at",))

    def __len__(self) -> int:
        return 1


def test_what_a_call_inherits_is_read_when_it_starts() -> None:
    """Each time: what it is may change between two calls."""

    @agentops_otel.operation
    def step() -> None:
        """Do nothing."""

    inherited = Now()
    with capture() as captured, attached(with_inherited(inherited)):
        for inherited.at in (1, 2):
            step()

    assert [(span.attributes or {})["at"] for span in captured.spans] == [1, 2]


def test_a_processor_that_is_added_later_is_told_of_the_next_call() -> None:
    """Also where none was told of a start until then."""
    started = []

    class Started(SpanProcessor):
        def on_start(self, span: Span, parent_context: Context | None = None) -> None:
            started.append(span.name)

    content, provider = Content(), OwnProvider(sampler=sampling.DEFAULT_ON)
    provider.set_policy(content)
    recorder = Recorder(
        tracer=tracer_of(provider, "test", "", content), content=content, defaults=Tagged(), clock=time.time_ns
    )
    decorators = Decorators(lambda: recorder)

    @decorators.record_action
    def first() -> None: ...

    @decorators.record_action
    def second() -> None: ...

    first()
    provider.add_span_processor(Started())
    second()

    assert started == ["second"]


def test_argument_given_is_said_in_place_of_its_default(recording: Recording) -> None:
    """A default is said only where nothing was given, by position or by name."""

    @recording.decorators.record_action
    def add(a: int, b: int = 2, c: int = 3) -> int:
        return a + b + c

    assert (add(1, 5), add(1, c=6)) == (9, 9)
    assert [(span.attributes or {})["agentops.entity.input"] for span in recording.spans] == [
        '{"a": 1, "b": 5, "c": 3}',
        '{"a": 1, "c": 6, "b": 2}',
    ]


def test_every_decorator_has_its_own_name_and_words(recording: Recording) -> None:
    """Each decorator of the family, bare, names its span and says its kind."""
    family = recording.decorators
    kinds: list[Callable[[IntFunction], IntFunction]] = [
        family.record_action,
        family.record_tool,
        family.operation,
        family.task,
        family.agent,
    ]
    kinds += [family.workflow, family.tool, family.trace, family.session, family.guardrail]

    for decorator in kinds:

        @decorator
        def step(x: int) -> int:
            return x

        assert step(1) == 1

    assert recording.tree() == snapshot(
        [
            {
                "name": "step",
                "attributes": {
                    "agentops.entity.input": '{"x": 1}',
                    "agentops.entity.output": "1",
                    "agentops.span.kind": "operation",
                    "operation.name": "step",
                },
            },
            {
                "name": "execute_tool step",
                "attributes": {
                    "agentops.span.kind": "tool",
                    "gen_ai.operation.name": "execute_tool",
                    "gen_ai.tool.call.arguments": '{"x": 1}',
                    "gen_ai.tool.call.result": "1",
                    "gen_ai.tool.name": "step",
                },
            },
            {
                "name": "step",
                "attributes": {
                    "agentops.entity.input": '{"x": 1}',
                    "agentops.entity.output": "1",
                    "agentops.span.kind": "operation",
                    "operation.name": "step",
                },
            },
            {
                "name": "step",
                "attributes": {
                    "agentops.entity.input": '{"x": 1}',
                    "agentops.entity.output": "1",
                    "agentops.span.kind": "task",
                    "operation.name": "step",
                },
            },
            {
                "name": "invoke_agent step",
                "attributes": {
                    "agentops.entity.input": '{"x": 1}',
                    "agentops.entity.output": "1",
                    "agentops.span.kind": "agent",
                    "gen_ai.agent.name": "step",
                    "gen_ai.operation.name": "invoke_agent",
                },
            },
            {
                "name": "invoke_workflow step",
                "attributes": {
                    "agentops.entity.input": '{"x": 1}',
                    "agentops.entity.output": "1",
                    "agentops.span.kind": "workflow",
                    "gen_ai.operation.name": "invoke_workflow",
                    "gen_ai.workflow.name": "step",
                },
            },
            {
                "name": "execute_tool step",
                "attributes": {
                    "agentops.span.kind": "tool",
                    "gen_ai.operation.name": "execute_tool",
                    "gen_ai.tool.call.arguments": '{"x": 1}',
                    "gen_ai.tool.call.result": "1",
                    "gen_ai.tool.name": "step",
                },
            },
            {
                "name": "invoke_workflow step",
                "attributes": {
                    "agentops.entity.input": '{"x": 1}',
                    "agentops.entity.output": "1",
                    "agentops.span.kind": "session",
                    "gen_ai.operation.name": "invoke_workflow",
                    "gen_ai.workflow.name": "step",
                },
            },
            {
                "name": "invoke_workflow step",
                "attributes": {
                    "agentops.entity.input": '{"x": 1}',
                    "agentops.entity.output": "1",
                    "agentops.span.kind": "session",
                    "gen_ai.operation.name": "invoke_workflow",
                    "gen_ai.workflow.name": "step",
                },
            },
            {
                "name": "step",
                "attributes": {
                    "agentops.entity.input": '{"x": 1}',
                    "agentops.entity.output": "1",
                    "agentops.span.kind": "guardrail",
                    "operation.name": "step",
                },
            },
        ]
    )


@pytest.mark.parametrize("cost", [0.25, Decimal("0.25")])
def test_extras_of_the_04_decorators_are_attributes(recording: Recording, cost: Any) -> None:
    """Name, version, tags, cost and spec are said on the span."""

    @recording.decorators.tool(name="lookup", version="2", tags="paid", cost=cost)
    def tool() -> None: ...

    @recording.decorators.guardrail(spec="input")
    def check() -> bool:
        return True

    tool()
    check()

    assert recording.tree() == snapshot(
        [
            {
                "name": "execute_tool lookup",
                "attributes": {
                    "agentops.span.kind": "tool",
                    "agentops.tags": ["session", "paid"],
                    "agentops.usage.cost": 0.25,
                    "gen_ai.operation.name": "execute_tool",
                    "gen_ai.tool.name": "lookup",
                    "operation.version": "2",
                },
            },
            {
                "name": "check",
                "attributes": {
                    "agentops.entity.output": "true",
                    "agentops.guardrail.spec": "input",
                    "agentops.span.kind": "guardrail",
                    "operation.name": "check",
                },
            },
        ]
    )


def test_nested_calls_are_children_and_a_handled_failure_stays_with_its_step(recording: Recording) -> None:
    """A step that fails has status ERROR and one exception event; its caller, who handled it, has not."""

    @recording.decorators.operation
    def divide(a: int, b: int) -> float:
        return a / b

    @recording.decorators.agent(name="Mathematician")
    def think() -> str:
        try:
            return str(divide(1, 0))
        except ZeroDivisionError:
            return "no answer"

    assert think() == "no answer"
    assert recording.tree() == snapshot(
        [
            {
                "name": "invoke_agent Mathematician",
                "attributes": {
                    "agentops.entity.output": '"no answer"',
                    "agentops.span.kind": "agent",
                    "gen_ai.agent.name": "Mathematician",
                    "gen_ai.operation.name": "invoke_agent",
                },
                "children": [
                    {
                        "name": "divide",
                        "status": "ERROR: division by zero",
                        "attributes": {
                            "agentops.entity.input": '{"a": 1, "b": 0}',
                            "agentops.span.kind": "operation",
                            "error.type": "ZeroDivisionError",
                            "gen_ai.agent.name": "Mathematician",
                            "operation.name": "divide",
                        },
                        "events": [
                            {
                                "name": "exception",
                                "exception.message": "division by zero",
                                "exception.type": "ZeroDivisionError",
                            }
                        ],
                    }
                ],
            }
        ]
    )


def test_exception_arrives_as_it_was_raised(recording: Recording) -> None:
    """The caller gets the same exception object, with nothing added."""
    error = LookupError("gone")

    @recording.decorators.record_action
    def fail() -> None:
        raise error

    with pytest.raises(LookupError) as caught:
        fail()

    assert caught.value is error
    assert error.__context__ is None
    assert error.__cause__ is None
    assert not hasattr(error, "__notes__")


def test_arguments_are_seen_as_they_were_before_the_body(recording: Recording) -> None:
    """What the body does to its arguments is not seen in the span."""

    @recording.decorators.record_action
    def consume(items: list[int]) -> None:
        items.clear()

    consume([1, 2])

    assert recording.spans[0].attributes is not None
    assert recording.spans[0].attributes["agentops.entity.input"] == '{"items": [1, 2]}'


def test_bad_call_raises_and_says_what_was_given(recording: Recording) -> None:
    """A call that does not fit the signature raises its TypeError, and the span says what was given."""

    @recording.decorators.record_action
    def plain(a: int) -> None: ...

    @recording.decorators.record_action
    async def later(a: int) -> None: ...

    for function in (plain, later):
        with pytest.raises(TypeError):
            function(1, 2, c=3)  # type: ignore[call-arg]  # the call is wrong on purpose

    assert [(span.attributes or {})["agentops.entity.input"] for span in recording.spans] == [
        '{"a": 1, "args": [2], "kwargs": {"c": 3}}'
    ] * 2
    assert [span.status.status_code.name for span in recording.spans] == ["ERROR", "ERROR"]


def test_methods_of_every_sort_leave_their_receiver_out(recording: Recording) -> None:  # noqa: C901 - many methods
    """Methods, class methods, static methods and properties, above and below their decorators, keep working."""
    record = recording.decorators.record_action

    class Robot:
        @record
        def move(self, by: int) -> int:
            return by

        @record
        @classmethod
        def make(cls, name: str) -> str:
            return f"{cls.__name__} {name}"

        @classmethod
        @record
        def build(cls, name: str) -> str:
            return f"{cls.__name__} {name}"

        @record
        @staticmethod
        def add(a: int, b: int = 1) -> int:
            return a + b

        @staticmethod
        @record
        def sub(a: int, b: int = 1) -> int:
            return a - b

        @property
        @record
        def battery(self) -> int:
            return 80

        @record  # type: ignore[prop-decorator]  # mypy knows no decorators above a property
        @property
        def wheels(self) -> int:
            return 4

        @record  # type: ignore[prop-decorator]  # as above
        @functools.cached_property
        def serial(self) -> int:
            return 7

        @record
        @functools.lru_cache  # noqa: B019 - the instance dies with the test
        def cached(self, n: int) -> int:
            return n

        @record
        async def wait(self, ms: int) -> int:
            return ms

    robot = Robot()
    results = [
        robot.move(1),
        Robot.move(robot, 2),
        robot.make("a"),
        Robot.make("b"),
        Robot.build("c"),
        robot.add(1),
        Robot.sub(3),
        robot.battery,
        robot.wheels,
        robot.serial,
        robot.serial,
        robot.cached(5),
        asyncio.run(robot.wait(6)),
    ]

    assert results == [1, 2, "Robot a", "Robot b", "Robot c", 2, 2, 80, 4, 7, 7, 5, 6]
    assert [(span.name, (span.attributes or {}).get("agentops.entity.input")) for span in recording.spans] == snapshot(
        [
            ("move", '{"by": 1}'),
            ("move", '{"by": 2}'),
            ("make", '{"name": "a"}'),
            ("make", '{"name": "b"}'),
            ("build", '{"name": "c"}'),
            ("add", '{"a": 1, "b": 1}'),
            ("sub", '{"a": 3, "b": 1}'),
            ("battery", None),
            ("wheels", None),
            ("serial", None),
            ("cached", '{"n": 5}'),
            ("wait", '{"ms": 6}'),
        ]
    )


def test_partials_and_callable_objects_are_decorated_like_functions(recording: Recording) -> None:
    """A partial and a callable object give spans with the names of their parameters, and stay what they are."""

    class Greeter:
        greeting = "hello"

        def __call__(self, name: str) -> str:
            return f"{self.greeting} {name}"

    def power(base: int, exponent: int) -> int:
        return int(base**exponent)

    square = recording.decorators.record_action(functools.partial(power, exponent=2))
    greeter = recording.decorators.record_action(Greeter())
    counter = recording.decorators.record_action(len)

    assert (square(3), greeter("you"), counter([1])) == (9, "hello you", 1)
    assert isinstance(greeter, Greeter)
    assert greeter.greeting == "hello"
    assert [(span.name, (span.attributes or {}).get("agentops.entity.input")) for span in recording.spans] == snapshot(
        [("power", '{"base": 3, "exponent": 2}'), ("Greeter", '{"name": "you"}'), ("len", '{"obj": [1]}')]
    )


@Decorators(lambda: None).record_action("named")
def decorated(a: int, /, b: str = "x", *, c: float = 0.5) -> str:
    """Doc of it."""
    return f"{a}{b}{c}"


class Holder:
    """A class whose methods are pickled."""

    @Decorators(lambda: None).record_action
    def method(self) -> str:
        """A method."""
        return "method"

    @Decorators(lambda: None).record_action
    @classmethod
    def of_class(cls) -> str:
        """A class method."""
        return "class"

    @Decorators(lambda: None).record_action
    @staticmethod
    def static() -> str:
        """A static method."""
        return "static"


def test_decorated_function_is_the_function_to_who_looks() -> None:
    """Name, docs, signature, annotations and kind of function are those of the function."""

    @Decorators(lambda: None).record_action
    async def later() -> None: ...

    assert decorated.__name__ == "decorated"
    assert decorated.__doc__ == "Doc of it."
    assert str(inspect.signature(decorated)) == "(a: int, /, b: str = 'x', *, c: float = 0.5) -> str"
    assert inspect.isfunction(decorated)
    assert inspect.iscoroutinefunction(later)
    assert decorated(1) == "1x0.5"


def test_decorated_functions_are_pickled_and_copied() -> None:
    """Pickled by name, copied as themselves, bound methods with their object."""
    holder = Holder()

    assert pickle.loads(pickle.dumps(decorated)) is decorated
    assert copy.copy(decorated) is decorated
    assert copy.deepcopy({"f": decorated})["f"] is decorated
    for method in (holder.method, Holder.of_class, Holder.static, holder.static):
        assert pickle.loads(pickle.dumps(method))() == method()
        assert copy.deepcopy(method)() == copy.copy(method)() == method()


def test_callables_without_signature_are_called_as_they_are(recording: Recording) -> None:
    """A builtin's partial and an object that invents attributes say their arguments by position."""

    class Inventing:
        def __getattr__(self, name: str) -> object:
            if name.startswith("__") and name != "__wrapped__":
                raise AttributeError(name)
            return Inventing()

        def __call__(self, *args: int) -> int:
            return sum(args)

    pairs: Callable[..., dict[str, int]] = recording.decorators.record_action("pairs")(functools.partial(dict, a=1))
    total = recording.decorators.record_action("total")(Inventing())

    assert pairs(b=2) == {"a": 1, "b": 2}
    assert total(1, 2) == 3
    assert [(span.attributes or {})["agentops.entity.input"] for span in recording.spans] == [
        '{"kwargs": {"b": 2}}',
        '{"args": [1, 2]}',
    ]


def test_bound_and_partial_methods_are_decorated(recording: Recording) -> None:
    """A bound method taken off its object, and a partialmethod in a class, leave the object out of the arguments."""

    class Robot:
        async def move(self, by: int) -> int:
            return by

        def turn(self, to: str, fast: bool) -> str:
            return f"{to} {fast}"

        turn_left = recording.decorators.record_action("turn left")(  # type: ignore[type-var]  # it binds to a callable
            functools.partialmethod(turn, "left")
        )

    move = recording.decorators.record_action(Robot().move)

    assert asyncio.run(move(3)) == 3
    assert Robot().turn_left(fast=True) == "left True"
    assert [(span.name, (span.attributes or {})["agentops.entity.input"]) for span in recording.spans] == snapshot(
        [("move", '{"by": 3}'), ("turn left", '{"kwargs": {"fast": true}}')]
    )


def test_other_decorators_under_ours_keep_what_they_offer(recording: Recording) -> None:
    """`cache_info` of an lru_cache is still there."""

    @recording.decorators.record_action
    @functools.lru_cache
    def double(n: int) -> int:
        return 2 * n

    double(1)
    double(1)

    assert double.cache_info().hits == 1


def test_what_cannot_be_called_is_refused() -> None:
    """A number is no function: a TypeError at the decoration says so."""
    decorator: Callable[[object], object] = Decorators(lambda: None).record_action("x")  # type: ignore[assignment]  # wrong on purpose

    with pytest.raises(TypeError, match="a function is wanted to decorate, not int"):
        decorator(5)


def test_result_that_the_function_did_not_make_is_left_alone(recording: Recording) -> None:
    """An identity function given a generator returns that very generator, untouched."""

    @recording.decorators.record_action
    def same(value: object) -> object:
        return value

    values = iter(x for x in [1])
    coroutine = asyncio.sleep(0)

    assert same(values) is values
    assert list(values) == [1]
    assert same(coroutine) is coroutine
    coroutine.close()


# Generators.


def test_a_generator_with_two_decorators_is_below_whoever_reads_it(recording: Recording) -> None:
    """Not below whoever made it: ours do nothing at the call. With another's decorator, which may, it is."""

    def others(function: Callable[[], Iterator[int]]) -> Callable[[], Iterator[int]]:
        return functools.wraps(function)(lambda: function())

    def numbers() -> Iterator[int]:
        yield 1

    decorators = recording.decorators
    for name, decorated in (
        ("ours", decorators.record_action("ours")(decorators.record_tool("inner")(numbers))),
        ("another's", decorators.record_action("another's")(others(numbers))),
    ):
        steps = decorators.record_action(f"makes {name}")(decorated)()
        decorators.record_action(f"reads {name}")(functools.partial(list, steps))()

    assert _names(recording.tree()) == snapshot(
        {
            "reads ours": {"makes ours": {"ours": {"execute_tool inner": {}}}},
            "makes another's": {"another's": {}},
            "reads another's": {},
        }
    )


def test_generator_is_covered_from_first_step_to_its_return(recording: Recording) -> None:
    """`send`, `throw` and the return value pass through; work in the body is under the span, the caller's is not."""

    @recording.decorators.operation
    def inner(n: object) -> None: ...

    @recording.decorators.record_action
    def talk(start: int) -> Generator[object, object, str]:
        got = yield start
        inner(got)
        try:
            yield got
        except LookupError as error:
            inner(str(error))
        return "done"

    def consume() -> Generator[object, object, str]:
        return (yield from talk(1))

    steps = consume()
    seen = [next(steps)]
    assert not get_current_span().get_span_context().is_valid
    seen.append(steps.send("sent"))
    with pytest.raises(StopIteration) as stop:
        steps.throw(LookupError("thrown"))

    assert seen == [1, "sent"]
    assert stop.value.value == "done"
    assert recording.tree() == snapshot(
        [
            {
                "name": "talk",
                "attributes": {
                    "agentops.entity.input": '{"start": 1}',
                    "agentops.entity.output": '"done"',
                    "agentops.span.kind": "operation",
                    "operation.name": "talk",
                },
                "children": [
                    {
                        "name": "inner",
                        "attributes": {
                            "agentops.entity.input": '{"n": "sent"}',
                            "agentops.span.kind": "operation",
                            "operation.name": "inner",
                        },
                    },
                    {
                        "name": "inner",
                        "attributes": {
                            "agentops.entity.input": '{"n": "thrown"}',
                            "agentops.span.kind": "operation",
                            "operation.name": "inner",
                        },
                    },
                ],
            }
        ]
    )


def test_generator_closed_or_dropped_ends_its_span(recording: Recording) -> None:
    """Closing is no failure; so is being collected; one that never started makes no span."""
    closed = []

    @recording.decorators.record_action
    def count() -> Iterator[int]:
        try:
            yield from range(9)
        finally:
            closed.append(get_current_span().get_span_context().is_valid)

    first, second, never = count(), count(), count()
    next(first)
    first.close()  # type: ignore[attr-defined]  # it is a generator
    next(second)
    del second, never
    gc.collect()

    assert closed == [True, True]
    assert recording.tree() == snapshot(
        [
            {"name": "count", "attributes": {"agentops.span.kind": "operation", "operation.name": "count"}},
            {"name": "count", "attributes": {"agentops.span.kind": "operation", "operation.name": "count"}},
        ]
    )


def test_the_span_of_a_generator_begins_with_its_body(recording: Recording) -> None:
    """Not when it is made: hours may pass until it is read."""

    @recording.decorators.record_action
    def count() -> Iterator[int]:
        yield 1

    @recording.decorators.record_action
    async def later(number: int) -> int:
        return number

    made = [count(), later(number=1)]
    then = recording.recorder.clock()
    assert (list(made[0]), asyncio.run(made[1])) == ([1], 1)  # type: ignore[call-overload, arg-type]

    assert [span.start_time is not None and span.start_time > then for span in recording.spans] == [True, True]


def test_generator_that_ignores_its_end_is_told_so_by_python(recording: Recording) -> None:
    """A body that yields when it is closed gets Python's own RuntimeError, and its span the body's last word."""

    @recording.decorators.record_action
    def stubborn() -> Iterator[int]:
        try:
            yield 1
        except GeneratorExit:
            yield 2

    steps = stubborn()
    next(steps)
    with pytest.raises(RuntimeError, match="generator ignored GeneratorExit"):
        steps.close()  # type: ignore[attr-defined]  # it is a generator

    assert list(steps) == []
    assert [span.name for span in recording.spans] == ["stubborn"]


def test_generator_that_fails_raises_what_it_raised(recording: Recording) -> None:
    """The body's error is the caller's, without a context that it did not have, and the span's."""
    error = ValueError("in the body")
    caught_in_body = []

    @recording.decorators.record_action
    def fail() -> Generator[int, None, None]:
        try:
            yield 1
        except LookupError:
            caught_in_body.append(True)
        raise error

    steps = fail()
    next(steps)
    with pytest.raises(ValueError, match="in the body") as caught:
        steps.throw(LookupError())

    assert caught.value is error
    assert error.__context__ is None
    assert caught_in_body
    assert recording.tree() == snapshot(
        [
            {
                "name": "fail",
                "status": "ERROR: in the body",
                "attributes": {"agentops.span.kind": "operation", "error.type": "ValueError", "operation.name": "fail"},
                "events": [{"name": "exception", "exception.message": "in the body", "exception.type": "ValueError"}],
            }
        ]
    )


def test_generator_keeps_the_context_that_its_body_made(recording: Recording) -> None:
    """A span that the body holds open over a yield is current in the body's next step, and never in the caller's."""
    tracer = recording.recorder.tracer

    @recording.decorators.record_action
    def body() -> Iterator[str]:
        with tracer.start_as_current_span("held"):
            yield "one"
            tracer.start_span("under held").end()
        yield "two"
        tracer.start_span("under body").end()

    with tracer.start_as_current_span("caller"):
        before = get_current()
        for _ in body():
            assert get_current() is before

    assert _names(recording.tree()) == {"caller": {"body": {"held": {"under held": {}}, "under body": {}}}}


def test_generators_interleave(recording: Recording) -> None:
    """Two generators stepped in turn keep their own spans."""

    @recording.decorators.operation
    def child(name: str) -> None: ...

    @recording.decorators.record_action
    def run(name: str) -> Iterator[None]:
        child(name)
        yield
        child(name)

    for _ in zip(run("a"), run("b"), strict=True):
        pass

    inputs = [
        [node["attributes"] for node in tree["children"]]  # type: ignore[attr-defined]  # a tree of plain dicts
        for tree in recording.tree()
    ]
    assert [[said["agentops.entity.input"] for said in of_one] for of_one in inputs] == [
        ['{"name": "a"}', '{"name": "a"}'],
        ['{"name": "b"}', '{"name": "b"}'],
    ]


def test_async_generator_passes_everything_through(recording: Recording) -> None:
    """`asend`, `athrow` and `aclose` reach the body; its span covers its life."""

    @recording.decorators.operation
    async def inner(value: object) -> None:
        await asyncio.sleep(0)

    @recording.decorators.record_action
    async def talk(start: int) -> Any:
        got = yield start
        await inner(got)
        try:
            yield got
        except LookupError as error:
            await inner(str(error))
            yield "after"

    async def main() -> list[object]:
        steps = talk(1)
        seen = [await anext(steps), await steps.asend("sent"), await steps.athrow(LookupError("thrown"))]
        assert not get_current_span().get_span_context().is_valid
        await steps.aclose()
        finished = [item async for item in talk(2)]
        return [*seen, *finished]

    assert asyncio.run(main()) == [1, "sent", "after", 2, None]
    assert recording.tree() == snapshot(
        [
            {
                "name": "talk",
                "attributes": {
                    "agentops.entity.input": '{"start": 1}',
                    "agentops.span.kind": "operation",
                    "operation.name": "talk",
                },
                "children": [
                    {
                        "name": "inner",
                        "attributes": {
                            "agentops.entity.input": '{"value": "sent"}',
                            "agentops.span.kind": "operation",
                            "operation.name": "inner",
                        },
                    },
                    {
                        "name": "inner",
                        "attributes": {
                            "agentops.entity.input": '{"value": "thrown"}',
                            "agentops.span.kind": "operation",
                            "operation.name": "inner",
                        },
                    },
                ],
            },
            {
                "name": "talk",
                "attributes": {
                    "agentops.entity.input": '{"start": 2}',
                    "agentops.span.kind": "operation",
                    "operation.name": "talk",
                },
                "children": [
                    {
                        "name": "inner",
                        "attributes": {
                            "agentops.entity.input": '{"value": null}',
                            "agentops.span.kind": "operation",
                            "operation.name": "inner",
                        },
                    }
                ],
            },
        ]
    )


def test_async_generator_that_fails_or_is_left_ends_its_span(recording: Recording) -> None:
    """A failure is the span's; a loop that breaks off leaves a span that ends."""

    @recording.decorators.record_action
    async def fail() -> AsyncIterator[int]:
        yield 1
        raise ValueError("in the body")

    async def main() -> None:
        async for _ in fail():
            break
        gc.collect()
        await asyncio.sleep(0)
        with pytest.raises(ValueError, match="in the body"):
            async for _ in fail():
                pass

    asyncio.run(main())

    assert sorted(span.status.status_code.name for span in recording.spans) == ["ERROR", "UNSET"]


# Coroutines.


def test_async_calls_nest_across_await_gather_and_task_groups(recording: Recording) -> None:
    """Concurrent steps are children of the call that awaits them."""

    @recording.decorators.tool
    async def fetch(n: int) -> int:
        await asyncio.sleep(0)
        return n

    @recording.decorators.agent
    async def research() -> int:
        alone = await fetch(1)
        two, three = await asyncio.gather(fetch(2), fetch(3))
        async with asyncio.TaskGroup() as group:
            four = group.create_task(fetch(4))
        return alone + two + three + four.result()

    assert asyncio.run(research()) == 10
    assert _names(recording.tree()) == {"invoke_agent research": {"execute_tool fetch": {}}}
    assert len(recording.spans) == 5


def test_what_comes_after_a_call_is_not_under_it(recording: Recording) -> None:
    """However it ended: its span is the current one no longer, in a task that goes on as in a thread."""
    decorated = recording.decorators.record_action("step")
    before = get_current_span()

    @decorated
    def plain(fails: bool) -> None:
        if fails:
            raise ValueError

    @decorated
    def steps(fails: bool) -> Iterator[int]:
        yield 1
        plain.__wrapped__(fails)  # type: ignore[attr-defined]

    @decorated
    async def task(fails: bool) -> None:
        plain.__wrapped__(fails)  # type: ignore[attr-defined]

    @decorated
    async def parts(fails: bool) -> AsyncIterator[int]:
        yield 1
        plain.__wrapped__(fails)  # type: ignore[attr-defined]

    async def all_of(fails: bool) -> list[bool]:
        left = []
        for run in (plain, lambda fails: list(steps(fails))):
            with contextlib.suppress(ValueError):
                run(fails)
            left.append(get_current_span() is before)
        with contextlib.suppress(ValueError):
            await task(fails)
        left.append(get_current_span() is before)
        with contextlib.suppress(ValueError):
            assert [part async for part in parts(fails)] == [1]
        return [*left, get_current_span() is before]

    assert [asyncio.run(all_of(fails)) for fails in (False, True)] == [[True] * 4] * 2


def test_cancelled_call_is_a_failure(recording: Recording) -> None:
    """A cancelled coroutine has not done its work: ERROR; the app gets the cancellation."""

    @recording.decorators.record_action
    async def wait() -> None:
        await asyncio.Event().wait()

    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001):
                await wait()

    asyncio.run(main())

    assert [span.status.status_code.name for span in recording.spans] == ["ERROR"]
    assert (recording.spans[0].attributes or {})["error.type"] == "asyncio.exceptions.CancelledError"


def test_coroutine_cancelled_before_it_starts_warns_of_nothing(recording: Recording) -> None:
    """A task that is cancelled before its first step leaves no span and no warning."""

    @recording.decorators.record_action
    async def never() -> None: ...

    async def main() -> None:
        task = asyncio.create_task(never())
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())

    assert recording.spans == ()


def test_coroutine_never_awaited_warns_once_under_its_own_name(recording: Recording) -> None:
    """Python's warning names the function, and comes once."""

    @recording.decorators.record_action
    async def forgotten() -> None: ...

    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        forgotten()  # type: ignore[unused-coroutine]  # that is the point
        gc.collect()

    assert [str(warning.message).split(" was")[0] for warning in seen] == [
        f"coroutine '{forgotten.__qualname__}'",
    ]


def test_coroutine_left_in_another_context_is_quiet(recording: Recording, caplog: pytest.LogCaptureFixture) -> None:
    """Closing a half-run coroutine from elsewhere ends its span without a word."""

    @recording.decorators.record_action
    async def half() -> None:
        await asyncio.sleep(0)

    coroutine = half()
    contextvars.copy_context().run(coroutine.send, None)
    coroutine.close()

    assert [span.status.status_code.name for span in recording.spans] == ["UNSET"]
    assert caplog.text == ""


def test_wrapper_that_runs_the_coroutine_itself_is_one_call(recording: Recording) -> None:
    """Under a decorator that makes an async function a plain one, the span covers the plain call."""

    def blocking(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def run(*args: object) -> object:
            return asyncio.run(function(*args))

        return run

    def through(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*args: object) -> object:
            return function(*args)

        return call

    @recording.decorators.operation
    async def child() -> None: ...

    async def parent(n: int) -> int:
        await child()
        return n

    plain = recording.decorators.record_action("plain")(blocking(parent))
    deferred = recording.decorators.record_action("deferred")(through(parent))

    assert (plain(1), asyncio.run(deferred(2))) == (1, 2)
    assert _names(recording.tree()) == {"plain": {"child": {}}, "deferred": {"child": {}}}


@pytest.mark.parametrize(
    ("error", "status"),
    [(KeyboardInterrupt(), "ERROR"), (SystemExit(1), "ERROR"), (SystemExit(0), "UNSET"), (GeneratorExit(), "UNSET")],
)
def test_what_ends_a_program_ends_the_span_too(recording: Recording, error: BaseException, status: str) -> None:
    """Ctrl-C and a failing exit are failures; a clean exit is none."""

    @recording.decorators.record_action
    def leave() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        leave()

    assert caught.value is error
    assert [span.status.status_code.name for span in recording.spans] == [status]


# What it costs when there is nothing to do.


def test_without_a_client_a_call_is_the_bare_call() -> None:
    """Nothing is wrapped, whatever the function returns."""
    family = Decorators(lambda: None)

    @family.record_action
    def generate() -> Iterator[int]:
        yield 1

    @family.record_action
    async def later() -> int:
        return 1

    assert generate().gi_code is inspect.unwrap(generate).__code__  # type: ignore[attr-defined]  # the function's own
    coroutine = later()
    assert coroutine.cr_code is inspect.unwrap(later).__code__  # type: ignore[attr-defined]  # as above
    coroutine.close()


def test_suppressed_calls_leave_everything_as_it_is(recording: Recording) -> None:
    """While tracing is suppressed there is no span, and no context of ours."""
    record = recording.decorators.record_action

    @record
    def plain() -> bool:
        return get_current_span() is trace.INVALID_SPAN

    @record
    def generate() -> Iterator[int]:
        yield 1

    @record
    async def later() -> int:
        return 2

    @record
    async def stream() -> AsyncIterator[int]:
        yield 3

    async def main() -> list[int]:
        return [await later(), *[item async for item in stream()]]

    token = attach(set_value(SUPPRESS_KEY, True))
    try:
        assert plain()
        assert list(generate()) == [1]
        assert asyncio.run(main()) == [2, 3]
    finally:
        detach(token)

    assert recording.spans == ()


def test_call_keeps_no_reference_to_its_arguments_or_result(recording: Recording) -> None:
    """Once a call is over, nothing of ours keeps its objects alive."""

    class Big: ...

    @recording.decorators.record_action
    def work(value: Big) -> Big:
        return Big()

    value = Big()
    result = work(value)
    ends = [weakref.ref(value), weakref.ref(result)]
    del value, result

    assert [end() for end in ends] == [None, None]


@pytest.mark.parametrize("tick", [0, 1])
@pytest.mark.parametrize("form", ["plain", "coroutine", "generator"])
def test_ctrl_c_within_what_we_do_reaches_the_program(recording: Recording, form: str, tick: int) -> None:
    """At a call's start and at its end: only an error of ours is kept from it."""
    ticks = itertools.count()

    def clock() -> int:
        if next(ticks) == tick:
            raise KeyboardInterrupt
        return 5

    recorder = replace(recording.recorder, clock=clock)
    record = Decorators(lambda: recorder).record_action

    @record
    def plain() -> int:
        return 1

    @record
    async def later() -> int:
        return 1

    @record
    def generate() -> Iterator[int]:
        yield 1

    runs: dict[str, Callable[[], Any]] = {
        "plain": plain,
        "coroutine": lambda: asyncio.run(later()),
        "generator": lambda: list(generate()),
    }
    with pytest.raises(KeyboardInterrupt):
        runs[form]()


def _names(tree: object) -> dict[str, Any]:
    assert isinstance(tree, list)
    return {node["name"]: _names(node.get("children", [])) for node in tree}


class Failing(SpanProcessor, sampling.Sampler):
    """What a program has put on its provider, with a fault in one place."""

    def __init__(self, fault: str) -> None:
        self.fault = fault
        self.asked = 0

    def _fail(self, place: str) -> None:
        if place == self.fault:
            self.asked += 1
            raise ValueError(f"a fault in {place}")

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """A span starts."""
        self._fail("on_start")

    def on_end(self, span: ReadableSpan) -> None:
        """A span has ended."""
        self._fail("on_end")

    def should_sample(self, *args: Any, **kwargs: Any) -> sampling.SamplingResult:
        """Whether there is to be a span."""
        self._fail("should_sample")
        return sampling.SamplingResult(sampling.Decision.RECORD_AND_SAMPLE)

    def get_description(self) -> str:
        """What it is."""
        return "failing"


@pytest.mark.parametrize(
    ("fault", "sampled"),
    [("on_start", True), ("on_end", True), ("should_sample", True), ("on_start", False), ("on_end", False)],
)
def test_a_fault_of_the_programs_own_tracing_is_not_the_functions(
    fault: str, *, sampled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each returns what it would, and raises what it would."""
    monkeypatch.setattr(guard, "reraise", False)
    failing, content = Failing(fault), Content()
    provider = OwnProvider(sampler=failing) if sampled else OwnProvider()
    provider.add_span_processor(failing)
    tracer = tracer_of(provider, "test", "", content)
    recorder = Recorder(tracer=tracer, content=content, defaults=Tagged(), clock=time.time_ns)
    record = Decorators(lambda: recorder).record_action

    @record
    def plain(*, fails: bool) -> str:
        if fails:
            raise LookupError("the function's")
        return "answer"

    @record
    async def later(*, fails: bool) -> str:
        return plain(fails=fails)

    @record
    def steps(*, fails: bool) -> Iterator[str]:
        yield plain(fails=fails)

    @record
    async def steps_later(*, fails: bool) -> AsyncIterator[str]:
        yield plain(fails=fails)

    async def joined(*, fails: bool) -> str:
        return "".join([step async for step in steps_later(fails=fails)])

    ways: list[Callable[..., str]] = [
        plain,
        lambda fails: asyncio.run(later(fails=fails)),
        lambda fails: "".join(steps(fails=fails)),
        lambda fails: asyncio.run(joined(fails=fails)),
    ]
    for way in ways:
        assert way(fails=False) == "answer"
        with pytest.raises(LookupError, match="the function's"):
            way(fails=True)
    assert failing.asked >= 14


@pytest.mark.parametrize("family", ["operation", "task", "agent", "workflow", "trace", "session", "tool", "guardrail"])
def test_each_decorator_says_name_version_and_tags(family: str, recording: Recording) -> None:
    """What only some take they say too."""
    takes: dict[str, dict[str, Any]] = {"tool": {"cost": 0.5}, "guardrail": {"spec": "input"}}
    more = takes.get(family, {})
    decorator = getattr(recording.decorators, family)(name="named", tags=["own"], version="2", **more)

    assert decorator(lambda: "done")() == "done"

    (span,) = recording.spans
    attributes = dict(span.attributes or {})
    assert span.name.rpartition(" ")[2] == "named"
    assert (attributes["operation.version"], attributes["agentops.tags"]) == ("2", ("session", "own"))
    assert [attributes.get(f"agentops.{name}") for name in ("usage.cost", "guardrail.spec")] == [
        more.get("cost"),
        more.get("spec"),
    ]
