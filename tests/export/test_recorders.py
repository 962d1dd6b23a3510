"""What records or answers a program's HTTP in its tests sees the program's requests, and none of ours."""

import json
from pathlib import Path

import pytest

from tests.loopback.agentops_backend import AgentOpsBackend
from tests.loopback.llm_server import LlmServer
from tests.loopback.openai_server import TEXT, answer, completion
from tests.loopback.otlp_sink import OtlpSink
from tests.program import needs, run

BEGIN = """
import warnings; warnings.simplefilter("ignore")  # of the libraries themselves
import agentops_otel
client = agentops_otel.init(console=False, spool_dir=False, trace_file=False)
"""

RECORDED = """
import openai, vcr
with vcr.use_cassette({cassette!r}, record_mode={mode!r}, serializer="json"):
    with openai.OpenAI(base_url={model!r}, api_key="none", max_retries=0) as asked:
        asked.chat.completions.create(model="gpt-4.1", messages=[{{"role": "user", "content": "hi"}}])
    assert client.flush(60)
"""


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_a_cassette_of_vcrpy_has_what_the_program_asked(protocol: str, tmp_path: Path) -> None:
    """Recording and replaying: the spans are delivered, and nothing of ours is in the cassette."""
    needs("vcr")
    cassette = tmp_path / "cassette.json"
    with OtlpSink(protocol) as sink, LlmServer() as model:  # type: ignore[arg-type]  # one of its two words
        model.answer(answer(completion(TEXT), stream=False))
        for mode in ("once", "none"):
            run(
                BEGIN + RECORDED.format(cassette=str(cassette), mode=mode, model=model.url + "/v1"),
                OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=sink.endpoint,
                OTEL_EXPORTER_OTLP_PROTOCOL=protocol,
            )

        assert [span.name for span in sink.every] == ["chat gpt-4.1"] * 2
        assert len(model.requests) == 1
    asked = [interaction["request"]["uri"] for interaction in json.loads(cassette.read_text())["interactions"]]
    assert asked == [f"{model.url}/v1/chat/completions"]


def test_a_cassette_has_no_key_of_agentops(tmp_path: Path) -> None:
    """The exchange of the key is not in it either."""
    needs("vcr")
    cassette = tmp_path / "cassette.json"
    with AgentOpsBackend() as backend, LlmServer() as model:
        model.answer(answer(completion(TEXT), stream=False))
        run(
            BEGIN + RECORDED.format(cassette=str(cassette), mode="once", model=model.url + "/v1"),
            AGENTOPS_API_KEY=backend.api_key,
            AGENTOPS_API_ENDPOINT=backend.account.api_endpoint,
            AGENTOPS_EXPORTER_ENDPOINT=backend.sink.endpoint,
        )

        assert "chat gpt-4.1.llm" in backend.sink.spans
    assert [one["request"]["uri"] for one in json.loads(cassette.read_text())["interactions"]] == [
        f"{model.url}/v1/chat/completions"
    ]


ANSWERED = {
    "responses": """
import requests, responses
with responses.RequestsMock() as mock:
    mock.get("http://service.invalid/", body="made up")
    answer = requests.get("http://service.invalid/").text
""",
    "respx": """
import httpx, respx
with respx.mock as mock:
    mock.get("http://service.invalid/").respond(text="made up")
    answer = httpx.get("http://service.invalid/").text
""",
    "pook": """
import pook, requests
with pook.use():
    pook.get("http://service.invalid/").reply(200).body("made up")
    answer = requests.get("http://service.invalid/").text
""",
}


@pytest.mark.parametrize("library", ANSWERED)
def test_what_answers_for_a_server_does_not_answer_for_the_collector(library: str) -> None:
    """Every request that is not foreseen would be refused; ours are not asked about."""
    needs(library)
    spans = """
    with agentops_otel.start_session(name="run"):
        pass
    assert client.flush(60), client.stats()
print(answer)
"""
    with OtlpSink() as sink:
        done = run(BEGIN + ANSWERED[library].rstrip() + spans, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=sink.endpoint)

        assert done.stdout == "made up\n"
        assert [span.name for span in sink.every] == ["invoke_workflow run"]
