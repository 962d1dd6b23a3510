"""Decorated classes, and what is said of an agent on the spans made under it."""

import asyncio
import pickle
from collections.abc import Iterator

import pytest
from inline_snapshot import snapshot

import agentops_otel
from agentops_otel import guard
from agentops_otel.recording.session import Sessions
from tests.recording.conftest import Recording

SHOWN = ("gen_ai.agent.name", "agentops.entity.input", "agentops.tags", "code.function.name")


@agentops_otel.agent
class AtModuleLevel:
    """A class whose objects are pickled."""

    def __init__(self, name: str) -> None:
        self.name = name

    def run(self) -> str:
        """Work."""
        return self.name


def test_agent_class_makes_a_span_of_each_call_from_outside(recording: Recording) -> None:
    """A public method called from outside is the agent's turn; what it does itself is under it."""

    @recording.decorators.agent(name="Researcher", tags=["team"])
    class Agent:
        def __init__(self, field: str) -> None:
            self.field = field

        def run(self, question: str) -> str:
            return self.look_up(question) + self._polish()

        @recording.decorators.operation
        def look_up(self, question: str) -> str:
            return f"{self.field}: {question}"

        def _polish(self) -> str:
            return "!"

    first, second = Agent("maths"), Agent("law")
    answers = [first.run("why"), second.look_up("who")]

    assert answers == ["maths: why!", "law: who"]
    assert [
        [span.name, *(str((span.attributes or {}).get(name)).rpartition(".")[2] for name in SHOWN)]
        for span in recording.spans
    ] == snapshot(
        [
            ["look_up", "Researcher", '{"question": "why"}', "('session',)", "None"],
            ["invoke_agent Researcher", "Researcher", '{"question": "why"}', "('session', 'team')", "run"],
            ["look_up", "Researcher", '{"question": "who"}', "('session',)", "None"],
            ["invoke_agent Researcher", "Researcher", '{"question": "who"}', "('session', 'team')", "look_up"],
        ]
    )


def test_class_stays_what_it_is() -> None:
    """It is the same class: instances, subclasses and pickling work as before."""

    class Sub(AtModuleLevel):
        pass

    agent = AtModuleLevel("x")

    assert type(agent) is AtModuleLevel
    assert isinstance(Sub("y"), AtModuleLevel)
    assert pickle.loads(pickle.dumps(agent)).run() == "x"
    assert AtModuleLevel.run(agent) == "x"


def test_every_sort_of_method_is_a_turn(recording: Recording) -> None:
    """Coroutines and generators cover their life; two agents that call each other have their own turns."""

    @recording.decorators.agent
    class Asked:
        async def answer(self) -> str:
            await asyncio.sleep(0)
            return "yes"

    @recording.decorators.workflow
    class Asking:
        def __init__(self) -> None:
            self.other = Asked()

        async def run(self) -> str:
            return await self.other.answer()

        def steps(self) -> Iterator[int]:
            yield 1

        def __call__(self) -> int:
            return 2

    asking = Asking()

    assert [asyncio.run(asking.run()), *asking.steps(), asking()] == ["yes", 1, 2]
    assert [(span.name, (span.attributes or {}).get("gen_ai.agent.name")) for span in recording.spans] == [
        ("invoke_agent Asked", "Asked"),
        ("invoke_workflow Asking", None),
        ("invoke_workflow Asking", None),
        ("invoke_workflow Asking", None),
    ]


def test_inherited_class_and_static_methods_are_left_alone(recording: Recording) -> None:
    """A decorated class records its own methods of objects alone; the others can be decorated themselves."""

    class Base:
        def inherited(self) -> int:
            return 1

    @recording.decorators.agent
    class Agent(Base):
        def own(self) -> int:
            return 2

        @classmethod
        def of_class(cls) -> int:
            return 3

        @staticmethod
        def of_nobody() -> int:
            return 4

    agent = Agent()

    assert [agent.inherited(), agent.own(), Agent.of_class(), Agent.of_nobody()] == [1, 2, 3, 4]
    assert [span.name for span in recording.spans] == ["invoke_agent Agent"]


def test_agent_is_named_on_every_span_under_it(recording: Recording) -> None:
    """Name and id reach the spans made under an agent, and give way to those of an agent under it."""

    @recording.decorators.tool
    def search() -> None: ...

    @recording.decorators.agent(name="inner")
    async def inner() -> None:
        search()

    @recording.decorators.track_agent("outer")
    class Outer:
        async def run(self) -> None:
            search()
            await inner()

    outer = Outer(agentops_name="renamed")  # type: ignore[call-arg]  # the decorator takes it off again
    asyncio.run(outer.run())
    search()

    identity = vars(outer)["agent_ops_agent_id"]
    said = [
        (span.name, (span.attributes or {}).get("gen_ai.agent.name"), (span.attributes or {}).get("gen_ai.agent.id"))
        for span in recording.spans
    ]
    assert said == [
        ("execute_tool search", "renamed", identity),
        ("execute_tool search", "inner", None),
        ("invoke_agent inner", "inner", None),
        ("invoke_agent renamed", "renamed", identity),
        ("execute_tool search", None, None),
    ]


def test_tracked_agents_have_ids_of_their_own(recording: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each object of a tracked class has its own id, which programs read, if it can have one."""
    monkeypatch.setattr(guard, "reraise", False)

    @recording.decorators.track_agent
    class Plain:
        __slots__ = ()

        def run(self) -> int:
            return 4

    @recording.decorators.track_agent()
    class Named:
        def __init__(self, value: int) -> None:
            self.value = value
            self.name_at_birth = vars(self)["agent_ops_agent_name"]

        def run(self) -> int:
            return self.value

    @recording.decorators.track_agent(name="function")
    def function() -> int:
        return 3

    one, two = Named(1), Named(value=2)

    assert [one.run(), two.run(), function(), Plain().run()] == [1, 2, 3, 4]
    assert one.name_at_birth == "Named"
    assert vars(one)["agent_ops_agent_id"] != vars(two)["agent_ops_agent_id"]
    assert [span.name for span in recording.spans] == [
        "invoke_agent Named",
        "invoke_agent Named",
        "invoke_agent function",
        "invoke_agent Plain",
    ]


@pytest.mark.parametrize("missing", ["agent_ops_agent_id", "agent_ops_agent_name"])
def test_a_tracked_agent_whose_name_or_id_is_gone_has_that_of_its_class(recording: Recording, missing: str) -> None:
    """Both are attributes that a program can delete."""

    @recording.decorators.track_agent
    class Named:
        def run(self) -> None:
            """Do nothing."""

    one = Named()
    delattr(one, missing)
    one.run()

    (span,) = recording.spans
    attributes = span.attributes or {}
    assert (span.name, attributes.get("gen_ai.agent.id")) == ("invoke_agent Named", None)
    assert "None" not in attributes.values()


def test_session_argument_chooses_the_session(recording: Recording) -> None:
    """`session=` is not the function's: the span is that session's; a function with such a parameter keeps it."""
    sessions = Sessions()
    session = sessions.start(recording.recorder, name="one", tags=["one"])
    sessions.start(recording.recorder, name="two")

    @recording.decorators.record_action(tags=["act"])
    def act(value: int) -> int:
        child()
        return value

    @recording.decorators.operation
    def child() -> None: ...

    @recording.decorators.operation
    def own(session: object) -> object:
        return session

    assert act(1, session=session) == 1  # type: ignore[call-arg]  # the decorator takes it off again
    assert own(session=session) is session

    traces = {span.name: f"{span.context.trace_id:032x}" for span in recording.spans if span.context}
    assert traces["act"] == traces["child"] == session.trace_id
    assert traces["own"] != session.trace_id
