"""What holds of the hooks without a running TaskWeaver: other threads, and the time after the client."""

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry.context import get_current
from opentelemetry.trace import INVALID_SPAN_CONTEXT, NonRecordingSpan, use_span

from agentops_otel.content import Content
from agentops_otel.taskweaver.hooks import Hooks
from agentops_otel.taskweaver.install import Installation
from agentops_otel.taskweaver.kernel import Kernel
from agentops_otel.taskweaver.rounds import Round
from agentops_otel.testing import capture


def test_a_hook_that_somebody_keeps_records_nothing_after_the_client() -> None:
    """Who has wrapped a function of TaskWeaver over ours calls the hook for ever."""
    with capture() as captured:
        hooks = Hooks(lambda: captured.client.recorder)
        assert hooks.get_recorder() is not None

        Installation(hooks, {}).uninstall()

        assert hooks.get_recorder() is None


@pytest.mark.parametrize("container", [False, True])
def test_a_kernel_writes_where_the_session_has_its_folder(tmp_path: Path, *, container: bool) -> None:
    """TaskWeaver's container has it at a place of its own."""
    told = list[str]()
    client = SimpleNamespace(execute=lambda code, **options: told.append(code))
    with capture() as captured:
        recorder = captured.client.recorder
        assert recorder is not None
        with use_span(recorder.start("step")):
            Kernel(tmp_path, container=container).enter(client, get_current(), recorder)

    folder = Path("/app/ces") if container else tmp_path / "ces"
    assert [repr(str(folder / "agentops_otel.spans")) in code.replace("\\", "") for code in told] == [True]


class Ending(NonRecordingSpan):
    """A span whose round is ended by another thread while the round takes note of it."""

    def __init__(self, rounds: list[Round]) -> None:
        super().__init__(INVALID_SPAN_CONTEXT)
        self.rounds = rounds

    def __hash__(self) -> int:
        """Called when it is taken note of."""
        while self.rounds:
            thread = threading.Thread(target=self.rounds.pop().end)
            thread.start()
            thread.join(0.1)
        return id(self)


def test_a_span_that_begins_while_its_round_ends_is_ended() -> None:
    """The end waits until the round knows of it."""
    rounds, ended, ending = list[Round](), list[Any](), threading.Event()

    def end(span: Any, end_time: int | None = None) -> None:
        ended.append(span)
        if len(ended) == 2:
            ending.set()

    recorder: Any = SimpleNamespace(
        start=lambda *args, **named: Ending(rounds),
        end=end,
        content=Content(),
        set_error=lambda *args: None,
        defaults=SimpleNamespace(tags=()),
    )
    of_user = Round(recorder)
    rounds.append(of_user)

    begun = of_user.open("step", {})

    assert ending.wait(10)
    assert ended == [begun, of_user.span]
