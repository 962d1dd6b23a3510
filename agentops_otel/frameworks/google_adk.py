"""Google ADK: it makes spans of agents, tools and LLM calls; our plugin adds arguments and results of tools."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

from agentops_otel import semconv
from agentops_otel.instrumentation import FrameworkSpec, Steps, field
from agentops_otel.wrapping.patch import Hook, Patch


def _add_plugin(module: ModuleType, steps: Steps) -> Callable[[], None]:
    """Add the plugin to every runner, as the first one: a plugin that answers for a tool ends the chain."""
    plugin = _plugin(steps)

    def init(wrapped: Any, runner: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        wrapped(*args, **kwargs)
        plugins = field(runner, "plugin_manager", "plugins")
        if isinstance(plugins, list) and plugin not in plugins:
            plugins.insert(0, plugin)

    return Patch(module.Runner, "__init__", Hook(init)).undo


def _plugin(steps: Steps) -> Any:
    from google.adk.plugins.base_plugin import BasePlugin

    class Plugin(BasePlugin):  # type: ignore[misc]  # of a package that is seldom installed
        async def before_tool_callback(self, *, tool_args: Any, **_: Any) -> None:
            steps.add({}, {semconv.GEN_AI_TOOL_CALL_ARGUMENTS: tool_args})

        async def after_tool_callback(self, *, tool_context: Any, result: Any, **_: Any) -> None:
            target = field(tool_context, "actions", "transfer_to_agent")
            content = {} if result is None else {semconv.GEN_AI_TOOL_CALL_RESULT: result}
            steps.add(_transfer(target) if target else {}, content)

    return Plugin(name="agentops_otel")


def _transfer(target: str) -> dict[str, str]:
    return {
        semconv.GEN_AI_TRANSFER_MODE: "pass_control",
        semconv.GEN_AI_TRANSFER_TARGET_TYPE: "agent",
        semconv.GEN_AI_TRANSFER_TARGET_NAME: target,
    }


GOOGLE_ADK = FrameworkSpec(
    name="google-adk", module="google.adk", steps=(), listeners={"google.adk.runners": _add_plugin}
)
