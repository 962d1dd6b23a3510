"""A notebook's kernel, run for real: each trace once, as HTML, below the cell that ended it."""

import os
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from tests.program import ROOT

jupyter_client = pytest.importorskip("jupyter_client", reason="the group `taskweaver` brings it")
pytest.importorskip("ipykernel", reason="the group `taskweaver` brings it")

INIT = "import agentops_otel\nclient = agentops_otel.init(trace_file=False)"
CALL = "agentops_otel.record_action('step <1>')(lambda: None)()"


class Kernel:
    """Runs cells."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def run(self, code: str) -> list[dict[str, str]]:
        """The rich outputs of a cell, by MIME type."""
        outputs: list[dict[str, Any]] = []

        def keep(message: dict[str, Any]) -> None:
            if message["msg_type"] in ("display_data", "execute_result"):
                outputs.append(message["content"]["data"])

        reply = self._client.execute_interactive(code, timeout=60, output_hook=keep)
        assert reply["content"]["status"] == "ok", reply["content"]
        return outputs

    def said(self, code: str) -> str:
        """What a cell has on standard error."""
        said: list[str] = []

        def keep(message: dict[str, Any]) -> None:
            if message["msg_type"] == "stream" and message["content"]["name"] == "stderr":
                said.append(message["content"]["text"])

        self._client.execute_interactive(code, timeout=60, output_hook=keep)
        return "".join(said)

    def shown(self, code: str) -> list[str]:
        """The HTML outputs of a cell as text."""
        return [unescape(re.sub("<[^>]*>", "", out["text/html"].replace("<br>", "\n"))) for out in self.run(code)]


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """A kernel in which `init()` has run, without a collector."""
    home = tmp_path_factory.mktemp("home")
    env = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "IPYTHONDIR": str(home),
        "XDG_STATE_HOME": str(home),
        "OTEL_TRACES_EXPORTER": "console",
    }
    manager = jupyter_client.KernelManager()
    manager.start_kernel(env=env, cwd=str(Path(home)))
    client = manager.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        kernel = Kernel(client)
        assert kernel.shown(INIT) == []
        yield kernel
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_a_cell_shows_the_traces_that_it_ended_once(kernel: Kernel) -> None:
    """All traces of a cell are one output, and the next cell does not repeat them; names are text."""
    (shown,) = kernel.shown(f"{CALL}\n{CALL}")

    assert shown.count("step <1>") == 2
    assert kernel.shown("1 + 1 and None") == []


def test_a_session_over_several_cells_shows_what_each_has_ended(kernel: Kernel) -> None:
    """What has ended below the open session is shown with its cell, and the session with the one that ends it."""
    first = kernel.shown(f"session = agentops_otel.start_session(name='chat')\n{CALL}")
    last = kernel.shown("session.end_session('Success')")

    assert [text.splitlines()[0] for text in first] == ["invoke_workflow chat …"]
    assert "step <1>" in first[0]
    assert [text.startswith("invoke_workflow chat ") for text in last] == [True]
    assert "step <1>" not in last[0]


def test_a_session_can_be_displayed(kernel: Kernel) -> None:
    """`display(session)` is its whole trace, and its cell does not show it a second time."""
    (shown,) = kernel.shown(f"with agentops_otel.start_session(name='whole') as session:\n    {CALL}\ndisplay(session)")

    assert shown.startswith("invoke_workflow whole ")
    assert "└─ step <1>" in shown


def test_an_open_session_is_displayed_as_it_is_so_far(kernel: Kernel) -> None:
    """With what has ended just before, in the same cell; that is not shown a second time."""
    made = f"begun = agentops_otel.start_session(name='begun')\n{CALL}\ndisplay(begun)"
    (shown,) = kernel.shown(made)
    (last,) = kernel.shown("begun.end_session('Success')")

    assert shown.startswith("step <1>")
    assert last.startswith("invoke_workflow begun ")
    assert "step <1>" not in last


def test_the_client_says_where_spans_go(kernel: Kernel) -> None:
    """A cell that ends with `client` shows something to read."""
    (shown,) = kernel.run("client")

    assert shown["text/plain"] == "<agentops_otel.Client: spans go to this notebook>"


def test_a_session_is_summed_up_below_its_cell(kernel: Kernel) -> None:
    """In a line on the notebook's standard error, which is no stream as that of a program is."""
    said = kernel.said(f"with agentops_otel.start_session(name='summed'):\n    {CALL}")

    assert re.fullmatch(r"agentops_otel: session \w+: .*, 1 action.*\n", said)
