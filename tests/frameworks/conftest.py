"""The model that the tests of each framework ask."""

import gc
from collections.abc import Iterator

import pytest
from opentelemetry import trace

from agentops_otel import testing
from tests.frameworks.scripted_model import scripted_model
from tests.loopback.llm_server import LlmServer

pytest.register_assert_rewrite("tests.frameworks.contract", "tests.frameworks.runs", "tests.frameworks.shown")


@pytest.fixture
def model(caplog: pytest.LogCaptureFixture) -> Iterator[LlmServer]:
    """The server; neither we nor OpenTelemetry log anything in a test that uses it."""
    with scripted_model() as server:
        yield server
    gc.collect()  # what a left stream leaves; within `ast.parse`, which snapshots call, CPython 3.11 fails at that
    said = [record for record in caplog.records if record.name.startswith(("agentops_otel", "opentelemetry"))]
    assert [record.getMessage() for record in said if record.levelname in ("WARNING", "ERROR")] == []


@pytest.fixture
def one_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    """For frameworks that keep the tracer of the first provider that there was."""
    testing._provider()
    monkeypatch.setattr(testing, "_provider", trace.get_tracer_provider)
