"""What `init()` wraps when a program imports a library, and what it does not import before."""

import importlib.util
import sys
import threading
from multiprocessing import spawn
from types import ModuleType
from typing import Any

import pytest

from agentops_otel.config import Config
from agentops_otel.instrumentation import ClientSpec, Installation, install
from agentops_otel.launcher import Run
from agentops_otel.sdk.installations import WhenImported, installations
from agentops_otel.wrapping import import_hook
from tests.program import run

INIT = 'agentops_otel.init(endpoint="http://127.0.0.1:9", spool_dir=False, exit_timeout_s=0.1)'
START = f"import sys, agentops_otel; {INIT}"


def test_init_imports_what_the_program_has_a_use_of() -> None:
    """Neither wrapt, which brings asyncio, nor a description of a client or a framework, nor the machine for them."""
    program = f"""
        {START}
        late = {{"asyncio", "wrapt", "agentops_otel.instrumentation", "agentops_otel.taskweaver.install"}}
        rooms = ("agentops_otel.clients.", "agentops_otel.frameworks.")
        assert [name for name in sys.modules if name in late or name.startswith(rooms)] == []
        """
    run(program, STARTS="real")


def test_a_client_brings_its_own_description() -> None:
    """And no other one's; it is wrapped from its import on, until `shutdown()`."""
    run(f"""
        {START}
        from openai import OpenAI
        assert "request" in vars(OpenAI)
        rooms = ("agentops_otel.clients.an", "agentops_otel.frameworks.")
        others = [name for name in sys.modules if name.startswith(rooms)]
        assert others == []
        agentops_otel.shutdown()
        assert "request" not in vars(OpenAI)
        """)


def test_a_client_that_is_imported_after_shutdown_is_left_alone() -> None:
    """Nobody waits for it any more."""
    run(f"""
        {START}
        agentops_otel.shutdown()
        from openai import OpenAI
        assert "request" not in vars(OpenAI)
        assert "agentops_otel.instrumentation" not in sys.modules
        """)


def test_a_file_of_two_libraries_is_read_once() -> None:
    """However many of them a program imports."""
    read: list[str] = []

    WhenImported({"json": "one", "decimal": "one"}, dict, lambda _, file: read.append(file))

    assert read == ["one"]


def test_a_client_that_is_disabled_by_name_is_left_alone() -> None:
    """Its description is read for its name, and nothing is wrapped."""
    run(
        f"""
        {START}
        from openai import OpenAI
        assert "request" not in vars(OpenAI)
        """,
        OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="openai",
    )


def test_init_in_a_thread_while_the_main_one_imports() -> None:
    """Each waits for the other's import where it must, and the client is wrapped whoever was first."""
    run(f"""
        import threading
        import agentops_otel

        def start():
            {INIT}

        thread = threading.Thread(target=start)
        thread.start()
        import anthropic
        import openai
        thread.join(60)
        assert not thread.is_alive()
        assert "request" in vars(openai.OpenAI)
        """)


def test_what_is_switched_off_is_imported_at_no_time() -> None:
    """The end of a program that has a client asks nobody what is known of it."""
    run("""
        import sys
        import agentops_otel
        agentops_otel.init(
            endpoint="http://127.0.0.1:9", spool_dir=False, exit_timeout_s=0.1,
            instrument_llm_calls=False, instrument_taskweaver=False,
        )
        import openai
        agentops_otel.shutdown()
        assert "agentops_otel.clients.openai" not in sys.modules
        """)


def test_what_is_added_while_all_is_uninstalled_is_uninstalled() -> None:
    """As where another thread calls `shutdown()` in the middle of an import."""

    def add(installation: Installation, file: str) -> None:
        when.uninstall()
        installation.add([ClientSpec(name=file, module="late_client", operations=(), provider="none")])

    when = WhenImported({"late_package": "late"}, lambda: install((), lambda: None), add)
    before = dict(import_hook._callbacks)
    importlib.util.find_spec("late_package")

    assert import_hook._callbacks == before


@pytest.mark.parametrize("in_run", [True, False])
@pytest.mark.parametrize("threads", [True, False])
def test_the_context_goes_along_where_that_is_asked_for(
    in_run: bool, threads: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To threads by the setting; under `agentops-otel run` to what multiprocessing spawns and to joblib's tasks."""

    class Parallel:
        def __call__(self, tasks: object) -> None: ...

    joblib = ModuleType("joblib.parallel")
    monkeypatch.setattr(joblib, "Parallel", Parallel, raising=False)
    monkeypatch.setitem(sys.modules, "joblib.parallel", joblib)
    run = Run.begin("app", []) if in_run else None

    def found() -> list[object]:
        return [threading.Thread.start, spawn.get_preparation_data, Parallel.__call__]

    before = found()
    config = Config(
        propagate_threads=threads,
        run=run,
        instrument_llm_calls=False,
        instrument_taskweaver=False,
        instrument_frameworks=False,
    )
    installed = list(installations(config, lambda: None, lambda *_: None, lambda _: None))
    wrapped = [one is not was for one, was in zip(found(), before, strict=True)]
    for installation in installed:
        installation.uninstall()
    if run is not None:
        run.end()

    assert wrapped == [threads, in_run, in_run]
    assert found() == before


@pytest.mark.parametrize(
    ("settings", "watched"),
    [
        ({}, {"zhipuai", "taskweaver", "dspy"}),
        ({"instrument_llm_calls": False}, {"zhipuai", "taskweaver", "dspy"}),
        ({"instrument_llm_calls": False, "instrument_taskweaver": False}, {"dspy"}),
        ({"instrument_taskweaver": False}, {"zhipuai", "dspy"}),
        ({"instrument_taskweaver": False, "capture_content": False}, {"zhipuai", "taskweaver", "dspy"}),
        ({"capture_content": False}, {"zhipuai", "taskweaver", "dspy"}),
        ({"instrument_frameworks": False}, {"zhipuai", "taskweaver"}),
        ({"disabled_instrumentations": {"openai"}}, {"zhipuai", "taskweaver", "dspy"}),
        ({"disabled_instrumentations": {"taskweaver"}}, {"zhipuai", "dspy"}),
        ({"disabled_instrumentations": {"taskweaver"}, "instrument_llm_calls": False}, {"dspy"}),
        ({"disabled_instrumentations": {"*"}}, set()),
        ({"disabled_instrumentations": {"*"}, "capture_content": False}, {"taskweaver"}),
    ],
)
def test_what_is_waited_for_is_what_the_settings_name(
    settings: dict[str, Any], watched: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client, TaskWeaver, a framework. TaskWeaver's own calls are traced with it; its tracing is off with content."""
    for name in ("zhipuai", "taskweaver", "dspy"):
        monkeypatch.delitem(sys.modules, name, raising=False)

    installed = list(installations(Config(**settings), lambda: None, lambda *_: None, lambda _: None))
    waited_for = import_hook._beginnings.keys() & {"zhipuai", "taskweaver", "dspy"}
    for installation in installed:
        installation.uninstall()

    assert waited_for == watched
    assert not import_hook._beginnings.keys() & {"zhipuai", "taskweaver", "dspy"}
