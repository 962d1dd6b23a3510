"""What a client wraps, by its settings: LLM clients, TaskWeaver, agent frameworks, threads and processes.

What wraps a library is imported when the program imports the library: each program pays for those that it has.
"""

from collections.abc import Callable, Iterator, Mapping, Set
from functools import partial
from threading import Lock
from typing import Any, Protocol

from agentops_otel import clients, frameworks
from agentops_otel.config import Config
from agentops_otel.tracing import Recorder
from agentops_otel.wrapping.import_hook import before_import

GetRecorder = Callable[[], Recorder | None]
_TASKWEAVER = {"taskweaver": "taskweaver"}


class Installed(Protocol):
    """Wrapped libraries, until `uninstall()` restores them."""

    def uninstall(self) -> None:
        """Put it back."""


class WhenImported:
    """An installation that is made with the first of its libraries.

    Args:
        files: What a program imports -> the file that describes it.
        begin: Makes the installation.
        add: Adds the libraries of a file to it.
    """

    def __init__(
        self, files: Mapping[str, str], begin: Callable[[], Any], add: Callable[[Any, str], None] | None = None
    ) -> None:
        self._begin, self._add = begin, add
        self._installation: Any = None
        self._seen: set[str] = set()
        self._off = False
        self._lock = Lock()
        self._stop = [before_import(package, partial(self._imported, file)) for package, file in files.items()]

    @property
    def wrapped(self) -> Set[str]:
        """The modules in which something is wrapped."""
        return getattr(self._installation, "wrapped", frozenset())

    def uninstall(self) -> None:
        """Restore the libraries, and wrap no further one."""
        while self._stop:
            self._stop.pop()()
        with self._lock:
            self._off = True
        if self._installation is not None:
            self._installation.uninstall()

    def _imported(self, file: str) -> None:
        with self._lock:
            if self._off or file in self._seen:
                return
            self._seen.add(file)
        # Outside the lock: it may wait for another thread's import, in which the next of these libraries is imported.
        made = self._begin() if self._installation is None else None
        with self._lock:
            installation = self._installation = self._installation or made
        if self._add is not None:
            self._add(installation, file)
        if self._off:  # meanwhile
            installation.uninstall()


def installations(
    config: Config,
    get_recorder: GetRecorder,
    conversation_ended: Callable[[str, int, int], None],
    conversation_went_on: Callable[[str], None],
) -> Iterator[Installed]:
    """Wrap the parts that the settings name, one at each step of the iterator."""
    disabled = set(config.disabled_instrumentations)
    taskweaver = config.instrument_taskweaver and not {"*", "taskweaver"} & disabled
    if (config.instrument_llm_calls or taskweaver) and "*" not in disabled:
        yield WhenImported(clients.FILES, partial(_clients, config, get_recorder), partial(_add, clients, disabled))
    if taskweaver:
        yield WhenImported(_TASKWEAVER, partial(_taskweaver, get_recorder, conversation_ended, conversation_went_on))
    elif not config.capture_content:
        yield WhenImported(_TASKWEAVER, partial(_taskweaver_without_tracing, get_recorder))
    if config.instrument_frameworks and "*" not in disabled:
        yield WhenImported(frameworks.FILES, partial(_frameworks, get_recorder), partial(_add, frameworks, disabled))
    yield from _propagation(config)


def _add(room: Any, disabled: Set[str], installation: Any, file: str) -> None:
    installation.add([spec for spec in room.specs_in(file) if spec.name not in disabled])


def _clients(config: Config, get_recorder: GetRecorder) -> Installed:
    from agentops_otel.instrumentation import install
    from agentops_otel.taskweaver.install import within_llm_calls

    # TaskWeaver's own calls are part of its rounds, whatever becomes of the program's.
    calls = get_recorder if config.instrument_llm_calls else within_llm_calls(get_recorder)
    return install((), calls, semconv_opt_in=config.semconv_opt_in)


def _frameworks(get_recorder: GetRecorder) -> Installed:
    from agentops_otel.instrumentation import install_frameworks

    return install_frameworks((), get_recorder)


def _taskweaver(
    get_recorder: GetRecorder, ended: Callable[[str, int, int], None], went_on: Callable[[str], None]
) -> Installed:
    from agentops_otel.taskweaver.install import install

    return install(get_recorder, ended, went_on)


def _taskweaver_without_tracing(get_recorder: GetRecorder) -> Installed:
    from agentops_otel.taskweaver.install import disable_tracing_only

    return disable_tracing_only(get_recorder)


def _propagation(config: Config) -> Iterator[Installed]:
    """The context in new threads and processes."""
    if config.propagate_threads:
        from agentops_otel.recording.threads import ThreadPropagation

        threads = ThreadPropagation()
        threads.install()
        yield threads
    if config.run is not None:
        from agentops_otel.recording.processes import ProcessPropagation
        from agentops_otel.recording.task_processes import TaskPropagation

        yield ProcessPropagation()
        yield TaskPropagation()
