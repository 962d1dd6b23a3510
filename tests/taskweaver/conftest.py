"""A real TaskWeaver in a project of its own, and an LLM that answers by script."""

import gc
import json
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from agentops_otel.testing import Capture, capture
from tests.loopback.taskweaver_llm import Answer, ScriptedLLM, code, final, plan, scripted_llm

MISSING = "TaskWeaver is not installed: BUILD_SOURCEBRANCHNAME=main python -m pip install --group taskweaver"
LEFT_OPEN = (
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
)
NONE: Mapping[str, str] = {}
MakeApp = Callable[..., Any]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, and say why, where TaskWeaver is not installed; Jupyter leaves event loops open: Python may say so."""
    missing = [pytest.mark.skip(reason=MISSING)] if find_spec("taskweaver") is None else []
    for item in items:
        if item.path.parent == Path(__file__).parent:
            for mark in (*missing, *LEFT_OPEN):
                item.add_marker(mark)


@pytest.fixture(scope="package")
def llm() -> Iterator[ScriptedLLM]:
    """The scripted LLM that every project of the run is configured with."""
    with scripted_llm() as running:
        yield running


@pytest.fixture(scope="package")
def make_app(llm: ScriptedLLM, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeApp]:
    """Makes an app in a project folder of its own; it is stopped at the end of the run."""
    apps = []

    def make(plugins: Mapping[str, str] = NONE, **settings: object) -> Any:
        folder = tmp_path_factory.mktemp("project")
        configure(folder, llm, **settings)
        for name, text in plugins.items():
            (folder / "plugins" / name).write_text(text)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from taskweaver.app.app import TaskWeaverApp

            apps.append(TaskWeaverApp(app_dir=str(folder)))
        return apps[-1]

    yield make
    for app in apps:
        app.stop()
    apps.clear()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()


@pytest.fixture(scope="package")
def app(make_app: MakeApp) -> Any:
    """The app that tests without settings of their own share."""
    return make_app()


@pytest.fixture(scope="package")
def session(app: Any, llm: ScriptedLLM) -> Any:
    """A session whose kernel has been started already, so that a round takes less than a second."""
    session = app.get_session()
    llm.script(plan("start"), code("0"), final("started"))
    session.send_message("start")
    return session


@pytest.fixture
def traced() -> Iterator[Capture]:
    """The spans of one test, with the hooks on."""
    with capture(tags=("mine",)) as captured:
        yield captured


def configure(folder: Path, llm: ScriptedLLM, **settings: object) -> None:
    """Write a project: its settings, and the folders without which TaskWeaver's first round fails."""
    for name in ("examples/planner_examples", "examples/code_generator_examples", "plugins"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    told = {
        "llm.api_type": "openai",
        "llm.api_base": llm.url,
        "llm.api_key": "none",
        "llm.model": "scripted-model",
        "llm.embedding_api_type": "openai",
        "llm.embedding_model": "scripted-embedding",
        "execution_service.kernel_mode": "local",
        **settings,
    }
    (folder / "taskweaver_config.json").write_text(json.dumps(told))


def send_failing_code(
    session: Any, llm: ScriptedLLM, captured: Capture, answers: Sequence[Answer], *, failures: int = 1, **more: Any
) -> Any:
    """The round that the session makes of answers with code that fails so many times.

    TaskWeaver asks its kernel for the outcome at once, and the kernel drops what it is asked right after a failure. On
    a busy machine TaskWeaver loses that race now and then, and the round, or takes the code for one that ran through:
    then the flow is played again.
    """
    for _ in range(10):
        captured.clear()
        llm.script(*answers)
        round_ = session.send_message("divide", **more)
        said = [attachment for post in round_.post_list for attachment in post.attachment_list]
        failed = sum(one.type.name == "execution_status" and one.content == "FAILURE" for one in said)
        if round_.state == "finished" and failed == failures:
            return round_
    raise AssertionError(f"the race was lost ten times: {round_}")
