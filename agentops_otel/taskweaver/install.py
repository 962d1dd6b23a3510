"""Installs the hooks when TaskWeaver is imported; does not import it."""

import sys
from collections.abc import Callable, Mapping
from functools import partial
from threading import Lock
from types import ModuleType
from typing import Any

from agentops_otel.guard import guard
from agentops_otel.taskweaver import builtin_tracing, calls
from agentops_otel.taskweaver.hooks import Hook, Hooks, Stopped, Wrapped, ignore
from agentops_otel.taskweaver.rounds import current_round
from agentops_otel.tracing import Recorder
from agentops_otel.wrapping import patch as wrapping
from agentops_otel.wrapping.import_hook import on_import
from agentops_otel.wrapping.patch import Patch


def install(
    get_recorder: Callable[[], Recorder | None], on_stop: Stopped = ignore, on_round: Callable[[str], None] = ignore
) -> "Installation":
    """Trace TaskWeaver from now on, also if it is imported later.

    Args:
        get_recorder: Gives the client's recorder; None while there is no client: then nothing is recorded.
        on_stop: Called for each session that stops, and on `uninstall` for the others.
        on_round: Called with the session's id after each round.
    """
    return Installation(Hooks(get_recorder, on_stop, on_round), _HOOKS)


def disable_tracing_only(get_recorder: Callable[[], Recorder | None]) -> "Installation":
    """Disable TaskWeaver's built-in tracing, which would record prompts, and hook nothing else."""
    return Installation(Hooks(get_recorder), _TRACING_ONLY)


def within_llm_calls(get_recorder: Callable[[], Recorder | None]) -> Callable[[], Recorder | None]:
    """The recorder while TaskWeaver makes an LLM call, None otherwise."""
    return lambda: get_recorder() if calls.current_call() is not None else None


def _step(name: str) -> Hook:
    """A step of a reply that makes an LLM call."""

    def step(hooks: Hooks, wrapped: Wrapped, instance: Any, args: Any, kwargs: Any) -> Any:
        round_ = current_round()
        return wrapped(*args, **kwargs) if round_ is None else round_.run(name, {}, partial(wrapped, *args, **kwargs))

    return step


_HOOKS: Mapping[str, Mapping[str, Hook]] = {
    "taskweaver.session.session": {"Session.send_message": Hooks.send_message, "Session.stop": Hooks.stop},
    "taskweaver.module.event_emitter": {"SessionEventEmitter.emit": Hooks.emit},
    "taskweaver.llm": {
        "LLMApi.chat_completion": Hooks.chat_completion,
        "LLMApi.chat_completion_stream": Hooks.chat_completion_stream,
        "LLMApi._stream_smoother": Hooks.stream_smoother,
        "LLMApi.get_embedding": Hooks.get_embedding,
        "LLMApi.get_embedding_list": Hooks.get_embedding,
    },
    "taskweaver.llm.ollama": {"OllamaService._stream_process": Hooks.read_ollama},
    "openai.resources.chat.completions": {"Completions.create": Hooks.ask_for_usage},
    "taskweaver.code_interpreter.code_executor": {
        "CodeExecutor.start": Hooks.start_executor,
        "CodeExecutor.execute_code": Hooks.execute_code,
    },
    "taskweaver.ces.environment": {
        "Environment.start_session": Hooks.start_kernel,
        "Environment.execute_code": Hooks.execute_in_kernel,
        "Environment.stop_session": Hooks.stop_kernel,
    },
    "taskweaver.memory.compression": {"RoundCompressor.compress_rounds": _step("taskweaver.compress")},
    "taskweaver.memory.experience": {
        "ExperienceGenerator.refresh": _step("taskweaver.experience"),
        "ExperienceGenerator.retrieve_experience": _step("taskweaver.experience"),
    },
    "taskweaver.code_interpreter.plugin_selection": {
        "PluginSelector.plugin_select": _step("taskweaver.select_plugins")
    },
    builtin_tracing.MODULE: {"Tracing.__init__": Hooks.disable_builtin_tracing},
}
_TRACING_ONLY = {builtin_tracing.MODULE: _HOOKS[builtin_tracing.MODULE]}


class Installation:
    """The installed hooks."""

    def __init__(self, hooks: Hooks, table: Mapping[str, Mapping[str, Hook]]) -> None:
        self._hooks = hooks
        self._table = table
        self._lock = Lock()
        self._on = True
        self._patches: dict[tuple[type, str], Patch] = {}
        hooks.patch = self._patch
        self._stop_listening = [on_import(module, self._imported) for module in table]

    def uninstall(self) -> None:
        """Restore the functions. One that was wrapped again since then keeps its hook, which does nothing."""
        with self._lock:
            self._on = False
            while self._stop_listening:
                self._stop_listening.pop()()
            for patch in self._patches.values():
                patch.undo()
            self._patches.clear()
        self._hooks.report_all()
        self._hooks.get_recorder = lambda: None
        if (tracing := sys.modules.get(builtin_tracing.MODULE)) is not None:
            builtin_tracing.restore(tracing)

    def _imported(self, module: ModuleType) -> None:
        for path, hook in self._table[module.__name__].items():
            owner, _, name = path.partition(".")
            with guard(f"hooking TaskWeaver's {path}"):
                self._patch(getattr(module, owner), name, hook)
        if module.__name__ == builtin_tracing.MODULE and self._on and self._hooks.get_recorder() is not None:
            builtin_tracing.disable(module)

    def _patch(self, owner: type, name: str, hook: Hook) -> None:
        with self._lock:
            if self._on and (owner, name) not in self._patches:
                self._patches[owner, name] = Patch(owner, name, wrapping.Hook(partial(hook, self._hooks)))
