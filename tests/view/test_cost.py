"""The price of a call: what is on the span, what the price list knows, or nothing."""

import subprocess
import sys
from datetime import UTC, datetime
from importlib.util import find_spec, module_from_spec

import pytest

from agentops_otel.view import cost
from tests.program import run
from tests.view.spans import CHAT, Trace


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
    night, noon = (
        cost.price({**CHAT, **changes}, start_ns=int(datetime(2025, 8, 1, hour, tzinfo=UTC).timestamp() * 1e9))
        for hour in (20, 12)
    )

    assert night is not None
    assert noon is not None
    assert 0 < night < noon
    assert cost.price({**CHAT, **changes}) in (night, noon)


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


def test_the_price_list_knows_each_provider_by_the_name_that_it_is_asked_for() -> None:
    """The conventions have other names for some."""
    data = pytest.importorskip("genai_prices.data")

    assert set(cost._PROVIDERS.values()) <= {provider.id for provider in data.providers}
