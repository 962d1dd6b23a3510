"""What the pages on LLM clients, frameworks and TaskWeaver promise, tried: each docstring is a sentence of theirs."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import openai
import pytest

from agentops_otel import semconv
from agentops_otel.clients import SPECS
from agentops_otel.frameworks import SPECS as FRAMEWORKS
from agentops_otel.instrumentation import ClientSpec, Operation, add_text, install
from agentops_otel.testing import capture
from tests.clients.forms.form import CLIENTS, OTHERS, forms_of
from tests.clients.shown import SENTENCES, SHOWN
from tests.loopback.llm_server import Answer, LlmServer
from tests.loopback.openai_server import answer, completion
from tests.program import ROOT

PAGES = [ROOT / "docs" / name for name in ("taskweaver.md", "frameworks.md", "llm-clients.md")]
TEXT = " ".join(" ".join(page.read_text() for page in PAGES).split())
FIRST = "test_every_sentence_here_is_on_a_page"
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
ASKED: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "How warm is it?"}], "tools": [TOOL]}
CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Paris"}'}}


def test_every_sentence_here_is_on_a_page() -> None:
    """Whoever edits a sentence of the pages meets its test: a docstring that is on no page is an error."""
    tests = {name: test for name, test in vars(sys.modules[__name__]).items() if name.startswith("test_")}
    sentences = {name: " ".join((test.__doc__ or "").split()) for name, test in tests.items() if name != FIRST}

    assert len(sentences) > 5
    assert {name: told for name, told in sentences.items() if not told or told[1:].rstrip(".,") not in TEXT} == {}


def rows(page: str) -> list[list[str]]:
    """The rows of the first table of a page, without its head."""
    table = re.findall(r"(?:^\|.*\|\n)+", (ROOT / "docs" / page).read_text(), re.MULTILINE)[0]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in table.splitlines()[2:]]


def lines_of(example: str, first: str, last: str) -> int:
    """The lines of code of an example, from one that begins with *first* to one that begins with *last*."""
    lines = [line for line in (ROOT / "examples" / example).read_text().splitlines() if line]
    begins = [number for number, line in enumerate(lines) if line.startswith((first, last))]
    return begins[-1] - begins[0] + 1


def sync(server: LlmServer, **more: Any) -> None:
    """A chat, read to its end where it is a stream."""
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client:
        said = client.chat.completions.create(**ASKED, **more)
        if more:
            list(said)


def asynchronous(server: LlmServer, **more: Any) -> None:
    """The same, asynchronous."""

    async def ask() -> None:
        async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client:
            said = await client.chat.completions.create(**ASKED, **more)
            if more:
                _ = [chunk async for chunk in said]

    asyncio.run(ask())


@pytest.mark.parametrize("ask", [sync, asynchronous])
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_one_span_a_call(ask: Callable[..., None], stream: bool) -> None:
    """Each call of an LLM client is one span: plain or streamed, sync or async."""
    whole = completion({"role": "assistant", "content": None, "tool_calls": [CALL]}, finish_reason="tool_calls")
    with LlmServer() as server, capture() as captured:
        server.answer(answer(whole, stream=stream))
        ask(server, **({"stream": True} if stream else {}))

    (span,) = captured.spans
    said = span.attributes or {}
    assert '"name":"weather"' in str(said[semconv.GEN_AI_TOOL_DEFINITIONS])
    assert '"tool_call"' in str(said[semconv.GEN_AI_OUTPUT_MESSAGES])
    assert "Paris" in str(said[semconv.GEN_AI_OUTPUT_MESSAGES])


def test_what_has_no_span() -> None:
    """Beyond the first row, and what the table names, these have no spans: pictures, sounds, rankings."""
    groq = pytest.importorskip("groq")
    mistral = pytest.importorskip("mistralai.client")
    with LlmServer(lambda request: Answer.json({})) as server, capture() as captured:
        with groq.Groq(base_url=server.url, api_key="none", max_retries=0) as client:
            client.audio.speech.create(model="m", input="hello", voice="v").read()
            client.batches.list()
        with mistral.Mistral(api_key="none", server_url=server.url) as client, pytest.raises(Exception, match="valid"):
            client.classifiers.moderate(model="m", inputs=["hello"])
        paths = [request.path for request in server.requests]

    assert len(paths) == 3
    assert captured.spans == ()


def test_names_of_clients() -> None:
    """The names are those of the packages (boto3 is `botocore`); [the list of limits](limits.md#clients) has them."""
    told = " ".join(row[0] for row in rows("llm-clients.md")).replace("boto3", "botocore")
    limits = (ROOT / "docs/limits.md").read_text().partition("## Clients")[2].partition("## ")[0]

    for spec in SPECS:
        assert spec.name.replace("_", "-") in re.sub("_", "-", told).split()
        assert f"`{spec.name}`" in limits


PACKAGE = re.compile(r"(?P<name>[a-z][\w-]*) (?P<version>\d[\d.]*)(?: \(and (?P<older>[\d.]+)\))?")


def test_each_thing_of_the_table() -> None:
    """Each call of an LLM client is one span."""
    shown: dict[str, str] = {}
    for packages, said in rows("llm-clients.md"):
        names = ", ".join(match["name"] for match in PACKAGE.finditer(packages))
        shown[names] = said
        for phrase in SHOWN[names]:
            assert phrase in said, f"{names}: {phrase}"
            said = said.replace(phrase, "", 1)
        assert re.findall(r"[\w`']+", re.sub(r"\b(and|too|by|of)\b", "", said)) == [], (
            f"{names}: no test shows {said!r}"
        )

    assert shown.keys() == SHOWN.keys()


@pytest.mark.parametrize("reference", sorted({one for row in SHOWN.values() for said in row.values() for one in said}))
def test_what_shows_it(reference: str) -> None:
    """Each call of an LLM client is one span: plain or streamed, sync or async."""
    kind, _, name = reference.partition(" ")
    file, _, test = reference.partition("::")
    if test:
        assert f"\ndef {test}(" in (ROOT / "tests/clients" / f"test_{file}.py").read_text()
    else:
        assert name in (*CLIENTS, *OTHERS)
        assert kind == "form" or forms_of(name).embed is not None


def test_each_other_sentence() -> None:
    """What your program sends and gets is unchanged."""
    page = (ROOT / "docs/llm-clients.md").read_text().partition("\n")[2]
    page = re.sub(r"^(\|.*|#.*|```python[^`]*```)$", "", page, flags=re.MULTILINE)
    paragraphs = [" ".join(part.split()) for part in re.split(r"\n\n|\n- ", page)]
    sentences = [one.lstrip("- ") for part in paragraphs for one in re.split(r"(?<=[.:]) (?=[A-Z`])", part) if one]
    goes_on = (
        "A call has one span, ours.",
        "A client with a provider",
        "Then a call has two",
        "Four clients",
        "For some",
    )

    assert [one for one in sentences if not one.startswith((*SENTENCES, *goes_on))] == []
    assert [begin for begin in SENTENCES if not any(one.startswith(begin) for one in sentences)] == []
    for file, _, test in (reference.partition("::") for shown in SENTENCES.values() for reference in shown):
        assert f"def {test}" in (ROOT / "tests" / f"{file}.py").read_text(), f"{file}: {test}"


def test_versions_of_the_table() -> None:
    """The version it is tried with."""
    locked = "\n".join(lock.read_text() for lock in (ROOT / "locks").glob("*.txt"))
    for packages, _ in rows("llm-clients.md"):
        found = list(PACKAGE.finditer(packages))
        assert found, packages
        for match in found:
            for version in filter(None, (match["version"], match["older"])):
                name = re.sub("_", "[-_]", match["name"])
                assert re.search(rf"^{name}==(?:{re.escape(version)})(?:\.|\s)", locked, re.MULTILINE), match[0]


def test_lines_of_a_client() -> None:
    """A client is described in about 15 lines: [examples/own_client.py](../examples/own_client.py) is a whole one."""
    assert lines_of("own_client.py", "ASK =", "SPEC =") in range(10, 18)


class Parrot:
    """A client of nobody's."""

    def ask(self, question: str) -> Iterator[str]:
        """Word by word."""
        yield from question.split()

    async def ask_async(self, question: str) -> AsyncIterator[str]:
        """The same, asynchronous."""
        for word in question.split():
            yield word

    def fail(self, question: str) -> str:
        """No answer."""
        raise LookupError(question)


def test_the_machine_beneath() -> None:
    """The machine beneath does streams, async, errors and undoing."""
    ask = Operation(
        name="chat",
        methods=("Parrot.ask", "Parrot.ask_async", "Parrot.fail"),
        request_content={semconv.GEN_AI_INPUT_MESSAGES: "question"},
        response_content={semconv.GEN_AI_OUTPUT_MESSAGES: "text"},
        fold=lambda response, chunk: add_text(response, "text", f"{chunk} "),
        has_finish_reasons=False,
    )
    before = dict(vars(Parrot))

    async def read() -> list[str]:
        return [word async for word in Parrot().ask_async("two words")]

    with capture() as captured:
        spec = ClientSpec(name="parrot", module=__name__, operations=(ask,), provider="parrot")
        installation = install([spec], lambda: captured.client.recorder)
        assert list(Parrot().ask("two words")) == asyncio.run(read()) == ["two", "words"]
        with pytest.raises(LookupError):
            Parrot().fail("no")
        installation.uninstall()
        list(Parrot().ask("not seen"))

    streamed = [span.attributes or {} for span in captured.spans]
    assert [str(said.get(semconv.GEN_AI_OUTPUT_MESSAGES)).count("two words") for said in streamed] == [1, 1, 0]
    assert [said.get(semconv.ERROR_TYPE) for said in streamed] == [None, None, "LookupError"]
    assert dict(vars(Parrot)) == before


def test_lines_of_a_framework() -> None:
    """It is described in about 15 lines: [examples/own_framework.py](../examples/own_framework.py) is a whole one."""
    assert lines_of("own_framework.py", "def listen", "SPEC =") in range(10, 18)


def test_a_program_for_each_framework() -> None:
    """[examples/frameworks](../examples/frameworks) has a program for each; TaskWeaver's is."""
    cells = [re.sub(r" \(.*\)", "", cell) for cell, *_ in rows("frameworks.md")]
    told = {re.sub(r"[^a-z]", "", name.lower()) for cell in cells for name in cell.split(", ")}
    files = [path.stem.replace("_", "") for path in (ROOT / "examples/frameworks").glob("*.py")]
    without = {name for name in told if not any(file.startswith(name) or name.startswith(file) for file in files)}

    assert without == {"mcpand", "taskweaver"}  # MCP's two versions
    assert all((ROOT / "examples" / name).exists() for name in ("frameworks/mcp_tool.py", "taskweaver_session.py"))


def test_names_of_frameworks() -> None:
    """Switched off by the name."""
    names = {name.strip("`") for *_, name in rows("frameworks.md") if name}

    assert names == {*(spec.name for spec in FRAMEWORKS), "taskweaver"}
