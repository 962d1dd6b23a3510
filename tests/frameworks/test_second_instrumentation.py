"""Other people's instrumentations of the same framework, as they are installed: one warning."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.frameworks.runs import variables
from tests.loopback.llm_server import LlmServer
from tests.program import ROOT, TIMEOUT_S

RUN = "import runpy; runpy.run_path(path, run_name='__main__')"

SECOND = [
    ("langchain_agent", "openinference.instrumentation.langchain", "LangChainInstrumentor"),
    ("langchain_agent", "opentelemetry.instrumentation.langchain", "LangchainInstrumentor"),
    ("openai_agents", "openinference.instrumentation.openai_agents", "OpenAIAgentsInstrumentor"),
    ("openai_agents", "opentelemetry.instrumentation.openai_agents", "OpenAIAgentsInstrumentor"),
    ("crewai_crew", "openinference.instrumentation.crewai", "CrewAIInstrumentor"),
    ("llama_index_agent", "opentelemetry.instrumentation.llamaindex", "LlamaIndexInstrumentor"),
]


def said(program: str, example: str, model: LlmServer, **more: str) -> str:
    """What the example says on stderr, with the program before it, in a process of its own."""
    path = f"path = 'examples/frameworks/{example}.py'; import sys; sys.argv = [path, 'weather(Paris)']"
    command = [sys.executable, "-W", "ignore", "-c", f"{program}\n{path}\n{RUN}"]
    environment = {**os.environ, **variables(model), **more}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S)
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.mark.parametrize(("example", "by", "instrumentor"), SECOND, ids=str)
def test_another_instrumentation_is_noticed(model: LlmServer, example: str, by: str, instrumentor: str) -> None:
    """At the first step, in one line that says how to keep one.

    It takes long: a process imports the framework and the other instrumentation.
    """
    pytest.importorskip(by, reason=f"{by} is not installed", exc_type=ImportError)

    stderr = said(f"from {by} import {instrumentor}; {instrumentor}().instrument()", example, model)

    assert stderr.count(f"is instrumented by {by} too: its agents and tools have two spans each") == 1


@pytest.mark.parametrize("logged", ["langchain", "openai"])
def test_mlflow_is_noticed(model: LlmServer, tmp_path: Path, logged: str) -> None:
    """Its `autolog()`, of the framework or of the LLM client in it, in one line.

    It takes long: a process imports the framework and MLflow.
    """
    pytest.importorskip("mlflow", reason="mlflow is not installed")

    kept = {"MLFLOW_TRACKING_URI": tmp_path.as_uri(), "MLFLOW_ALLOW_FILE_STORE": "true"}
    stderr = said(f"import mlflow; mlflow.{logged}.autolog()", "langchain_agent", model, **kept)

    assert re.findall(r"(\w+) is instrumented by (\w+)[\w.]* too", stderr) == [(logged, "mlflow")]


def test_langsmith_is_noticed_where_it_makes_spans(model: LlmServer) -> None:
    """LangSmith's variables make spans of LangChain's runs too; without them it is silent, and so are we."""
    pytest.importorskip("langsmith", reason="langsmith is not installed")
    pytest.importorskip("langchain", reason="langchain is not installed")

    on = {"LANGSMITH_TRACING": "true", "LANGSMITH_OTEL_ENABLED": "true", "LANGSMITH_OTEL_ONLY": "true"}

    assert said("", "langchain_agent", model, **on).count("langchain is instrumented by langsmith too") == 1
    assert "is instrumented by" not in said("", "langchain_agent", model)
