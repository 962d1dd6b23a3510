"""What the tests of the views share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agentops_otel.export import otlp_json
from agentops_otel.view import cost
from agentops_otel.view.live import LiveView, Store
from tests.view.browser import Browser
from tests.view.spans import CHAT


@pytest.fixture(scope="session", autouse=True)
def _prices() -> None:
    """The price list is imported by another thread when a trace is printed: here it is there from the start."""
    cost.price(CHAT)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    made = Store(tmp_path / "view.sqlite3", otlp_json, clock=lambda: 0.0)
    yield made
    made.close()


@pytest.fixture
def live(store: Store) -> Iterator[LiveView]:
    """The servers, on free ports."""
    with LiveView(store, otlp_json, port=0, otlp_port=0) as running:
        yield running


@pytest.fixture(scope="package")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """The browser that all tests open their pages in."""
    with Browser(tmp_path_factory.mktemp("browser")) as running:
        yield running
