"""Rounds of the real TaskWeaver, read back from a real Jaeger."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import agentops_otel
from tests.e2e.jaeger_spans import Row, rows
from tests.e2e.launcher import launch
from tests.e2e.servers import Jaeger
from tests.loopback.taskweaver_llm import ScriptedLLM, code, final, plan, scripted_llm
from tests.taskweaver.conftest import LEFT_OPEN, MISSING, app, configure, llm, make_app

__all__ = ["app", "llm", "make_app"]
pytestmark = [pytest.mark.skipif(find_spec("taskweaver") is None, reason=MISSING), *LEFT_OPEN]

ANSWERS = [plan("compute 6*7"), code("6*7"), final("It is 42.")]
ROUND: list[Row] = [
    ("chat scripted-model", "invoke_agent CodeInterpreter", "client", False),
    ("chat scripted-model", "invoke_agent Planner", "client", False),
    ("chat scripted-model", "invoke_agent Planner", "client", False),
    ("execute_tool python", "invoke_agent CodeInterpreter", "internal", False),
    ("invoke_agent CodeInterpreter", "invoke_workflow taskweaver", "internal", False),
    ("invoke_agent Planner", "invoke_workflow taskweaver", "internal", False),
    ("invoke_agent Planner", "invoke_workflow taskweaver", "internal", False),
    ("invoke_workflow taskweaver", None, "internal", False),
    ("taskweaver.kernel.start", "invoke_agent CodeInterpreter", "internal", False),
]
UNAWARE = """
    import sys
    from taskweaver.app.app import TaskWeaverApp

    app = TaskWeaverApp(app_dir=sys.argv[1])
    assert app.get_session().send_message("What is 6*7?").post_list[-1].message == "It is 42."
    app.stop()
"""


@pytest.fixture(scope="module")
def jaeger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jaeger]:
    """One Jaeger for all tests; each looks at its own service."""
    with Jaeger(tmp_path_factory.mktemp("jaeger")) as jaeger:
        yield jaeger


def test_a_taskweaver_round(jaeger: Jaeger, app: Any, llm: ScriptedLLM) -> None:
    """One trace for the round: the roles under it, their LLM calls, and the code that the kernel ran.

    Its seconds are the start of TaskWeaver's kernel.
    """
    agentops_otel.init(endpoint=jaeger.endpoint, service_name="round")
    session = app.get_session()
    llm.script(*ANSWERS)
    session.send_message("What is 6*7?")
    agentops_otel.flush()

    [spans] = jaeger.traces("round", len(ROUND)).values()
    assert rows(spans) == ROUND


def test_a_round_of_a_program_that_knows_nothing_of_us(jaeger: Jaeger, tmp_path: Path) -> None:
    """Under `opentelemetry-instrument` the same round is in Jaeger, by OpenTelemetry's own provider and exporter.

    Its seconds are the starts of TaskWeaver and its kernel.
    """
    with scripted_llm() as llm:
        configure(tmp_path / "project", llm)
        llm.script(*ANSWERS)
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": jaeger.endpoint, "OTEL_SERVICE_NAME": "launched"}
        launch(UNAWARE, tmp_path, str(tmp_path / "project"), PYTHONWARNINGS="ignore", **variables)

    [spans] = jaeger.traces("launched", len(ROUND)).values()
    assert rows(spans) == ROUND
