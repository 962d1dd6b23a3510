"""A round of the real TaskWeaver, read back from a real Jaeger."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot

import agentops_otel
from tests.e2e.servers import Jaeger
from tests.e2e.test_jaeger import rows
from tests.loopback.taskweaver_llm import ScriptedLLM, code, final, plan
from tests.taskweaver.conftest import MISSING, app, llm, make_app

__all__ = ["app", "llm", "make_app"]


@pytest.mark.skipif(find_spec("taskweaver") is None, reason=MISSING)
def test_a_taskweaver_round(app: Any, llm: ScriptedLLM, tmp_path: Path) -> None:
    """One trace for the round: the roles under it, their LLM calls, and the code that the kernel ran."""
    with Jaeger(tmp_path) as jaeger:
        agentops_otel.init(endpoint=jaeger.endpoint, service_name="round")
        session = app.get_session()
        llm.script(plan("compute 6*7"), code("6*7"), final("It is 42."))
        session.send_message("What is 6*7?")
        agentops_otel.flush()

        [found] = jaeger.api("/api/traces?service=round")["data"]

    assert rows(found["spans"]) == snapshot(
        [
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
    )
