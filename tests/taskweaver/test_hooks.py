"""What holds of the hooks without a running TaskWeaver: other threads, and the time after the client."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import openai
import pytest
from inline_snapshot import snapshot
from opentelemetry.context import get_current
from opentelemetry.trace import INVALID_SPAN, INVALID_SPAN_CONTEXT, NonRecordingSpan, NoOpTracer, use_span

from agentops_otel import guard
from agentops_otel.content import Content
from agentops_otel.taskweaver import TaskWeaverEventHandler, builtin_tracing, calls, install
from agentops_otel.taskweaver.hooks import Hook, Hooks
from agentops_otel.taskweaver.install import Installation
from agentops_otel.taskweaver.kernel import Kernel
from agentops_otel.taskweaver.posts import Post, error_of, message
from agentops_otel.taskweaver.rounds import Round
from agentops_otel.testing import capture
from agentops_otel.tracing import attached


def test_a_hook_that_somebody_keeps_records_nothing_after_the_client() -> None:
    """Who has wrapped a function of TaskWeaver over ours calls the hook for ever."""
    with capture() as captured:
        hooks = Hooks(lambda: captured.client.recorder)
        assert hooks.get_recorder() is not None

        Installation(hooks, {}).uninstall()

        assert hooks.get_recorder() is None


@pytest.mark.parametrize("container", [False, True])
def test_a_kernel_writes_where_the_session_has_its_folder(tmp_path: Path, *, container: bool) -> None:
    """TaskWeaver's container has it at a place of its own."""
    asked = list[tuple[str, dict[str, object]]]()
    client = SimpleNamespace(execute=lambda code, **options: asked.append((code, options)))
    with capture() as captured:
        recorder = captured.client.recorder
        assert recorder is not None
        with use_span(recorder.start("step")):
            Kernel(tmp_path, container=container).enter(client, get_current(), recorder)

    folder = Path("/app/ces") if container else tmp_path / "ces"
    assert [repr(str(folder / "agentops_otel.spans")) in code.replace("\\", "") for code, _ in asked] == [True]
    assert [options for _, options in asked] == [
        {"silent": True, "store_history": False, "allow_stdin": False, "stop_on_error": False}
    ]


def test_what_is_hooked_is_said_a_second_time() -> None:
    """A row that is left out by mistake takes its tests with it."""
    assert {module: sorted(hooks) for module, hooks in install._HOOKS.items()} == snapshot(
        {
            "taskweaver.session.session": ["Session.send_message", "Session.stop"],
            "taskweaver.module.event_emitter": ["SessionEventEmitter.emit"],
            "taskweaver.llm": [
                "LLMApi._stream_smoother",
                "LLMApi.chat_completion",
                "LLMApi.chat_completion_stream",
                "LLMApi.get_embedding",
                "LLMApi.get_embedding_list",
            ],
            "taskweaver.llm.ollama": ["OllamaService._stream_process"],
            "openai.resources.chat.completions": ["Completions.create"],
            "taskweaver.code_interpreter.code_executor": ["CodeExecutor.execute_code", "CodeExecutor.start"],
            "taskweaver.ces.environment": [
                "Environment.execute_code",
                "Environment.start_session",
                "Environment.stop_session",
            ],
            "taskweaver.memory.compression": ["RoundCompressor.compress_rounds"],
            "taskweaver.memory.experience": ["ExperienceGenerator.refresh", "ExperienceGenerator.retrieve_experience"],
            "taskweaver.code_interpreter.plugin_selection": ["PluginSelector.plugin_select"],
            "taskweaver.module.tracing": ["Tracing.__init__"],
        }
    )


STEPS = {
    "RoundCompressor.compress_rounds": "taskweaver.compress",
    "ExperienceGenerator.refresh": "taskweaver.experience",
    "ExperienceGenerator.retrieve_experience": "taskweaver.experience",
    "PluginSelector.plugin_select": "taskweaver.select_plugins",
}


def test_each_step_of_a_reply_has_its_name() -> None:
    """Within a round; outside of one it makes no span."""
    hooks_of = {path: hook for hooks in install._HOOKS.values() for path, hook in hooks.items()}
    with capture() as captured:
        assert captured.client.recorder is not None
        hooks, of_user = Hooks(lambda: captured.client.recorder), Round(captured.client.recorder)
        run = [partial(hooks_of[path], hooks, lambda: "done", None, (), {}) for path in STEPS]
        outside = [step() for step in run]
        with attached(of_user.context):
            answers = [step() for step in run]
        names = [span.name for span in captured.spans]
        of_user.end()

    assert outside == answers == ["done"] * len(STEPS)
    assert names == list(STEPS.values())


class Failing:
    """What fails whatever it is asked for."""

    def __getattr__(self, name: str) -> object:
        """Not the AttributeError that is expected here and there."""
        raise RuntimeError(f"our own fault in {name}")


@pytest.mark.parametrize("within", ["nothing", "a round", "a call"])
@pytest.mark.parametrize(
    "hook",
    [
        pytest.param(hook, id=path)
        for module, hooks in {**install._HOOKS, "of a role": {"reply": Hooks.reply}}.items()
        for path, hook in hooks.items()
        if module != builtin_tracing.MODULE
    ],
)
def test_a_fault_of_ours_does_not_reach_taskweaver(hook: Hook, within: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of its functions returns what it would, and raises what it would."""
    monkeypatch.setattr(guard, "reraise", False)
    monkeypatch.setattr(guard, "_reported", set())  # each place is told once
    result, error = ["a chunk"], ValueError("theirs")
    failing: Any = Failing()

    def fail(*args: object, **kwargs: object) -> object:
        raise error

    with capture() as captured:
        recorder = captured.client.recorder
        assert recorder is not None
        of_user, call = Round(recorder), calls.Call(recorder, "chat", "m", {})
        of_user.recorder = call._recorder = failing
        context = of_user.context if within == "a round" else get_current()
        run = partial(hook, Hooks(lambda: failing))
        with attached(context), call if within == "a call" else nullcontext():
            assert list(run(lambda *args, **kwargs: result, Failing(), (Failing(),), {})) == result
            with pytest.raises(ValueError, match="theirs") as raised:
                run(fail, Failing(), (Failing(),), {})
        assert raised.value is error
        of_user.recorder = recorder
        of_user.end()


@pytest.mark.parametrize("within", ["nothing", "a round", "a call"])
@pytest.mark.parametrize(
    "hook",
    [
        pytest.param(hook, id=path)
        for module, hooks in {**install._HOOKS, "of a role": {"reply": Hooks.reply}}.items()
        for path, hook in hooks.items()
    ],
)
def test_a_function_gets_what_it_is_given(hook: Hook, within: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By place and by name."""
    monkeypatch.setattr(guard, "reraise", False)
    given: Any = (object(), object())
    noted: list[Any] = []

    def work(*args: object, **kwargs: object) -> list[object]:
        noted.append((args, kwargs))
        return []

    with capture() as captured:
        recorder = captured.client.recorder
        assert recorder is not None
        of_user, call = Round(recorder), calls.Call(recorder, "chat", "m", {})
        hooks = Hooks(lambda: recorder)
        context = of_user.context if within == "a round" else get_current()
        with attached(context), call if within == "a call" else nullcontext():
            found: Any = hook(hooks, work, Session("any"), given, {"named": 1})
            list(found or ())
        of_user.end()

    assert noted == [(given, {"named": 1})]


ASKING = SimpleNamespace(
    ext_llms={},
    completion_service=SimpleNamespace(config=SimpleNamespace(llm_module_config=None, model="gpt")),
    embedding_service=SimpleNamespace(config=SimpleNamespace(embedding_model="embed")),
    config=SimpleNamespace(api_type="openai", embedding_api_type="openai", model="gpt"),
)


@pytest.mark.parametrize(
    ("hook", "name"),
    [
        (Hooks.chat_completion, "chat gpt"),
        (Hooks.chat_completion_stream, "chat gpt"),
        (Hooks.get_embedding, "embeddings embed"),
    ],
)
def test_a_call_that_is_recorded_is_the_one_that_is_made(hook: Hook, name: str) -> None:
    """With all that it is given, and its answer goes back."""
    noted: list[object] = []

    def work(messages: object, seed: int, **more: object) -> Any:
        noted.append((messages, seed, more))
        chunk = {"role": "assistant", "content": "hi"}
        return iter([chunk]) if hook is Hooks.chat_completion_stream else chunk

    with capture() as captured:
        hooks = Hooks(lambda: captured.client.recorder)
        answer: Any = hook(hooks, work, ASKING, ([],), {"seed": 7, "top_p": 0.5})
        answers = list(answer) if hook is Hooks.chat_completion_stream else [answer]
        (span,) = captured.spans

    assert noted == [([], 7, {"top_p": 0.5})]
    assert answers == [{"role": "assistant", "content": "hi"}]
    assert (span.name, span.kind.name, (span.attributes or {})["gen_ai.provider.name"]) == (name, "CLIENT", "openai")


def test_taskweavers_own_tracing_is_disabled_once(caplog: pytest.LogCaptureFixture) -> None:
    """With one warning, and comes back as it was; that which is off is left alone."""
    on, off = ({"_tracer": tracer, "_trace": object()} for tracer in (object(), None))
    tracing, none = SimpleNamespace(**on), SimpleNamespace(**off)

    for module in (tracing, none, tracing):
        builtin_tracing.disable(module)
    disabled = type(tracing._tracer), tracing._trace.get_current_span()
    untouched = vars(none) == off
    for module in (tracing, none, tracing):
        builtin_tracing.restore(module)

    assert disabled == (NoOpTracer, INVALID_SPAN)
    assert untouched
    assert (vars(tracing), vars(none)) == (on, off)
    assert len(caplog.records) == 1


class Ending(NonRecordingSpan):
    """A span whose round is ended by another thread while the round takes note of it."""

    def __init__(self, rounds: list[Round]) -> None:
        super().__init__(INVALID_SPAN_CONTEXT)
        self.rounds = rounds

    def __hash__(self) -> int:
        """Called when it is taken note of."""
        while self.rounds:
            thread = threading.Thread(target=self.rounds.pop().end)
            thread.start()
            thread.join(0.1)
        return id(self)


def test_a_span_that_begins_while_its_round_ends_is_ended() -> None:
    """The end waits until the round knows of it."""
    rounds, ended, ending = list[Round](), list[Any](), threading.Event()

    def end(span: Any, end_time: int | None = None) -> None:
        ended.append(span)
        if len(ended) == 2:
            ending.set()

    recorder: Any = SimpleNamespace(
        start=lambda *args, **named: Ending(rounds),
        end=end,
        content=Content(),
        set_error=lambda *args: None,
        defaults=SimpleNamespace(tags=()),
    )
    of_user = Round(recorder)
    rounds.append(of_user)

    begun = of_user.open("step", {})

    assert ending.wait(10)
    assert ended == [begun, of_user.span]


class Session:
    """As much of TaskWeaver's as the hooks read."""

    def __init__(self, session_id: str) -> None:
        self.session_id, self.round_index = session_id, 0
        self.worker_instances: dict[str, object] = {}
        self.config = SimpleNamespace(roles=["planner"])


def test_a_session_is_reported_once_when_it_stops_or_the_client_does() -> None:
    """With its rounds, and the time from the first one's start to the last one's end."""
    stopped, rounds, asked = list[tuple[str, int, int]](), list[str](), list[object]()

    def send(*args: object, **kwargs: object) -> object:
        asked.append((args, kwargs))
        return SimpleNamespace(state="finished", post_list=[SimpleNamespace(message="done")])

    with capture() as captured:
        hooks = Hooks(lambda: captured.client.recorder, lambda *session: stopped.append(session), rounds.append)
        one, two = Session("one"), Session("two")
        for session in (one, one, two):
            hooks.send_message(send, session, ("hi",), {"files": []})
        for _ in range(2):
            hooks.stop(lambda: None, one, (), {})
        Installation(hooks, {}).uninstall()
        spans = captured.spans

    assert asked == [(("hi",), {"files": []})] * 3
    assert rounds == ["one", "one", "two"]
    assert [session[:2] for session in stopped] == [("one", 2), ("two", 1)]
    said = [
        {name: json.loads(str((span.attributes or {})[f"gen_ai.{name}.messages"])) for name in ("input", "output")}
        for span in spans
    ]
    assert said == [{"input": [message("user", "hi")], "output": [message("assistant", "done")]}] * 3
    first, second, third = ((span.start_time or 0, span.end_time or 0) for span in spans)
    assert first[0] <= second[1] - stopped[0][2] <= second[0]
    assert third[0] <= third[1] - stopped[1][2] + (third[1] - third[0])


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        (("hi", None, ["a.csv", "b.csv"]), {}),
        ((), {"message": "hi", "event_handler": None, "files": ["a.csv", "b.csv"]}),
    ],
)
def test_a_round_says_what_it_was_asked(args: tuple[object, ...], kwargs: dict[str, object]) -> None:
    """By whichever name it is given; how many files, and which round of the session it is."""
    asked = list[object]()

    def send(*args: object, **kwargs: object) -> object:
        asked.append((args, kwargs))
        return SimpleNamespace(state="failed", post_list=[])

    session = Session("one")
    session.round_index = 3
    with capture() as captured:
        hooks = Hooks(lambda: captured.client.recorder)
        hooks.send_message(send, session, args, kwargs)
        (span,) = captured.spans

    attributes = dict(span.attributes or {})
    assert asked == [(args, kwargs)]
    assert json.loads(str(attributes.pop("gen_ai.input.messages"))) == [message("user", "hi")]
    assert attributes.pop("session.id")
    assert attributes == {
        "agentops.tags": ("taskweaver",),
        "gen_ai.conversation.id": "one",
        "gen_ai.operation.name": "invoke_workflow",
        "gen_ai.workflow.name": "taskweaver",
        "taskweaver.round.index": 3,
        "taskweaver.roles": ("planner",),
        "taskweaver.file.count": 2,
        "taskweaver.round.state": "failed",
        "error.type": "cancelled",
    }


def test_a_server_that_refuses_to_count_is_asked_without() -> None:
    """Once: it is known from then on, and the program's own wish is left alone."""
    asked: list[dict[str, object]] = []

    def create(**kwargs: object) -> str:
        asked.append(kwargs)
        if "stream_options" in kwargs and kwargs["stream_options"] != "mine":
            refusal: Any = SimpleNamespace(request=None, status_code=400, headers={})
            raise openai.BadRequestError("no", response=refusal, body=None)
        return "stream"

    completions, stream = Session("any"), {"model": "m", "stream": True}
    with capture() as captured:
        assert captured.client.recorder is not None
        hooks = Hooks(lambda: captured.client.recorder)
        call = calls.Call(captured.client.recorder, "chat", "m", {})
        call.asks_usage = True
        with call:
            answers = [
                hooks.ask_for_usage(create, completions, (), kwargs)
                for kwargs in (stream, stream, {**stream, "stream_options": "mine"}, {"model": "m"})
            ]
        call.end()

    counted = {**stream, "stream_options": {"include_usage": True}}
    assert answers == ["stream"] * 4
    assert asked == [counted, stream, stream, {**stream, "stream_options": "mine"}, {"model": "m"}]


def test_a_call_says_its_settings_and_those_of_the_configuration() -> None:
    """What is asked for wins; a setting that is no number is left out."""
    config = SimpleNamespace(
        llm_module_config=None, model="gpt", temperature=0, seed=7, top_p="high", api_version="2024-09-01"
    )
    api = SimpleNamespace(
        ext_llms={},
        completion_service=SimpleNamespace(config=config),
        config=SimpleNamespace(api_type="azure", model="gpt"),
    )
    asked = {"max_tokens": 5, "frequency_penalty": 0.5, "presence_penalty": 0.25, "seed": 8, "stream": False}
    with capture() as captured:
        assert captured.client.recorder is not None
        both = [calls.chat(captured.client.recorder, api, {"messages": [], **more}) for more in (asked, {})]
        config.api_version = "2024-08-31"
        older = calls.chat(captured.client.recorder, api, {"messages": []})
        for call in both:
            call.end()
        first, second = (dict(span.attributes or {}) for span in captured.spans)

    prefix = "gen_ai.request."
    assert {name.removeprefix(prefix): value for name, value in first.items() if name.startswith(prefix)} == {
        **{"model": "gpt", "stream": False, "temperature": 0, "seed": 8, "max_tokens": 5},
        **{"frequency_penalty": 0.5, "presence_penalty": 0.25},
    }
    assert (second["gen_ai.request.stream"], second["gen_ai.request.seed"]) == (True, 7)
    assert [call.asks_usage for call in (*both, older)] == [True, True, False]


def thrown_into(stream: Any) -> None:
    """As a generator around it does that is closed."""
    with pytest.raises(GeneratorExit):
        stream.throw(GeneratorExit)


@pytest.mark.parametrize("leave", [lambda stream: stream.close(), thrown_into], ids=["closed", "thrown into"])
def test_a_stream_that_is_left_is_closed_within_its_call(leave: Callable[[Any], None]) -> None:
    """As it was read: what it does at its end is a part of the call."""
    seen: list[object] = []

    def answers() -> Iterator[dict[str, str]]:
        try:
            yield {"content": "a"}
            yield {"content": "b"}
        finally:
            seen.append(calls.current_call())

    with capture() as captured:
        assert captured.client.recorder is not None
        call = calls.Call(captured.client.recorder, "chat", "m", {})
        with call:
            stream: Any = call.in_context(answers)()
        next(stream)
        leave(stream)
        (span,) = captured.spans

    assert seen == [call]
    assert (span.attributes or {})["agentops.stream.abandoned"] is True


@pytest.mark.parametrize(
    ("trace", "kind", "text"),
    [
        ("Traceback:\n  x\nValueError: bad\nmore", "ValueError", "ValueError: bad"),
        ("A: first\nmy.Error: last", "my.Error", "my.Error: last"),
        ("nothing of the kind", "_OTHER", "nothing of the kind"),
    ],
)
def test_the_error_of_a_printed_traceback_is_the_last_that_was_raised(trace: str, kind: str, text: str) -> None:
    """One that cannot be read is kept whole."""
    assert error_of(trace) == (kind, text)


def test_a_message_may_have_the_name_of_who_says_it() -> None:
    """As the conventions have it."""
    said = {"role": "assistant", "parts": [{"type": "text", "content": "hi"}]}

    assert (message("assistant", "hi"), message("assistant", "hi", "Planner")) == (said, {**said, "name": "Planner"})


def test_a_run_of_code_is_told_whole() -> None:
    """What ran, where, what came of it; a failure by its exception."""
    modes = iter(["local", "container"])
    executor = SimpleNamespace(exec_mgr=SimpleNamespace(get_kernel_mode=lambda: next(modes)))
    good = SimpleNamespace(
        is_success=True, output="3", stdout=["a", "b"], stderr=["c", "d"], error=None, log=[("w", 1)]
    )
    good.artifact = [SimpleNamespace(file_name="a.png"), SimpleNamespace(file_name="b.csv")]
    bad = SimpleNamespace(
        is_success=False, output="", stdout=[], stderr=[], error="x\nKeyError: 'k'", log=[], artifact=[]
    )
    with capture() as captured:
        assert captured.client.recorder is not None
        of_user = Round(captured.client.recorder)
        hooks = Hooks(lambda: captured.client.recorder)
        with attached(of_user.context):
            by_place = hooks.execute_code(lambda *args, **kwargs: good, executor, ("one", "print(3)"), {})
            by_name = hooks.execute_code(lambda **kwargs: bad, executor, (), {"exec_id": "two", "code": "{}['k']"})
        of_user.end()
        spans = captured.spans[:2]

    assert (by_place, by_name) == (good, bad)
    told = [(span.name, span.status.description, dict(span.attributes or {})) for span in spans]
    assert all(attributes.pop("session.id") for _, _, attributes in told)
    assert told == snapshot(
        [
            (
                "execute_tool python",
                None,
                {
                    "agentops.tags": ("taskweaver",),
                    "gen_ai.operation.name": "execute_tool",
                    "gen_ai.tool.name": "python",
                    "gen_ai.tool.call.id": "one",
                    "taskweaver.kernel.mode": "local",
                    "gen_ai.tool.call.arguments": '{"code":"print(3)"}',
                    "gen_ai.tool.call.result": '{"output":"3","stdout":"ab","stderr":"cd","log":[["w",1]]}',
                    "taskweaver.execution_status": "SUCCESS",
                    "taskweaver.artifact.count": 2,
                    "taskweaver.artifact_paths": '["a.png","b.csv"]',
                },
            ),
            (
                "execute_tool python",
                "KeyError: 'k'",
                {
                    "agentops.tags": ("taskweaver",),
                    "gen_ai.operation.name": "execute_tool",
                    "gen_ai.tool.name": "python",
                    "gen_ai.tool.call.id": "two",
                    "taskweaver.kernel.mode": "container",
                    "gen_ai.tool.call.arguments": '{"code":"{}[\'k\']"}',
                    "gen_ai.tool.call.result": '{"error":"x\\nKeyError: \'k\'"}',
                    "taskweaver.execution_status": "FAILURE",
                    "taskweaver.artifact.count": 0,
                    "error.type": "KeyError",
                },
            ),
        ]
    )


@pytest.mark.parametrize(("args", "kwargs"), [((), {"session_id": "s"}), (("s",), {})])
def test_a_kernel_starts_within_the_round_that_wants_it(args: tuple[str, ...], kwargs: dict[str, str]) -> None:
    """On a thread of TaskWeaver's without our context; it says where it runs."""
    environment = SimpleNamespace(mode=SimpleNamespace(value="local"), session_dict={}, client_dict={})
    executor = SimpleNamespace(client_started=False, session_id="s")
    with capture() as captured:
        assert captured.client.recorder is not None
        of_user = Round(captured.client.recorder)
        hooks = Hooks(lambda: captured.client.recorder)
        with attached(of_user.context):
            assert hooks.start_executor(lambda: "started", executor, (), {}) == "started"
        hooks._enter_kernel = lambda *args: None  # type: ignore[method-assign]  # there is none
        begun = [hooks.start_kernel(lambda *args, **kwargs: "kernel", environment, args, kwargs) for _ in range(2)]
        of_user.end()
        spans = captured.spans

    assert begun == ["kernel", "kernel"]
    assert [(span.name, dict(span.attributes or {}).get("taskweaver.kernel.mode")) for span in spans] == snapshot(
        [("taskweaver.kernel.start", "local"), ("invoke_workflow taskweaver", None)]
    )


def test_a_kernel_that_runs_is_not_expected_again() -> None:
    """Each reply asks that there be one: what starts after the round is no part of it."""
    environment = SimpleNamespace(mode=SimpleNamespace(value="local"), session_dict={}, client_dict={})
    executor = SimpleNamespace(client_started=True, session_id="s")
    with capture() as captured:
        assert captured.client.recorder is not None
        of_user = Round(captured.client.recorder)
        hooks = Hooks(lambda: captured.client.recorder)
        with attached(of_user.context):
            hooks.start_executor(lambda: None, executor, (), {})
        of_user.end()
        hooks.start_kernel(lambda session_id: None, environment, ("s",), {})
        spans = [span.name for span in captured.spans]

    assert spans == ["invoke_workflow taskweaver"]


@pytest.mark.parametrize("by_name", [True, False])
def test_a_kernel_is_told_its_span_and_asked_for_what_it_has_recorded(tmp_path: Path, *, by_name: bool) -> None:
    """As it starts, at each run of code and before it is stopped, with what it is called with."""
    (tmp_path / "ces").mkdir()
    file, entered, asked = tmp_path / "ces" / "agentops_otel.spans", list[str](), list[object]()
    environment = SimpleNamespace(
        mode=SimpleNamespace(value="local"),
        session_dict={"s": SimpleNamespace(session_dir=str(tmp_path))},
        client_dict={"s": SimpleNamespace(execute=lambda code, **options: entered.append(code))},
    )

    def ends(name: str) -> Callable[..., str]:
        def work(*args: object, **kwargs: object) -> str:
            asked.append((args, kwargs))
            with file.open("ab") as written:
                written.write(line(name))
            return name

        return work

    given: dict[str, Any] = {"args": (), "kwargs": {"session_id": "s"}} if by_name else {"args": ("s",), "kwargs": {}}
    with capture() as captured:
        assert captured.client.recorder is not None
        of_user = Round(captured.client.recorder)
        hooks = Hooks(lambda: captured.client.recorder)
        with attached(of_user.context):
            answers = [
                hooks.start_kernel(ends("of an earlier client"), environment, **given),
                hooks.execute_in_kernel(ends("of a run"), environment, **given),
            ]
        recorded = [span.name for span in captured.spans]
        file.write_bytes(file.read_bytes() + line("of its end"))
        answers.append(hooks.stop_kernel(lambda *args, **kwargs: "stopped", environment, **given))
        answers.append(hooks.stop_kernel(lambda *args, **kwargs: "stopped", environment, **given))
        of_user.end()
        spans = {span.name: span for span in captured.spans}

    assert answers == ["of an earlier client", "of a run", "stopped", "stopped"]
    assert asked == [(given["args"], given["kwargs"])] * 2
    assert len(entered) == 2
    assert recorded == ["taskweaver.kernel.start", "of a run"]
    assert list(spans) == [*recorded, "of its end", "invoke_workflow taskweaver"]
    above = {name: span.parent and span.parent.span_id for name, span in spans.items()}
    root = of_user.span.get_span_context().span_id
    assert above == {**dict.fromkeys(spans, root), "invoke_workflow taskweaver": None}
    assert not file.exists()


def test_a_reply_is_one_with_what_it_is_given() -> None:
    """A role that calls its base class's reply makes one span."""
    role, asked = SimpleNamespace(get_alias=lambda: "Coder"), list[object]()

    def reply(*args: object, **kwargs: object) -> str:
        asked.append((args, kwargs))
        return "a post"

    with capture() as captured:
        assert captured.client.recorder is not None
        hooks, of_user = Hooks(lambda: captured.client.recorder), Round(captured.client.recorder)
        outside = hooks.reply(reply, role, ("memory",), {"prompt": "p"})
        with attached(of_user.context):
            base = partial(hooks.reply, reply, role, ("memory",), {"prompt": "p"})
            answers = [hooks.reply(base, role, (), {}), hooks.reply(reply, role, ("memory",), {"prompt": "p"})]
        of_user.end()
        names = [span.name for span in captured.spans]

    assert [outside, *answers] == ["a post"] * 3
    assert asked == [(("memory",), {"prompt": "p"})] * 3
    assert names == ["invoke_agent Coder", "invoke_agent Coder", "invoke_workflow taskweaver"]


class Planner:
    """A role that is seen for the first time."""

    def reply(self) -> str:
        """A post."""
        return "post"


def test_what_comes_after_the_end_is_not_hooked() -> None:
    """A role of a session that goes on, and a module whose import had begun."""
    before, tracing = vars(Planner)["reply"], SimpleNamespace(_tracer=object(), _trace=object())
    tracing.__name__ = builtin_tracing.MODULE
    tracing.Tracing = type("Tracing", (), {"__init__": lambda self: None})
    with capture() as captured:
        hooks = Hooks(lambda: captured.client.recorder)
        installation = Installation(
            hooks, {builtin_tracing.MODULE: {"Tracing.__init__": Hooks.disable_builtin_tracing}}
        )
        kept = hooks.patch
        kept(Planner, "reply", Hooks.reply)
        during = vars(Planner)["reply"]
        installation.uninstall()
        kept(Planner, "reply", Hooks.reply)
        hooks.get_recorder = lambda: captured.client.recorder
        on = dict(vars(tracing))
        installation._imported(tracing)  # type: ignore[arg-type]  # as much of the module as is read

    assert (during is before, vars(Planner)["reply"] is before) == (False, True)
    assert vars(tracing) == on


class Told(SimpleNamespace):
    """An event, which the handler has weak references to."""


def event(kind: str, msg: object = "", post_id: str = "p1", **extra: object) -> Any:
    """One of TaskWeaver's."""
    return Told(t=SimpleNamespace(value=kind), msg=msg, round_id="r1", post_id=post_id, extra=extra)


def told(*events: Any, capture_content: bool = True) -> tuple[Any, Any]:
    """A reply of these events: its post and its span."""
    with capture(capture_content=capture_content) as captured:
        recorder = captured.client.recorder
        assert recorder is not None
        span = recorder.start("invoke_agent Planner")
        post = Post(recorder, span, "Planner", attempt=1)
        for one in events:
            post.handle_event(one)
        post.describe()
        recorder.end(span, post.ended_at)
        return post, captured.spans[0]


def test_each_event_of_a_reply_is_told() -> None:
    """In pieces as it comes; what failed to be understood begins anew."""
    post, span = told(
        event("post_start"),
        event("post_status_update", "thinking"),
        event("post_attachment_update", "dropped", id="a0", type="thought"),
        event("post_error", "no JSON"),
        event("post_send_to_update", role="User"),
        event("post_message_update", "hel"),
        event("post_message_update", "lo", post_id="p2"),
        event("post_attachment_update", "one", id="a1", type=SimpleNamespace(value="plan")),
        event("post_attachment_update", ["two", 3], id="a1", type="no more"),
        event("post_attachment_update", "other", id="a2", type="plan"),
        event("post_attachment_update", "hidden", id="a3", type="shared_memory_entry"),
        event("post_end"),
        event("post_of_tomorrow"),
    )

    attributes = {name: value for name, value in span.attributes.items() if name not in ("session.id", "agentops.tags")}
    assert json.loads(attributes.pop("gen_ai.output.messages")) == [message("assistant", "hello", "Planner")]
    assert attributes == snapshot(
        {
            "taskweaver.post.id": "p1",
            "taskweaver.post.attempt": 1,
            "taskweaver.post.send_to": "User",
            "taskweaver.plan": """\
onetwo
3
other\
""",
            "error.type": "invalid_response",
        }
    )
    assert [(one.name, dict(one.attributes)) for one in span.events] == snapshot(
        [("taskweaver.status", {"taskweaver.status": "thinking"})]
    )
    assert (span.status.status_code.name, span.status.description) == ("ERROR", "no JSON")
    assert post.ended_at == span.end_time


WORDS = (
    *("CORRECT", "INCORRECT", "SUCCESS", "FAILURE", "python", "text", "InProcess", "Completed", "Clarification"),
    *("AdditionalInformation", "SecurityRisks", "TaskFailure"),
)


def test_a_run_of_code_is_told_by_events_alone_and_ends_with_its_result() -> None:
    """Without hooks, as `instrument_taskweaver=False` has it."""
    handler = TaskWeaverEventHandler("s")
    with capture(instrument_taskweaver=False) as captured:
        for one in (
            event("round_start"),
            event("post_start", role="CodeInterpreter"),
            event("post_attachment_update", "1 + 2", id="a1", type="reply_content"),
            event("post_status_update", "executing code"),
            event("post_attachment_update", "SUCCESS", id="a2", type="execution_status"),
            event("post_attachment_update", "3", id="a3", type="execution_result"),
        ):
            handler.handle(one)
        (run,) = captured.spans
        handler.handle(event("round_end"))
        names = [span.name for span in captured.spans]

    assert names == ["execute_tool python", "invoke_agent CodeInterpreter", "invoke_workflow taskweaver"]
    attributes = dict(run.attributes or {})
    assert attributes.pop("session.id")
    assert attributes == snapshot(
        {
            "agentops.tags": ("taskweaver",),
            "gen_ai.conversation.id": "s",
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "python",
            "gen_ai.tool.call.id": "p1",
            "taskweaver.execution_status": "SUCCESS",
            "gen_ai.tool.call.arguments": '{"code":"1 + 2"}',
            "gen_ai.tool.call.result": "3",
        }
    )


@pytest.mark.parametrize("word", [*WORDS, "a secret plan"])
def test_words_of_taskweavers_are_no_content(word: str) -> None:
    """They are told with content off too; what a model wrote is not."""
    _, span = told(event("post_attachment_update", word, id="a", type="stop"), capture_content=False)

    assert span.attributes.get("taskweaver.stop") == (word if word in WORDS else None)


@pytest.mark.parametrize(
    ("verdict", "status", "kept"),
    [
        ("NONE", "NONE", []),
        ("CORRECT", "NONE", ["verification"]),
        ("INCORRECT", "NONE", ["code_error", "verification"]),
        ("CORRECT", "SUCCESS", ["execution_result", "execution_status", "verification"]),
        ("NONE", "FAILURE", ["execution_result", "execution_status"]),
    ],
)
def test_what_did_not_take_place_is_not_told(verdict: str, status: str, kept: list[str]) -> None:
    """TaskWeaver says of each step that it was none."""
    said = {"verification": verdict, "code_error": "forbidden", "execution_status": status, "execution_result": "3"}
    _, span = told(*(event("post_attachment_update", text, id=kind, type=kind) for kind, text in said.items()))

    assert sorted(name for name in said if f"taskweaver.{name}" in span.attributes) == kept
    failed = ("ERROR", "forbidden") if verdict == "INCORRECT" else ("UNSET", None)
    assert (span.status.status_code.name, span.status.description) == failed


@pytest.mark.parametrize("said", ["revise_message", "thought"])
def test_a_reply_that_is_to_be_revised_was_no_answer(said: str) -> None:
    """Unless it ran something all the same; the words are those of the reply."""
    _, span = told(event("post_attachment_update", "again", id="a", type=said), event("post_message_update", "what?"))

    failed = ("ERROR", "what?") if said == "revise_message" else ("UNSET", None)
    assert (span.status.status_code.name, span.status.description) == failed


def test_a_reply_ends_before_its_round_and_one_to_itself_is_tried_again() -> None:
    """The attempts are counted until another role is sent to."""
    replies = [("Coder", "Coder"), ("Coder", "Coder"), ("Coder", "Planner"), ("Coder", "User"), ("Planner", "User")]
    attempts = []
    with capture() as captured:
        recorder = captured.client.recorder
        assert recorder is not None
        of_user = Round(recorder)
        for role, to in replies:
            post = of_user.open_post(role)
            attempts.append(post.attempt)
            post.handle_event(event("post_send_to_update", role=to))
            of_user.close_post()
        ended = [span.name for span in captured.spans]
        of_user.end(state="finished")

    assert attempts == [1, 2, 3, 1, 1]
    assert ended == [f"invoke_agent {role}" for role, _ in replies]


def line(name: str, **more: object) -> bytes:
    """A span as the kernel writes it."""
    given: dict[str, object] = {
        **{"name": name, "kind": "INTERNAL", "id": name, "parent": None, "start": 10, "end": 20},
        **{"attributes": {}, "links": [], "events": [], "status": "UNSET", "description": None},
    }
    return json.dumps({**given, **more}).encode() + b"\n"


@pytest.mark.parametrize("content", [True, False])
def test_what_ended_in_a_kernel_is_recorded_whole(tmp_path: Path, *, content: bool) -> None:
    """Below the span that ran it: links, events, tags, errors and times; half a line is left for the next time."""
    file = tmp_path / "ces" / "agentops_otel.spans"
    file.parent.mkdir()
    inner = line(
        "inner", parent="outer", kind="CLIENT", start=12, end=18, links=[["ab", "cd"]],
        status="ERROR", description="bad",
        events=[["exception", 15, {"exception.message": "bad", "exception.type": "E"}]],
        attributes={"session.id": "kernel's", "agentops.tags": ["a", "b", "a"], "gen_ai.output.messages": "hi", "n": 1},
    )  # fmt: skip
    outer, last = line("outer", status="OK"), line("last", start=30, end=40)
    file.write_bytes(b"earlier\n")
    with capture(capture_content=content) as captured:
        recorder = captured.client.recorder
        assert recorder is not None
        kernel = Kernel(tmp_path, container=False)
        with use_span(recorder.start("execute_tool python")) as above:
            for more in (inner + outer + last[:20], last[20:]):
                with file.open("ab") as written:
                    written.write(more)
                kernel.leave(recorder, get_current())
            kernel.close(recorder, get_current())
        found = {span.name: span for span in captured.spans}

    assert not file.exists()
    assert list(found) == ["outer", "inner", "last"]
    ids = {name: context.span_id for name, span in found.items() if (context := span.get_span_context())}
    assert {name: span.parent and span.parent.span_id for name, span in found.items()} == {
        "outer": above.get_span_context().span_id,
        "inner": ids["outer"],
        "last": above.get_span_context().span_id,
    }
    one = found["inner"]
    attributes = {name: value for name, value in (one.attributes or {}).items() if name != "session.id"}
    hidden = {"gen_ai.output.messages": "hi"} if content else {}
    assert attributes == {"agentops.tags": ("a", "b"), "n": 1, **hidden}
    assert (one.kind.name, one.start_time, one.end_time) == ("CLIENT", 12, 18)
    assert [(each.context.trace_id, each.context.span_id, each.context.is_remote) for each in one.links] == [
        (0xAB, 0xCD, True)
    ]
    message_of = {"exception.message": "bad"} if content else {}
    assert [(each.name, each.timestamp, dict(each.attributes or {})) for each in one.events] == [
        ("exception", 15, {**message_of, "exception.type": "E"})
    ]
    assert (one.status.status_code.name, one.status.description) == ("ERROR", "bad" if content else None)
    assert found["outer"].status.status_code.name == "OK"
