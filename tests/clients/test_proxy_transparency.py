"""What a program holds of a client passes for what it would hold without us, however it looks at it."""

import collections.abc
import contextlib
import copy
import functools
import inspect
import operator
import pickle
import re
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from anthropic import Anthropic
from openai import OpenAI

from tests.clients.capture import Captured, capture
from tests.clients.openai_calls import ASKED, sync_client
from tests.loopback.anthropic_server import answer as anthropic_answer
from tests.loopback.anthropic_server import text
from tests.loopback.llm_server import Answer, LlmServer
from tests.loopback.openai_server import chunks, completion

QUESTION: dict[str, Any] = {"model": "claude-test", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}


Opens = Callable[[LlmServer], contextlib.AbstractContextManager[Any]]


@contextlib.contextmanager
def openai_stream(server: LlmServer) -> Iterator[Any]:
    """A stream of the openai package."""
    server.answer(Answer.events(chunks(completion())))
    with sync_client(server) as client, client.chat.completions.create(**ASKED, stream=True) as stream:
        yield stream


@contextlib.contextmanager
def anthropic_stream(server: LlmServer) -> Iterator[Any]:
    """A stream of the anthropic package."""
    server.answer(anthropic_answer(text(), stream=True))
    with (
        Anthropic(base_url=server.url, api_key="key", max_retries=0) as client,
        client.messages.create(**QUESTION, stream=True) as stream,
    ):
        yield stream


def outcome(look: Callable[[Any], Any], found: Any) -> str:
    """What the look finds, or the exception."""
    try:
        told = repr(look(found))
    except Exception as error:  # noqa: BLE001  # whatever it is, it has to be the same
        told = repr(error)
    return re.sub(r"0x[0-9a-f]+", "0x0", told)


ABSTRACT = [getattr(collections.abc, name) for name in collections.abc.__all__]

LOOKS: list[Callable[[Any], Any]] = [
    repr,
    str,
    lambda found: sorted(set(dir(found)) - {"__slotnames__"}),  # what copyreg leaves behind
    bool,
    callable,
    len,
    lambda found: found.__class__,
    lambda found: found.__doc__,
    lambda found: f"{found}",
    lambda found: [kind for kind in ABSTRACT if isinstance(found, kind)],
    lambda found: isinstance(found, contextlib.AbstractContextManager),
    lambda found: [hasattr(found, f"__{name}__") for name in ("len", "getitem", "contains", "int", "call", "await")],
    lambda found: found == found and found in [found] and found in {found: 1},
    lambda found: found[0],
    lambda found: sorted(vars(found)),
    lambda found: (operator.setitem(vars(found), "mine", 1), found.mine),
    lambda found: inspect.isgenerator(found),
    pickle.dumps,
    copy.copy,
]
READS: list[Callable[[Any], Any]] = [
    lambda found: (len(list(copy.copy(found))), len(list(found))),
    lambda found: ("no such chunk" in found, next(iter(found), "nothing left")),
]


@pytest.mark.parametrize("opens", [openai_stream, anthropic_stream])
@pytest.mark.parametrize("looks", [LOOKS, READS[:1], READS[1:]], ids=["looks", "copy", "in"])
def test_a_stream_looks_like_itself(looks: list[Callable[[Any], Any]], opens: Opens, server: LlmServer) -> None:
    """It can do what the client's own can, copying included, and nothing more."""
    with opens(server) as bare:
        expected = [outcome(look, bare) for look in looks]
    with capture() as captured, opens(server) as found:
        got = [outcome(look, found) for look in looks]

    assert got == expected
    assert len(captured.spans) == 1


def test_what_the_program_keeps_on_a_stream_is_the_streams(captured: Captured, server: LlmServer) -> None:
    """Attributes are set, found and deleted as without us."""
    with openai_stream(server) as stream:
        stream.mine = 1

        assert vars(stream)["mine"] == stream.mine == 1
        del stream.mine
        assert not hasattr(stream, "mine")


def test_a_copy_of_a_stream_is_read_on_behalf_of_its_call(captured: Captured, server: LlmServer) -> None:
    """The two share their chunks, and the span."""
    with openai_stream(server) as stream:
        next(stream)
        list(copy.copy(stream))

    (span,) = captured.spans
    assert (span.attributes or {})["gen_ai.response.finish_reasons"] == ("stop",)
    assert "It is 21 degrees in Paris." in str((span.attributes or {})["gen_ai.output.messages"])


def test_a_streaming_raw_response_looks_like_itself(server: LlmServer) -> None:
    """Its type and status are in how it is shown."""

    def shown() -> str:
        server.answer(Answer.json(completion()))
        with (
            sync_client(server) as client,
            client.chat.completions.with_streaming_response.create(**ASKED) as response,
        ):
            return repr(response)

    bare = shown()
    with capture():
        assert shown() == bare


@pytest.mark.parametrize("method", [lambda: OpenAI.request, lambda: functools.partial(OpenAI.request, cast_to=str)])
def test_a_method_is_pickled_and_copied(method: Callable[[], Any], captured: Captured) -> None:
    """By its name, as functions are: the other process has its own."""
    found = method()

    assert callable(pickle.loads(pickle.dumps(found)))
    assert callable(copy.copy(found))
    assert callable(copy.deepcopy(found))


def test_a_method_is_held_weakly(captured: Captured, server: LlmServer) -> None:
    """As those who keep callbacks do: it is there, and traced, as long as the client."""
    server.answer(Answer.json(completion()))

    with sync_client(server) as client:
        held = weakref.WeakMethod(client.post)
        request = weakref.WeakMethod(client.request)
        assert request() == client.request
        found = held()
        assert found is not None
        found("/chat/completions", cast_to=object, body=ASKED)

    assert len(captured.spans) == 1
