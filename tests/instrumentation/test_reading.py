"""Reading values of any shape, the message format, and what is remembered of calls to come."""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from http import HTTPStatus
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import INVALID_SPAN
from pydantic import BaseModel, ConfigDict

from agentops_otel import semconv
from agentops_otel.instrumentation import ClientSpec, Operation, Step, gen_ai
from agentops_otel.instrumentation.background import BackgroundResponses
from agentops_otel.instrumentation.folding import TEXT_LIMIT, add_text, begin_entry, indexed
from agentops_otel.instrumentation.reading import as_mapping, field, items, lookup_in, record_iterators
from agentops_otel.instrumentation.spec import server_table
from agentops_otel.instrumentation.tables import attributes, compile_table, integer


@given(data=st.binary(max_size=64), before=st.text(max_size=5))
def test_the_size_of_media_is_that_of_its_bytes(data: bytes, before: str) -> None:
    """As bytes, as base64, and as base64 behind something else; whatever else it is has none."""
    text = base64.b64encode(data).decode()

    assert gen_ai.size_of(data) == gen_ai.size_of(text) == gen_ai.size_of(before + text, len(before)) == len(data)
    assert gen_ai.size_of(None) is None


@pytest.mark.parametrize("part", [gen_ai.text, gen_ai.reasoning])
def test_a_part_is_a_text_or_none(part: Any) -> None:
    """Whatever a server sends in its place."""
    assert [part(value) for value in ("", None, 5, ["a"], {"text": "a"})] == [None] * 5
    assert part("a")["content"] == "a"


class Open(BaseModel):
    """A model that keeps what it does not know."""

    model_config = ConfigDict(extra="allow")
    known: int = 1
    _hidden: int = 3

    @property
    def made(self) -> int:
        """Made when asked for."""
        return 4


@dataclass(slots=True)
class Slotted:
    """No dict of its own."""

    known: int = 1


@pytest.mark.parametrize(
    ("value", "name", "found"),
    [
        ({"known": 1}, "known", 1),
        (Open(), "known", 1),
        (Open.model_validate({"more": 2}), "more", 2),
        (Open(), "more", None),
        (Open(), "made", 4),
        (Open(), "_hidden", 3),
        (Slotted(), "known", 1),
        (Slotted(), "more", None),
        (None, "known", None),
        ("text", "nothing", None),
    ],
)
def test_a_field_is_found_wherever_it_stands(value: Any, name: str, found: Any) -> None:
    """Dicts, objects, models with more than they know, properties."""
    assert field(value, name) == found


class Asked(Open):
    """A model that looks everywhere for what it does not have, as pydantic's do."""

    def __getattr__(self, name: str) -> object:
        """Slow."""
        raise NotImplementedError(name)


def test_a_model_is_not_asked_for_what_it_does_not_have() -> None:
    """Nobody waits for it to look."""
    assert field(Asked(), "more") is None
    assert field(Asked.model_validate({"more": 2}), "more") == 2


@pytest.mark.parametrize(
    "written",
    [
        Operation(name="chat", methods=("Client.ask",)),
        ClientSpec(name="mine", module="mine", operations=(), provider="mine"),
        Step(operation="plan"),
    ],
)
def test_a_description_says_of_itself_what_was_written(written: Operation | ClientSpec | Step) -> None:
    """Not what is made of its tables."""
    said = [field for field in fields(written) if re.search(rf"\b{field.name}=", repr(written))]

    assert said == [field for field in fields(written) if field.init]


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://a.test/v1", ("a.test", 443)),
        ("http://a.test", ("a.test", 80)),
        ("wss://a.test", ("a.test", 443)),
        ("ws://a.test", ("a.test", 80)),
        ("https://[::1]:8443/", ("::1", 8443)),
        ("other://a.test", ("a.test", None)),
        ("/v1", (None, None)),
        ("", (None, None)),
        (None, (None, None)),
    ],
)
def test_a_server_is_told_by_host_and_port(url: str | None, found: tuple[str | None, int | None]) -> None:
    """Of the client, or of one request; the port of its scheme where it says none."""
    spec = ClientSpec(name="mine", module="mine", operations=(), provider="mine", url=lambda client: url)
    told = {
        name: value
        for name, value in zip((semconv.SERVER_ADDRESS, semconv.SERVER_PORT), found, strict=True)
        if value is not None
    }

    assert attributes(compile_table(server_table(lambda request: request["url"])), {"url": url}) == told
    assert spec.server_attributes(object()) == {semconv.GEN_AI_PROVIDER_NAME: "mine", **told}


def test_an_attribute_of_the_conventions_needs_a_type() -> None:
    """One without is an error where the table is made, and not a value that is dropped in silence."""
    with pytest.raises(ValueError, match=r"gen_ai\.token\.type has no type"):
        compile_table({semconv.GEN_AI_TOKEN_TYPE: "type"})


def test_an_attribute_of_the_specs_own_takes_any_type() -> None:
    """A number, a flag, a text, texts; nothing that an attribute cannot hold."""
    table = compile_table({f"mine.{name}": name for name in ("number", "flag", "text", "texts", "object")})

    assert attributes(table, {"number": 3, "flag": True, "text": "a", "texts": ["a", "b"], "object": {}}) == {
        "mine.number": 3,
        "mine.flag": True,
        "mine.text": "a",
        "mine.texts": ("a", "b"),
    }


@pytest.mark.parametrize(
    ("value", "kind"), [(3, int), (HTTPStatus.OK, int), (2.5, float), (3.0, float), (True, bool)], ids=repr
)
def test_a_number_of_the_specs_own_stays_of_its_type(value: object, kind: type) -> None:
    """One of a class that is derived from it becomes a plain one, which can be sent."""
    (told,) = attributes(compile_table({"mine": "number"}), {"number": value}).values()

    assert (type(told), told) == (kind, value)


class Shape(BaseModel):
    """What a program gives as `response_format`."""

    type: str


def test_a_class_is_read_as_having_nothing() -> None:
    """A pydantic class among a request's arguments has slots and methods, and no data."""
    assert field(Shape, "type") is None
    assert field(Shape, "__pydantic_extra__") is None
    assert as_mapping(Shape) == {}


def test_a_model_is_looked_up_in_one_mapping() -> None:
    """Also what it has beside its fields."""

    class Open(BaseModel):
        model_config = ConfigDict(extra="allow")
        role: str

    find = lookup_in(Open.model_validate({"role": "user", "more": 1}))

    assert (find("role"), find("more"), find("none")) == ("user", 1, None)
    assert type(getattr(find, "__self__", None)) is dict


def test_what_is_present_is_read_at_once() -> None:
    """A model's own fields and those it does not know."""
    assert as_mapping(Open.model_validate({"more": 2})) == {"known": 1, "more": 2}
    assert as_mapping(Slotted()) == {}


def test_a_list_is_a_list() -> None:
    """Neither iterators nor texts are read as lists."""
    assert list(items({"a": iter([1])}, "a")) == []
    assert list(items({"a": "text"}, "a")) == []


def test_values_of_another_kind_are_left_out() -> None:
    """An attribute takes what the conventions say, cleaned of what no exporter could send."""
    table = compile_table(
        {
            semconv.GEN_AI_REQUEST_MODEL: "model",
            semconv.GEN_AI_REQUEST_SEED: "seed",
            semconv.GEN_AI_REQUEST_TOP_K: "top_k",
            semconv.GEN_AI_REQUEST_TEMPERATURE: "temperature",
            semconv.GEN_AI_REQUEST_STREAM: "stream",
            semconv.GEN_AI_REQUEST_STOP_SEQUENCES: "stop",
        }
    )

    right = {"model": "a\ud800", "seed": 7, "top_k": 3.0, "temperature": 1, "stream": True, "stop": ("a", 1)}
    wrong = {"model": "", "seed": True, "top_k": 0.5, "temperature": "hot", "stream": 1, "stop": 5}

    assert attributes(table, right) == {
        semconv.GEN_AI_REQUEST_MODEL: "a?",
        semconv.GEN_AI_REQUEST_SEED: 7,
        semconv.GEN_AI_REQUEST_TOP_K: 3,
        semconv.GEN_AI_REQUEST_TEMPERATURE: 1.0,
        semconv.GEN_AI_REQUEST_STREAM: True,
        semconv.GEN_AI_REQUEST_STOP_SEQUENCES: ("a",),
    }
    assert attributes(table, wrong) == {}


def test_texts_are_a_message_of_the_user() -> None:
    """Numbers of tokens and empty texts are left out; none is no message."""
    message = {"role": "user", "parts": [{"type": "text", "content": "a"}, {"type": "text", "content": "b"}]}

    assert gen_ai.texts(["a", 7, "", "b"]) == [message]
    assert gen_ai.texts("a", "assistant") == [{"role": "assistant", "parts": message["parts"][:1]}]
    assert gen_ai.texts([7]) == gen_ai.texts(None) == []


@pytest.mark.parametrize(("given", "told"), [(1, None), (2, 2), (0, 0), (None, None)])
def test_a_number_of_choices_is_told_where_it_is_not_one(given: object, told: object) -> None:
    """As the conventions have it."""
    assert gen_ai.choice_count(given) == told


@pytest.mark.parametrize(("length", "kept"), [(4096, 4096), (4097, 4096)])
def test_a_name_is_kept_up_to_a_length(length: int, kept: int) -> None:
    """Of a model or an id, which no server gives at such a length, and of each of several."""
    table = compile_table({semconv.GEN_AI_REQUEST_MODEL: "model", semconv.GEN_AI_REQUEST_STOP_SEQUENCES: "stop"})
    found = attributes(table, {"model": "x" * length, "stop": ["y" * length]})

    assert found == {
        semconv.GEN_AI_REQUEST_MODEL: "x" * kept,
        semconv.GEN_AI_REQUEST_STOP_SEQUENCES: ("y" * kept,),
    }


@pytest.mark.parametrize("nonsense", ["nonsense", 7])
def test_an_index_finds_its_entry(nonsense: object) -> None:
    """Entries come in any order; without an index it is the last one; what is no entry is replaced."""
    whole: dict[str, Any] = {"list": nonsense}

    indexed(whole, "list", 1)["name"] = "one"
    indexed(whole, "list", 0)["name"] = "zero"
    indexed(whole, "list", None)["name"] = "last"

    assert whole == {"list": [{"index": 0, "name": "zero"}, {"index": 1, "name": "last"}]}


def test_a_new_entry_without_an_index_has_that_of_the_last() -> None:
    """Some servers give none."""
    whole: dict[str, Any] = {}

    entries = [begin_entry(whole, "list", index) for index in (None, 3, None)]

    assert whole == {"list": entries} == {"list": [{"index": 0}, {"index": 3}, {"index": 3}]}


def test_finish_reasons_have_one_vocabulary() -> None:
    """Each provider's word is the conventions' one; an unknown one stays, a missing one is an error."""
    said = [
        "stop",
        "end_turn",
        "STOP",
        "length",
        "MAX_TOKENS",
        "tool_calls",
        "tool_use",
        "SAFETY",
        "pause_turn",
        "TIMEOUT",
        "token_limit",
        None,
        7,
    ]

    assert [gen_ai.finish_reason(word) for word in said] == [
        *("stop", "stop", "stop", "length", "length", "tool_call", "tool_call", "content_filter", "pause_turn"),
        *("error", "length", None, None),
    ]


def test_media_are_told_by_type_and_size() -> None:
    """Never by their bytes; what is neither is not told."""
    assert gen_ai.media("image", "http://there/a.png") == {
        "type": "uri",
        "modality": "image",
        "uri": "http://there/a.png",
    }
    assert gen_ai.media("image", "data:;base64,aGk=") == {"type": "blob", "modality": "image", "byte_size": 2}
    assert gen_ai.media("image", 7) is None
    assert gen_ai.blob("audio", "audio/wav", b"RIFF") == {
        "type": "blob",
        "modality": "audio",
        "mime_type": "audio/wav",
        "byte_size": 4,
    }
    assert gen_ai.file(None) is None
    assert gen_ai.definition("text") == "text"


@pytest.mark.parametrize(("length", "is_parsed"), [(128 * 1024, True), (128 * 1024 + 1, False)])
def test_arguments_that_would_be_cut_are_not_parsed(length: int, *, is_parsed: bool) -> None:
    """They are kept as the text that they are."""
    text = '{"a":"' + "x" * (length - 8) + '"}'

    assert (type(gen_ai.parsed(text)) is dict) is is_parsed


@pytest.mark.parametrize(("parameters", "is_found"), [(1000, True), (2000, False)])
def test_the_beginning_of_a_picture_is_short(parameters: int, *, is_found: bool) -> None:
    """What stands before its data is read up to there; what has no such end counts as data."""
    head = "image/png;" + "p" * (parameters - 10)
    found = gen_ai.media("image", f"data:{head},AAAA") or {}

    assert found["mime_type"] == "image/png"
    assert (found["byte_size"] == 3) is is_found


def test_known_calls_are_bounded() -> None:
    """The oldest is forgotten first."""
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("test")
    known, spans = BackgroundResponses(limit=2), [tracer.start_span(str(number)) for number in range(3)]

    for number, span in enumerate(spans):
        known.keep(str(number), span)

    assert known.links("0") == known.links(None) == []
    assert [link.context for link in known.links("2")] == [spans[2].get_span_context()]


def test_a_thousand_and_twenty_four_responses_are_known() -> None:
    """As docs/limits.md promises."""
    known = BackgroundResponses()
    for number in range(1025):
        known.keep(str(number), INVALID_SPAN)

    assert [len(known.links(number)) for number in ("0", "1")] == [0, 1]


@pytest.mark.parametrize("iterator", [iter([1, 2]), (number for number in (1, 2)), map(int, "12")])
def test_an_iterator_that_is_recorded_has_its_class(iterator: Iterator[int]) -> None:
    """Pydantic decides by the module of a class how it is serialised."""
    recorded = record_iterators({"messages": iterator})["messages"]
    was, now = type(iterator), type(recorded)

    assert (now.__module__, now.__qualname__, isinstance(recorded, was)) == (was.__module__, was.__name__, True)
    assert list(recorded) == [1, 2]
    assert list(items(recorded)) == [1, 2]


def test_ten_thousand_items_of_an_iterator_are_kept() -> None:
    """As docs/limits.md promises; the client gets them all."""
    recorded = record_iterators({"messages": iter(range(10_001))})["messages"]

    assert list(recorded) == list(range(10_001))
    assert list(items(recorded)) == list(range(10_000))


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (2**63 - 1, 2**63 - 1),
        (1 - 2**63, 1 - 2**63),
        (2**63, None),
        (float(2**63), None),
        (7.0, 7),
        (7.5, None),
        (float("inf"), None),
        (True, None),
        ("7", None),
    ],
)
def test_a_count_is_an_integer_of_64_bits(value: object, told: int | None) -> None:
    """No other can be sent."""
    assert integer(value) == told


@pytest.mark.parametrize(
    ("data", "begins", "size"),
    [
        ("", 0, 0),
        ("AAAA", 0, 3),
        ("AAA=", 0, 2),
        ("AA==", 0, 1),
        ("A===", 0, 1),
        ("====AAAA", 0, 6),
        ("data:,AAA=", 6, 2),
        ("data:==", 7, 0),
        (b"AAAA", 0, 4),
        (bytearray(5), 0, 5),
        (7, 0, None),
    ],
)
def test_the_size_of_a_medium(data: object, begins: int, size: int | None) -> None:
    """Of base64 by its length and what it ends with, without reading it; of bytes their number."""
    assert gen_ai.size_of(data, begins) == size


def test_the_pieces_of_a_text_end_at_its_limit() -> None:
    """A piece that comes when there is enough is left out."""
    entry: dict[str, Any] = {}
    for piece in ("a" * (TEXT_LIMIT - 1), "b", "c"):
        add_text(entry, "text", piece)

    assert str(entry["text"]) == "a" * (TEXT_LIMIT - 1) + "b"
