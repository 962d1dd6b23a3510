"""Pydantic AI: it makes spans of agents, tools and LLM calls itself; switched on unless the program decided."""

from collections.abc import Callable
from types import ModuleType

from opentelemetry.metrics import NoOpMeterProvider

from agentops_otel.instrumentation import FrameworkSpec, Steps


def _switch_on(module: ModuleType, steps: Steps) -> Callable[[], None]:
    """Send its spans where ours go. A setting of an agent, of `Agent.instrument_all` or of logfire stays."""
    from pydantic_ai.models.instrumented import InstrumentationSettings

    agent, recorder = module.Agent, steps.recorder
    if agent._instrument_default is not False or recorder is None:
        return lambda: None
    settings = InstrumentationSettings(
        tracer_provider=recorder.provider,
        meter_provider=NoOpMeterProvider(),  # the client's own metrics count the tokens
        include_content=recorder.content.enabled,
        include_binary_content=False,
        include_model_request_parameters=False,
    )
    agent.instrument_all(settings)

    def switch_off() -> None:
        if agent._instrument_default is settings:
            agent.instrument_all(False)

    return switch_off


PYDANTIC_AI = FrameworkSpec(name="pydantic-ai", module="pydantic_ai", steps=(), listeners={"pydantic_ai": _switch_on})
