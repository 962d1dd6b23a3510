"""The price of a call: what is on the span, what the price list knows, or nothing."""

import io
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from types import SimpleNamespace

import pytest
from opentelemetry.sdk.trace import ReadableSpan

from agentops_otel.view import cost, notebook, printer, terminal, terminal_processor
from agentops_otel.view.open_spans import OpenSpans
from agentops_otel.view.printer import Printed, Printer
from agentops_otel.view.session_totals import SessionTotals
from agentops_otel.view.terminal_processor import TerminalProcessor
from agentops_otel.view.tree import build, summarize
from tests.program import run
from tests.view.spans import CHAT, MS, START, WORKFLOW, Trace


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, 0.0048),
        ({"agentops.usage.cost": 0.5}, 0.5),
        ({"agentops.usage.cost": 0}, 0.0),
        ({"gen_ai.response.model": "", "gen_ai.request.model": "gpt-4o"}, 0.0048),
        ({"gen_ai.provider.name": "azure.ai.openai"}, 0.0048),
        ({"gen_ai.provider.name": ""}, 0.0048),
        ({"gen_ai.usage.cache_read.input_tokens": 1000}, 0.00355),
        ({"gen_ai.response.model": "my-own-model"}, None),
        ({"gen_ai.provider.name": "ollama"}, None),
        ({"gen_ai.usage.cache_read.input_tokens": 5000}, None),
        ({"gen_ai.response.model": "", "gen_ai.request.model": ""}, None),
        ({"gen_ai.usage.input_tokens": "many", "gen_ai.usage.output_tokens": "few"}, None),
    ],
)
def test_a_call_costs_what_the_price_list_says(changes: dict[str, str | float], expected: float | None) -> None:
    """A cost on the span wins; what the list does not know is None and never 0."""
    span = Trace().span("chat gpt-4o", attributes={**CHAT, **changes})

    assert cost.cost_of(span) == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    ("provider", "listed", "model"),
    [
        ("aws.bedrock", "aws", "anthropic.claude-3-5-sonnet-20240620-v1:0"),
        ("azure.ai.inference", "azure", "gpt-4o"),
        ("azure.ai.openai", "azure", "gpt-4o"),
        ("gcp.gemini", "google", "gemini-2.0-flash"),
        ("gcp.gen_ai", "google", "gemini-2.0-flash"),
        ("gcp.vertex_ai", "google", "gemini-2.0-flash"),
        ("mistral_ai", "mistral", "mistral-large-latest"),
        ("moonshot_ai", "moonshotai", "moonshot-v1-8k"),
        ("x_ai", "x-ai", "grok-3"),
        ("openai", "openai", "gpt-4o"),
    ],
)
def test_a_provider_is_found_by_the_name_that_the_list_has_for_it(provider: str, listed: str, model: str) -> None:
    """The conventions have other names."""
    genai_prices = pytest.importorskip("genai_prices")
    call: dict[str, str | int] = {
        "gen_ai.provider.name": provider,
        "gen_ai.request.model": model,
        "gen_ai.usage.input_tokens": 1000,
    }

    known = genai_prices.calc_price(genai_prices.Usage(input_tokens=1000), model, provider_id=listed)

    assert cost.price(call) == pytest.approx(float(known.total_price))


def test_a_call_costs_what_it_cost_when_it_was_made() -> None:
    """A model whose price depends on the time of day, by the call's start; a span without a start has today's price."""
    changes = {"gen_ai.provider.name": "deepseek", "gen_ai.response.model": "deepseek-chat"}
    starts = [int(datetime(2025, 8, 1, hour, tzinfo=UTC).timestamp() * 1e9) for hour in (20, 12)]
    night, noon = (cost.price({**CHAT, **changes}, start_ns=start) for start in starts)
    calls = [Trace().span("chat", (start - START) / MS, attributes={**CHAT, **changes}) for start in starts]

    assert night is not None
    assert noon is not None
    assert 0 < night < noon
    assert cost.price({**CHAT, **changes}) in (night, noon)
    assert list(map(cost.cost_of, calls)) == [night, noon]


def test_without_the_extra_there_is_no_cost() -> None:
    """A machine without the price list shows no price and no error."""
    program = (
        "import sys; sys.modules['genai_prices'] = None\n"
        "from agentops_otel.view import cost\n"
        "from tests.view.spans import CHAT, Trace\n"
        "assert cost.cost_of(Trace().span('chat', attributes=CHAT)) is None"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, done.stderr) == (0, "")


def test_asking_for_a_stated_cost_imports_no_price_list() -> None:
    """The price list takes half a second to import; only a span that needs it pays."""
    program = (
        "import sys\n"
        "from agentops_otel.view import cost\n"
        "from tests.view.spans import Trace\n"
        "cost.cost_of(Trace().span('x')); cost.cost_of(Trace().span('x', attributes={'agentops.usage.cost': 1.0}))\n"
        "assert 'genai_prices' not in sys.modules"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, done.stderr) == (0, "")


def test_the_app_does_not_wait_for_the_price_list() -> None:
    """Asked without waiting there is no price at first; another thread loads the list, and then there is."""
    run(
        """
        import threading
        from agentops_otel.view import cost
        from tests.view.spans import CHAT, Trace

        chat = Trace().span("chat", attributes=CHAT)
        assert cost.cost_of(chat, wait=False) is None
        for thread in threading.enumerate():
            if thread is not threading.main_thread():
                thread.join(30)
        assert cost.cost_of(chat, wait=False) == cost.cost_of(chat) is not None
        """
    )


def test_who_prints_or_sums_up_does_not_wait_for_the_price_list() -> None:
    """A trace, part of one, a cell of a notebook, and the totals of a session: another thread imports it."""
    pytest.importorskip("genai_prices")
    run(
        """
        import io
        import sys
        import threading

        from agentops_otel.view import notebook, terminal
        from agentops_otel.view.printer import Printed
        from agentops_otel.view.session_totals import SessionTotals
        from agentops_otel.view.tree import build, summarize
        from tests.view.spans import CHAT, Trace

        class Missing:
            @staticmethod
            def find_spec(name, path=None, target=None):
                if name == "genai_prices":
                    raise ImportError(f"imported by {threading.current_thread().name}")

        threading.excepthook = lambda raised: None
        sys.meta_path.insert(0, Missing)
        roots = build([Trace().span("chat", attributes={**CHAT, "session.id": "one"})])
        totals, stream = SessionTotals(), io.StringIO()
        totals.on_end(roots[0].span)
        assert summarize(roots, wait=False).cost_usd is None
        assert terminal.total(roots, None, wait=False).cost_usd is None
        assert totals.get("one", 1).cost_usd is None
        terminal.show(roots, stream=stream, wait=False)
        Printed(roots).show(stream, False)
        assert "$" not in stream.getvalue() + notebook._html([Printed(roots)])
        """
    )


@pytest.mark.parametrize("of_a_span", [True, False])
def test_who_does_not_say_otherwise_waits_for_the_price_list(of_a_span: bool) -> None:
    """The first price is there at once."""
    pytest.importorskip("genai_prices")
    spec = find_spec("agentops_otel.view.cost")
    assert spec is not None
    assert spec.loader is not None
    first = module_from_spec(spec)  # has looked for no list yet
    spec.loader.exec_module(first)

    priced = first.cost_of(Trace().span("chat", attributes=CHAT)) if of_a_span else first.price(CHAT)

    assert priced == pytest.approx(0.0048)


PRICES = """
import threading

by = threading.current_thread().name

class Usage(dict): ...

class Priced:
    total_price = 2

def calc_price(*_, **__):
    return Priced
"""


@pytest.fixture
def importer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], str]]:
    """The name of the thread that imports a price list, which nobody has done yet."""

    def name() -> str:
        assert cost.wait_until_loaded(60)
        return str(import_module("genai_prices").by)

    (tmp_path / "genai_prices.py").write_text(PRICES)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "genai_prices", raising=False)
    _forget()
    yield name
    monkeypatch.undo()
    _forget()
    cost.price(CHAT)


def _forget() -> None:
    cost._load.cache_clear()
    cost._load_in_thread.cache_clear()
    cost._loaded.clear()


def a_call() -> ReadableSpan:
    """One that has a price."""
    return Trace().span("chat", attributes={**CHAT, "session.id": "s"})


def printed() -> str:
    """A trace on the terminal."""
    stream = io.StringIO()
    prints = Printer(stream)
    prints.add(Printed(build([a_call()])))
    assert prints.flush(60)
    prints.close(60)
    return stream.getvalue()


def below_an_open_span() -> str:
    """What has ended there, and what is known of it later."""
    stream, names, trace = io.StringIO(), OpenSpans(), Trace()
    root = trace.span("root", attributes=WORKFLOW)
    names.on_start(root)  # type: ignore[arg-type]  # only its name and ids are read
    processor = TerminalProcessor(Printer(stream), open_spans=names)
    processor.on_end(trace.span("chat", under=root, attributes=CHAT))
    assert processor.force_flush()
    return stream.getvalue()


def in_a_notebook() -> str:
    """A trace below a cell."""
    events = pytest.importorskip("IPython.core.events", reason="the group `taskweaver` brings it")
    shell = SimpleNamespace(events=events.EventManager(None, events.available_events))
    output = notebook.CellOutput(shell, cell_ended=lambda: None)
    output.add(Printed(build([a_call()])))
    return str(output.html(f"{1:032x}"))


def of_a_session() -> str:
    """Its totals."""
    totals = SessionTotals()
    totals.on_end(a_call())
    return "" if totals.get("s", 1).cost_usd is None else "$"


def shown() -> str:
    """A trace by the command."""
    stream = io.StringIO()
    terminal.show(build([a_call()]), stream=stream)
    return stream.getvalue()


def summed_up() -> str:
    """The totals of a tree."""
    return "$" * (summarize(build([a_call()])).cost_usd == 2)


@pytest.mark.parametrize("way", [printed, below_an_open_span, in_a_notebook, of_a_session])
def test_nothing_that_is_shown_while_the_program_runs_waits_for_the_price_list(
    way: Callable[[], str], importer: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another thread imports it."""
    monkeypatch.setattr(terminal_processor, "OPEN_S", 0.0)

    way()

    assert importer() == "agentops_otel prices"


def test_traces_that_are_only_counted_do_not_wait_for_the_price_list(
    importer: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of many short ones."""
    monkeypatch.setattr(printer, "BURST", 0)
    monkeypatch.setattr(printer, "PER_SECOND", 0.0)

    assert "1 trace more: 1 LLM call" in printed()
    assert importer() == "agentops_otel prices"


@pytest.mark.parametrize("way", [shown, summed_up])
def test_who_asks_for_a_trace_gets_its_price(way: Callable[[], str], importer: Callable[[], str]) -> None:
    """However long the import takes."""
    assert "$" in way()
    assert importer() == threading.current_thread().name


def test_the_price_list_knows_each_provider_by_the_name_that_it_is_asked_for() -> None:
    """The conventions have other names for some."""
    data = pytest.importorskip("genai_prices.data")

    assert set(cost._PROVIDERS.values()) <= {provider.id for provider in data.providers}
