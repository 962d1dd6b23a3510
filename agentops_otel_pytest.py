"""The pytest plugin: the fixture `agentops_spans`, and the option `--agentops-trace`.

pytest imports every installed plugin at its start. This one is no part of the package, whose import takes a quarter of
a second, and imports it when a test uses it.
"""

from __future__ import annotations

import io
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from agentops_otel.testing import Capture

_CAPTURE = pytest.StashKey["Capture"]()


@pytest.fixture
def agentops_spans() -> Iterator[Capture]:
    """The spans of one test: `def test_agent(agentops_spans): ...; agentops_spans.tree()`.

    See `agentops_otel.testing.capture`.
    """
    from agentops_otel.testing import capture

    with capture() as captured:
        yield captured


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--agentops-trace`."""
    parser.getgroup("agentops_otel").addoption(
        "--agentops-trace", action="store_true", help="Trace each test, and print the trace of those that fail."
    )


def pytest_configure(config: pytest.Config) -> None:
    """With `--agentops-trace`, trace each test."""
    if config.getoption("--agentops-trace"):
        config.pluginmanager.register(_Traces(), "agentops_otel traces")


class _Traces:
    """Traces each test, and adds the trace to the report of one that fails."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Capture the test's spans, unless its fixture does."""
        from agentops_otel.testing import capture

        fixtures = getattr(item, "funcargs", {})  # an item that is no function has none
        if "agentops_spans" in fixtures:
            item.stash[_CAPTURE] = fixtures["agentops_spans"]
            return (yield)
        with capture() as captured:
            item.stash[_CAPTURE] = captured
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Add a section with the trace."""
        report = yield
        if report.when == "call" and report.failed and _CAPTURE in item.stash:
            report.sections.append(("agentops_otel trace", _printed(item.stash[_CAPTURE])))
        return report


def _printed(captured: Capture) -> str:
    from agentops_otel.view import terminal, tree

    text = io.StringIO()
    for roots in tree.by_trace(captured.spans):
        terminal.show(roots, stream=text, color=False)
    return text.getvalue() or "no spans"
