"""Finds another instrumentation of a framework, in the modules that are imported."""

import sys
from typing import Any

from agentops_otel.instrumentation.reading import field


def another(framework: str) -> str | None:
    """What instruments the framework too; None if nothing does. The framework's name is that of its spec."""
    name = framework.replace("-", "_")
    found = (_instrumentor(name), _langsmith(name), _logfire(name), _mlflow(name))
    return next(filter(None, found), None)


def _instrumentor(framework: str) -> str | None:
    """OpenInference's, OpenLLMetry's, OpenTelemetry's own: packages that are named alike."""
    names = [
        f"{beginning}{name}" for beginning in _BEGINNINGS for name in (framework, *_OTHER_NAMES.get(framework, ()))
    ]
    return next((name for name in names if any(map(_is_on, vars(sys.modules.get(name, _NONE)).values()))), None)


def _is_on(instrumentor: Any) -> bool:
    """Whether it is the class of an instrumentor that is instrumenting: there is one object of each."""
    return bool(getattr(getattr(instrumentor, "_instance", None), "_is_instrumented_by_opentelemetry", False))


def _langsmith(framework: str) -> str | None:
    """LangSmith makes OpenTelemetry's spans of LangChain's runs once its variables say so: it imports this then."""
    is_on = framework == "langchain" and "langsmith._internal.otel._otel_exporter" in sys.modules
    return "langsmith" if is_on else None


def _logfire(framework: str) -> str | None:
    """Logfire takes the place of the trace provider of OpenAI Agents."""
    provider = field(vars(sys.modules.get("agents.tracing.setup", _NONE)), "GLOBAL_TRACE_PROVIDER")
    is_on = framework == "openai_agents" and type(provider).__module__.startswith("logfire.")
    return "logfire" if is_on else None


def _mlflow(framework: str) -> str | None:
    """MLflow's `autolog()` keeps a table of what it logs."""
    configured = getattr(sys.modules.get("mlflow.utils.autologging_utils"), "AUTOLOGGING_INTEGRATIONS", None)
    is_on = field(configured, "openai" if framework == "openai_agents" else framework, "disable") is False
    return "mlflow" if is_on else None


class _NONE:
    """In place of a module that is not imported."""


_BEGINNINGS = (
    *("openinference.instrumentation.", "opentelemetry.instrumentation.", "opentelemetry.instrumentation.genai."),
)
_OTHER_NAMES = {"autogen": ("autogen_agentchat",), "llama_index": ("llamaindex",)}
