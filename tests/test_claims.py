"""What README and docs promise, tried: each test's docstring is the sentence, word for word, as a page has it."""

import asyncio
import inspect
import json
import pickle
import re
import stat
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest
from click.testing import CliRunner
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import agentops_otel
from agentops_otel import ConfigError, record_action
from agentops_otel.cli import commands
from agentops_otel.config import Config, read_config
from agentops_otel.content import MAX_DEPTH, media, policy, redaction
from agentops_otel.export import (
    fallback_file,
    file,
    outbox,
    pipeline,
    sender,
    spool,
    threads,
    trace_directory,
    viewers,
)
from agentops_otel.instrumentation import reading, steps
from agentops_otel.testing import capture
from agentops_otel.tracing import content_policy
from agentops_otel.view import printer, session_totals, terminal, terminal_processor
from agentops_otel.view.live import saved, store
from tests.loopback.llm_server import LlmServer
from tests.loopback.openai_server import answer, completion
from tests.loopback.otlp_sink import OtlpSink
from tests.program import ROOT, run
from tests.python_process import run_python
from tests.sentences import on_no_page


def test_every_sentence_here_is_on_a_page() -> None:
    """Whoever edits a sentence of the pages meets its test: a docstring that is on no page is an error."""
    here = sys.modules[__name__]

    assert on_no_page(here, "test_every_sentence_here_is_on_a_page", "test_a_limit", "test_a_figure") == {}


def block(page: str, number: int) -> str:
    """A block of Python of a page, counted from 1."""
    return str(re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)[number - 1])


@pytest.fixture
def server() -> Iterator[LlmServer]:
    """A model's server on loopback that answers one question."""
    with LlmServer() as running:
        running.answer(answer(completion(), stream=False))
        yield running


def ask(server: LlmServer) -> None:
    """Ask the server a question with the openai client."""
    with openai.OpenAI(base_url=f"http://127.0.0.1:{server.port}/v1", api_key="none") as client:
        client.chat.completions.create(model="m", messages=[{"role": "user", "content": "secret plan"}])


@record_action
def plain(a: int, b: int = 2) -> int:
    """A function of a module, which can be pickled by its name."""
    return a + b


@record_action
async def coroutine() -> int:
    """An async function."""
    return 1


@record_action
def generator() -> Iterator[int]:
    """A generator."""
    yield 1


def test_decorated_function() -> None:
    """A decorated function stays what it was: sync, async or generator, with its signature, types and pickling."""
    assert inspect.iscoroutinefunction(coroutine)
    assert inspect.isgeneratorfunction(generator)
    assert str(inspect.signature(plain)) == "(a: int, b: int = 2) -> int"
    assert pickle.loads(pickle.dumps(plain)) is plain
    with capture():
        assert (plain(1), asyncio.run(coroutine()), list(generator())) == (3, 1, [1])


def test_parameters_result_and_exception() -> None:
    """Each call of `search` is now a span with its parameters and its result or exception."""
    with capture() as captured:
        plain(1, b=5)
        with pytest.raises(TypeError):
            plain("x")  # type: ignore[arg-type]
    good, bad = captured.tree()

    assert good["attributes"]["agentops.entity.input"] == '{"a":1,"b":5}'  # type: ignore[index]
    assert good["attributes"]["agentops.entity.output"] == "6"  # type: ignore[index]
    assert bad["events"][0]["exception.type"] == "TypeError"  # type: ignore[index]


def test_tree_of_the_readme() -> None:
    """This is what the demo prints."""
    shown = re.findall(r"```\n(agent .*?)\ntrace", (ROOT / "README.md").read_text(), re.DOTALL)[0]
    printed = run(
        """
        import runpy, sys
        sys.path.insert(0, "examples")
        runpy.run_path("examples/quickstart.py", run_name="__main__")
        """
    ).stderr

    def without_times(text: str) -> list[str]:
        return [re.sub(r" +[\d.]+ m?s", "", line).rstrip() for line in text.splitlines()]

    assert "\n".join(without_times(shown)) in "\n".join(without_times(printed))


def test_one_line_says_where() -> None:
    """One line on stderr says which."""
    with OtlpSink() as sink:
        finished = run(f"import agentops_otel; agentops_otel.init(endpoint={sink.endpoint!r})")

    (line,) = finished.stderr.splitlines()
    assert "spans go to http://" in line


def test_show_prints_the_newest() -> None:
    """`agentops-otel show` prints the traces of the last run again."""
    run("import agentops_otel; agentops_otel.init(); agentops_otel.record_action('older')(lambda: None)()")
    run("import agentops_otel; agentops_otel.init(); agentops_otel.record_action('newer')(lambda: None)()")

    printed = CliRunner().invoke(commands, ["show"]).output

    assert printed.startswith("newer ")
    assert "older" not in printed


def test_client_imported_after_init() -> None:
    """A client may be imported before or after `init()`."""
    program = """
        import sys
        {first}
        {second}
        from tests.loopback.llm_server import LlmServer
        from tests.loopback.openai_server import answer, completion
        with LlmServer() as server, openai.OpenAI(base_url=f"http://127.0.0.1:{{server.port}}", api_key="k") as client:
            server.answer(answer(completion(), stream=False))
            client.chat.completions.create(model="m", messages=[])
    """
    init = "import agentops_otel; agentops_otel.init(console=True, trace_file=False)"
    for order in ((init, "import openai"), ("import openai", init)):
        assert run(program.format(first=order[0], second=order[1])).stderr.count("\nchat m") == 1


def test_llm_clients_left_alone(server: LlmServer) -> None:
    """`init(instrument_llm_calls=False)` leaves all LLM clients alone."""
    with capture(instrument_llm_calls=False) as captured:
        ask(server)

    assert captured.spans == ()


def guest(**settings: object) -> tuple[TracerProvider, InMemorySpanExporter]:
    """A provider of the program's own, given to `init()`."""
    provider, exporter = TracerProvider(shutdown_on_exit=False), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    agentops_otel.init(tracer_provider=provider, **settings)  # type: ignore[arg-type]
    return provider, exporter


def test_guest() -> None:
    """It changes neither its resource nor its sampler, and never shuts it down."""
    provider, exporter = guest()
    before = provider.resource, provider.sampler

    plain(1)
    agentops_otel.shutdown()
    provider.get_tracer("after").start_span("after").end()

    assert (provider.resource, provider.sampler) == before
    assert [span.name for span in exporter.get_finished_spans()] == ["plain", "after"]


def test_guest_sends_where_it_is_told() -> None:
    """Where you name a destination, everything that your provider makes is sent there, not only our spans."""
    with OtlpSink() as sink:
        provider, _ = guest(endpoint=sink.endpoint)
        provider.get_tracer("theirs").start_span("theirs").end()
        plain(1)
        assert agentops_otel.flush()

        assert set(sink.spans) == {"theirs", "plain"}


def recorded(value: object, **settings: object) -> str:
    """All that is recorded of a value that a decorated function is given and returns."""

    @record_action("given")
    def give(value: object) -> object:
        return value

    with capture(**settings) as captured:  # type: ignore[arg-type]
        give(value)
    return "".join(span.to_json() for span in captured.spans)


@pytest.mark.parametrize(
    "secret",
    [
        "sk-proj-abcdefghijklmnop1234",
        "ghp_" + "a" * 36,
        "-----BEGIN PRIVATE KEY-----\nMIIEv\n-----END PRIVATE KEY-----",
    ],
)
def test_secrets(secret: str) -> None:
    """API keys, tokens, passwords and private keys are replaced by `[redacted]` before a value is kept or sent."""
    for value in ({"text": f"use {secret} for it"}, {"password": "hunter2hunter2"}):
        text = recorded(value)

        assert "[redacted]" in text
        assert secret[5:] not in text
        assert "hunter2" not in text


def test_e_mail_is_content() -> None:
    """E-mail addresses, card numbers and the like are content, and are kept."""
    text = recorded("ada@example.org 4111 1111 1111 1111")

    assert "ada@example.org" in text
    assert "4111 1111 1111 1111" in text


def test_rule_keeps_json() -> None:
    """Keep it valid JSON."""
    names: dict[str, object] = {}
    exec(block("docs/privacy.md", 1).replace("agentops_otel.init(", "dict("), names)

    @record_action("given")
    def give(value: object) -> object:
        return value

    with capture(redact=names["mask"]) as captured:  # type: ignore[arg-type]
        give({"to": "ada@example.org", "list": ["a@b.io", 'quote"ada@b.io"']})
    ((span,),) = (captured.spans,)
    read = json.loads(str((span.attributes or {})["agentops.entity.output"]))

    assert read == {"to": "[e-mail]", "list": ["[e-mail]", 'quote"[e-mail]"']}


def test_content_off(server: LlmServer) -> None:
    """`capture_content=False` keeps arguments, results, prompts, answers, and the texts of errors off every span."""

    @record_action("fails")
    def fails(text: str) -> None:
        raise ValueError(text)

    with capture(capture_content=False) as captured:
        ask(server)
        with pytest.raises(ValueError, match="secret plan"):
            fails("secret plan")

    text = "".join(span.to_json() for span in captured.spans)
    assert len(captured.spans) == 2
    assert "secret plan" not in text
    assert "21 degrees" not in text


def test_names_stay() -> None:
    """Names stay, since they are your program's own words: of spans, sessions, tools, agents and models, and tags."""
    with capture(capture_content=False) as captured, agentops_otel.start_session(["my tag"], name="my session"):
        record_action("my action")(lambda: None)()
        agentops_otel.record(agentops_otel.ToolEvent(name="my tool", params="my words"))
        agentops_otel.record(agentops_otel.LLMEvent(model="my-model", prompt="my words", completion_tokens=7))

    text = "".join(span.to_json() for span in captured.spans)
    for name in ("my tag", "my session", "my action", "my tool", "my-model"):
        assert name in text
    assert '"gen_ai.usage.output_tokens": 7' in text
    assert "my words" not in text


def test_counts_of_tokens_stay() -> None:
    """Numbers under `tokens` and the like are counts and stay."""
    text = recorded({"tokens": 31, "max_tokens": 100, "total_tokens": 7, "token": "a1b2c3d4e5f6"})

    assert "31" in text
    assert "100" in text
    assert "a1b2c3d4e5f6" not in text


def test_the_rule_gets_name_and_text() -> None:
    """The rule gets the attribute's name and its whole text, which is JSON for arguments, results and messages."""
    seen: dict[str, str] = {}

    def rule(name: str, text: str) -> str | None:
        seen[name] = text
        return None if name == "agentops.entity.output" else text

    with capture(redact=rule) as captured:
        plain(1, b=2)
    (span,) = captured.spans
    attributes = span.attributes or {}

    assert seen == {"agentops.entity.input": '{"a":1,"b":2}', "agentops.entity.output": "3"}
    assert "agentops.entity.output" not in attributes


def test_objects_are_not_run() -> None:
    """Objects are read, never run: no `__repr__` is called, no generator consumed."""

    class Loud:
        def __repr__(self) -> str:
            raise AssertionError

        __str__ = __repr__

    numbers = iter([1, 2])
    recorded([Loud(), numbers])

    assert list(numbers) == [1, 2]


def test_media() -> None:
    """Images and audio are recorded by type and size."""
    text = recorded({"image": "data:image/png;base64," + "iVBORw0KGgo" * 100})

    assert "iVBORw0KGgo" not in text
    assert "image/png" in text


def test_bounds() -> None:
    """A value is bounded to 32 kB an attribute and 256 kB a span."""
    with capture() as captured:
        record_action("large")(lambda value: value)("x" * 10_000_000)

    (span,) = captured.spans
    sizes = [len(value.encode()) for value in (span.attributes or {}).values() if isinstance(value, str)]
    assert max(sizes) <= 32 * 1024
    assert sum(sizes) <= 256 * 1024


def test_files_are_private(tmp_path: Path) -> None:
    """Trace files and the spool are in your state directory, readable by you alone (0600)."""
    run("import agentops_otel; agentops_otel.init(); agentops_otel.record_action('step')(lambda: None)()")
    run(
        "import agentops_otel; agentops_otel.init(endpoint='http://127.0.0.1:9', exit_timeout_s=0.5)"
        "; agentops_otel.record_action('step')(lambda: None)()"
    )

    files = [path for path in (tmp_path / "state").rglob("*") if path.is_file()]
    assert {path.suffix for path in files} >= {".jsonl", ".spans"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_wrong_setting() -> None:
    """A setting that cannot work raises `ConfigError` from `init()`, with its name and what would be right."""
    with pytest.raises(ConfigError, match=r"protocol='carrier pigeon' is not usable: use http/protobuf or grpc"):
        agentops_otel.init(protocol="carrier pigeon", endpoint="http://localhost:4318")


def test_second_init() -> None:
    """A second `init()` returns the running client."""
    first = agentops_otel.init(console=False, trace_file=False)

    assert agentops_otel.init() is first


def test_argument_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    """An argument of `init()` wins over `AGENTOPS_*`, that over `OTEL_*`, and that over the default."""
    monkeypatch.setenv("AGENTOPS_DEFAULT_TAGS", "variable")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://variable:4318")

    monkeypatch.setenv("AGENTOPS_INSTRUMENT_LLM_CALLS", "false")

    config = agentops_otel.init(tags=["argument"], instrument_llm_calls=True, console=False).config

    assert config.tags == ("argument",)
    assert config.instrument_llm_calls
    assert [to.display_url for to in config.destinations] == ["http://variable:4318/v1/traces"]


def test_every_span_on_disk() -> None:
    """With `durability="span"` each span is on disk before its `end()` returns."""
    run(
        "import os, agentops_otel; agentops_otel.init(endpoint='http://127.0.0.1:9', durability='span')"
        "; agentops_otel.record_action('step')(lambda: None)(); os._exit(0)"
    )
    (segment,) = (Config().state_dir / "spool").rglob("*.spans")
    assert b"step" in segment.read_bytes()


def test_stats_add_up() -> None:
    """`agentops_otel.stats()` accounts for every span: sent, spooled, pending, or dropped and why."""
    with OtlpSink() as sink:
        agentops_otel.init(endpoint=sink.endpoint, console=False)
        for _ in range(10):
            plain(1)
        assert agentops_otel.flush()
        stats = agentops_otel.stats()

    assert stats.produced == 10
    assert stats.produced == stats.sent + stats.spooled + stats.pending + sum(stats.dropped.values())


def test_no_context_from_outside(tmp_path: Path) -> None:
    """agentops_otel reads no trace context by itself, neither from headers nor from the environment."""
    path = tmp_path / "t.jsonl"
    run(
        f"import agentops_otel; agentops_otel.init(trace_file={str(path)!r}, console=False)"
        "; agentops_otel.record_action('step')(lambda: None)()",
        TRACEPARENT="00-0123456789abcdef0123456789abcdef-0123456789abcdef-00",
    )

    (span,) = file.read(path)
    assert not isinstance(span, ValueError)
    assert span.parent is None


def test_threads() -> None:
    """`init(propagate_threads=True)` carries the current span into new threads, thread pools and `run_in_executor`."""

    async def in_executor() -> None:
        await asyncio.get_running_loop().run_in_executor(None, plain, 1)

    @record_action("outer")
    def outer() -> None:
        thread = threading.Thread(target=plain, args=(1,))
        thread.start()
        thread.join()
        asyncio.run(in_executor())

    with capture(propagate_threads=True) as captured:
        outer()

    (root,) = captured.tree()
    assert [child["name"] for child in root["children"]] == ["plain", "plain"]  # type: ignore[attr-defined]


def test_same_tree_twice() -> None:
    """`capture()` keeps spans in memory, with counted ids and a counted clock, so that two runs give the same tree."""

    def once() -> object:
        with capture() as captured:
            plain(1)
        return captured.tree(), [(span.context.span_id, span.start_time, span.end_time) for span in captured.spans]

    assert once() == once()


def test_capture_reads_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment is not read."""

    def captured() -> object:
        with capture() as captured:
            plain(1)
        return captured.tree(), [dict(span.resource.attributes) for span in captured.spans]

    without = captured()
    for name, value in {
        "OTEL_SDK_DISABLED": "true",
        "OTEL_TRACES_SAMPLER": "always_off",
        "OTEL_SERVICE_NAME": "elsewhere",
        "OTEL_RESOURCE_ATTRIBUTES": "team=red",
        "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "1",
        "OTEL_ATTRIBUTE_COUNT_LIMIT": "1",
        "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "1",
        "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT": "1",
        "OTEL_SPAN_EVENT_COUNT_LIMIT": "0",
        "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT": "0",
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "NO_CONTENT",
        "AGENTOPS_INSTRUMENT_LLM_CALLS": "false",
        "AGENTOPS_DEFAULT_TAGS": "tag",
        "AGENTOPS_REDACT": "builtins:print",
        "AGENTOPS_TRACE_FILE": "/nowhere/t.jsonl",
    }.items():
        monkeypatch.setenv(name, value)

    assert captured() == without


def test_ids_count_only_during_a_capture() -> None:
    """Spans that are made outside of a capture have random ids, also after one."""
    program = """
import agentops_otel
from agentops_otel import testing
from opentelemetry import trace

def ids():
    with trace.get_tracer("app").start_as_current_span("work") as span:
        context = span.get_span_context()
        return context.trace_id, context.span_id

with testing.capture():
    print(*ids())
    with testing.capture():
        print(*ids())
    print(*ids())
agentops_otel.init(console=False, trace_file=False)
print(all(number > 1_000_000 for number in ids()))
"""
    done = run_python("-c", program, timeout=60)

    assert done.stdout.splitlines() == ["1 1", "1 1", "2 2", "True"], done.stderr


def test_no_file_from_capture(tmp_path: Path) -> None:
    """It touches no network and no file."""
    with capture():
        plain(1)

    assert list(tmp_path.rglob("*.jsonl")) == []


def test_agentops_settings() -> None:
    """Accepted, without effect."""
    client = agentops_otel.init(
        max_wait_time=1, max_queue_size=1, parent_key="x", log_level=10, fail_safe=True, console=False, trace_file=False
    )

    assert client is agentops_otel.Client()


def test_suppress(server: LlmServer) -> None:
    """No span is made within `agentops_otel.suppress()`."""
    with capture() as captured, agentops_otel.suppress():
        plain(1)
        ask(server)

    assert captured.spans == ()


def test_exporter_of_agentops_is_used() -> None:
    """Used (0.4 ignored them)."""
    exporter = InMemorySpanExporter()
    agentops_otel.init(exporter=exporter, console=False, trace_file=False)

    plain(1)
    agentops_otel.shutdown()

    assert [span.name for span in exporter.get_finished_spans()] == ["plain"]


@pytest.mark.measured
def test_a_vendors_provider(tmp_path: Path) -> None:
    """Ours is private then, and one warning says so."""
    finished = run(
        """
        from opentelemetry import trace
        import agentops_otel
        class Vendor(trace.TracerProvider):
            def get_tracer(self, *args, **kwargs):
                return trace.NoOpTracer()
        vendor = Vendor()
        trace.set_tracer_provider(vendor)
        agentops_otel.init(trace_file="t.jsonl", console=True)
        agentops_otel.record_action("step")(lambda: None)()
        assert trace.get_tracer_provider() is vendor
        """,
        cwd=tmp_path,
        PYTHONPATH=str(ROOT),
    )

    assert finished.stderr.count("Vendor") == 1
    assert "\nstep " in finished.stderr


def test_ports() -> None:
    """Port 4317 is gRPC's; or say protocol="grpc"."""
    (destination,) = read_config(endpoint="http://localhost:4317").destinations
    (named,) = read_config(endpoint="http://localhost:4000", protocol="grpc").destinations

    assert (destination.protocol, named.protocol) == ("grpc", "grpc")


def test_show_as_json() -> None:
    """`agentops-otel show --json > trace.json` makes one of the newest."""
    run("import agentops_otel; agentops_otel.init(); agentops_otel.record_action('step')(lambda: None)()")

    lines = CliRunner().invoke(commands, ["show", "--json"]).output.splitlines()

    assert [list(json.loads(line)) for line in lines] == [["resourceSpans"]]


def test_show_as_page(tmp_path: Path) -> None:
    """`agentops-otel show --html trace.html` makes a page of it."""
    run("import agentops_otel; agentops_otel.init(); agentops_otel.record_action('step')(lambda: None)()")

    CliRunner().invoke(commands, ["show", "--html", str(tmp_path / "trace.html")])

    assert "step" in (tmp_path / "trace.html").read_text()


def test_requests_are_the_programs_own() -> None:
    """Nothing is added to your requests; TaskWeaver's own are [the one exception](taskweaver.md#tokens)."""

    def sent() -> list[object]:
        with LlmServer() as server:
            server.answer(answer(completion(), stream=True))
            with openai.OpenAI(base_url=f"http://127.0.0.1:{server.port}/v1", api_key="none") as client:
                list(
                    client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}], stream=True)
                )
            return [request.json for request in server.requests]

    without = sent()
    with capture() as captured:
        traced = sent()

    assert traced == without
    assert len(captured.spans) == 1


def test_two_destinations() -> None:
    """Both, each in its own names."""
    (collector, hosted) = read_config(endpoint="http://collector:4318", api_key="key").destinations

    assert (collector.display_url, collector.agentops) == ("http://collector:4318/v1/traces", None)
    assert hosted.agentops is not None


def test_a_trace_file_by_name(tmp_path: Path) -> None:
    """`init(trace_file="agent.jsonl")` names one."""
    run(
        "import agentops_otel; agentops_otel.init(trace_file='agent.jsonl')"
        "; agentops_otel.record_action('step')(lambda: None)()",
        cwd=tmp_path,
        PYTHONPATH=str(ROOT),
    )

    assert [span.name for span in file.read(tmp_path / "agent.jsonl") if not isinstance(span, ValueError)] == ["step"]


def test_shutdown_then_init() -> None:
    """To change settings, call `agentops_otel.shutdown()` first."""
    agentops_otel.init(tags=["one"], console=False, trace_file=False)
    agentops_otel.shutdown()

    assert agentops_otel.init(tags=["two"], console=False, trace_file=False).config.tags == ("two",)


def test_the_root_says_what_was_asked(server: LlmServer) -> None:
    """With nothing else set up, or with `init(console=True)`, each trace is printed on stderr when it ends."""
    finished = run(
        f"""
        import openai, agentops_otel
        agentops_otel.init(console=True, trace_file=False, endpoint="http://127.0.0.1:9", exit_timeout_s=0.2)
        with openai.OpenAI(base_url="http://127.0.0.1:{server.port}/v1", api_key="none") as client:
            client.chat.completions.create(model="m", messages=[{{"role": "user", "content": "How warm is it?"}}])
        """
    )

    assert re.search('^chat m .*"How warm is it\\?"$', finished.stderr, re.MULTILINE)


def test_a_sampler_that_drops() -> None:
    """No span is made within `agentops_otel.suppress()`, nor in a trace that the sampler dropped."""
    finished = run(
        "import agentops_otel; agentops_otel.init(console=True, trace_file=False)"
        "; agentops_otel.record_action('dropped')(lambda: None)(); agentops_otel.flush(); print(agentops_otel.stats())",
        OTEL_TRACES_SAMPLER="always_off",
    )

    assert "dropped" not in finished.stderr
    assert "produced=0" in finished.stdout


def test_everything_off() -> None:
    """Everything passes through."""
    finished = run(
        "import agentops_otel; agentops_otel.init(console=True); print(agentops_otel.record_action(lambda: 7)())",
        OTEL_SDK_DISABLED="true",
    )

    assert (finished.stdout, finished.stderr) == ("7\n", "")


LIMITS = {
    "| the text of one attribute | 32 kB": policy.LIMIT_BYTES == 32 * 1024,
    "| the content of one span | 256 kB": content_policy.SPAN_LIMIT_BYTES == 256 * 1024,
    "| depth of a value | 30 levels": MAX_DEPTH == 30,
    "is recognised from 5 characters on": redaction.SHORTEST_SECRET == 5,
    "is recognised from 256 characters on": media.MEDIA_CHARACTERS == 256,
    "its first 10,000 items": reading.SEEN_LIMIT == 10_000,
    "open at a time | 10,000": steps.OPEN_LIMIT == 10_000,
    "| 4 MB; past that": pipeline.QUEUE_BYTES == 4 * 1024 * 1024,
    "| 16 MB for each destination": outbox.MEMORY_BYTES == 16 * 1024 * 1024,
    "| 512 MB for each destination": spool.LIMIT_BYTES == 512 * 1024 * 1024,
    "is kept for seven days": spool.LIMIT_AGE_S == 7 * 24 * 3600,
    "| 512 kB or 2048 spans": (outbox.REQUEST_BYTES, outbox.REQUEST_SPANS) == (512 * 1024, 2048),
    "it is looked for again after five seconds": sender.PROBE_AGAIN_S == 5,
    "by 500 or 408 | is tried again three times": sender.FEW_TRIES == 3,
    "is held up for two seconds at most": Config().exit_timeout_s == 2,
    "64 MB each, then the process goes on in another": trace_directory.FILE_BYTES == 64 * 1024 * 1024,
    "the newest 100, and the newest gigabyte, stay": (trace_directory.KEEP, trace_directory.DIRECTORY_BYTES)
    == (100, 1024**3),
    "a megabyte of spans": file.LINE_BYTES == 1_000_000,
    "`agentops-otel show --html` | the newest 64 MB": saved.LIMIT_BYTES == 64 * 1024 * 1024,
    "| 60 lines, then cut": terminal.LINES == 60,
    "| 20 in a row and four a second": (printer.BURST, printer.PER_SECOND) == (20, 4.0),
    "a line a second sums up the others": printer.SUM_S == 1.0,
    "for the terminal | the newest 2,000": terminal_processor.HELD_SPANS == 2_000,
    "a total at their end | the newest 1,000": session_totals.SESSIONS == 1_000,
}


PROMISES = {
    ("docs/decisions.md", "0.25 s at most, and 0.01 s at the following forks"): (
        threads.FORK_WAIT_S,
        threads.FORK_WAIT_AGAIN_S,
    )
    == (0.25, 0.01),
    ("docs/troubleshooting.md", "more than 512 spans waited for the trace file"): fallback_file.LIMIT == 512,
    ("docs/decisions.md", "or once 256 kB wait"): outbox.GATHERED_BYTES == 256 * 1024,
    ("docs/metrics.md", "collected every 60 seconds"): Config().metrics_interval_s == 60,
    ("docs/jaeger.md", "16686"): viewers.JAEGER_PORT == 16686,
}


@pytest.mark.parametrize(("page", "words"), PROMISES)
def test_a_figure(page: str, words: str) -> None:
    """Each figure of another page is the one that the code has."""
    assert words in (ROOT / page).read_text()
    assert PROMISES[page, words]


def test_the_page_keeps_runs_as_long_as_it_says() -> None:
    """512 MB of spans at most, and 30 days after their last span."""
    assert "512 MB of spans at most, and 30 days after their last span" in (ROOT / "docs/looking.md").read_text()
    assert (store.LIMIT_BYTES, store.LIMIT_AGE_S) == (512 * 1024 * 1024, 30 * 24 * 3600)


@pytest.mark.parametrize("words", LIMITS)
def test_a_limit(words: str) -> None:
    """Each limit of docs/limits.md is the one that the code has."""
    assert words in (ROOT / "docs/limits.md").read_text()
    assert LIMITS[words]
