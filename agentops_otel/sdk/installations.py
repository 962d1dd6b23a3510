"""What a client wraps, by its settings: LLM clients, TaskWeaver, agent frameworks, threads and processes."""

from collections.abc import Callable, Iterator
from typing import Protocol

from agentops_otel.clients import SPECS
from agentops_otel.config import Config
from agentops_otel.frameworks import SPECS as FRAMEWORKS
from agentops_otel.instrumentation import install, install_frameworks
from agentops_otel.recording.processes import ProcessPropagation
from agentops_otel.recording.task_processes import TaskPropagation
from agentops_otel.recording.threads import ThreadPropagation
from agentops_otel.taskweaver import install as hooks
from agentops_otel.tracing import Recorder


class Installed(Protocol):
    """Wrapped libraries, until `uninstall()` restores them."""

    def uninstall(self) -> None:
        """Put it back."""


def installations(
    config: Config,
    get_recorder: Callable[[], Recorder | None],
    conversation_ended: Callable[[str, int, int], None],
    conversation_went_on: Callable[[str], None],
) -> Iterator[Installed]:
    """Wrap the parts that the settings name, one at each step of the iterator."""
    disabled = set(config.disabled_instrumentations)
    taskweaver = config.instrument_taskweaver and not {"*", "taskweaver"} & disabled
    if (config.instrument_llm_calls or taskweaver) and "*" not in disabled:
        # TaskWeaver's own calls are part of its rounds, whatever becomes of the program's.
        calls = get_recorder if config.instrument_llm_calls else hooks.within_llm_calls(get_recorder)
        specs = [spec for spec in SPECS if spec.name not in disabled]
        yield install(specs, calls, semconv_opt_in=config.semconv_opt_in)
    if taskweaver:
        yield hooks.install(get_recorder, conversation_ended, conversation_went_on)
    elif not config.capture_content:
        yield hooks.disable_tracing_only(get_recorder)
    if config.instrument_frameworks and "*" not in disabled:
        yield install_frameworks([spec for spec in FRAMEWORKS if spec.name not in disabled], get_recorder)
    if config.propagate_threads:
        threads = ThreadPropagation()
        threads.install()
        yield threads
    if config.run is not None:
        yield ProcessPropagation()
        yield TaskPropagation()
