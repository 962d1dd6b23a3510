"""The cost of an LLM call in USD, by the price list of the `cost` extra. Offline; imported when first used."""

import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.util.types import AttributeValue

from agentops_otel import semconv

# The names of genai-prices: https://github.com/pydantic/genai-prices
_USAGE = {
    "input_tokens": semconv.GEN_AI_USAGE_INPUT_TOKENS,
    "output_tokens": semconv.GEN_AI_USAGE_OUTPUT_TOKENS,
    "cache_read_tokens": semconv.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS,
}
_PRICE_ATTRIBUTES = (
    *_USAGE.values(),
    semconv.AGENTOPS_USAGE_COST,
    semconv.GEN_AI_PROVIDER_NAME,
    semconv.GEN_AI_REQUEST_MODEL,
    semconv.GEN_AI_RESPONSE_MODEL,
)
_PROVIDERS = {
    semconv.AWS_BEDROCK: "aws",
    semconv.AZURE_AI_INFERENCE: "azure",
    semconv.AZURE_AI_OPENAI: "azure",
    semconv.GCP_GEMINI: "google",
    semconv.GCP_GEN_AI: "google",
    semconv.GCP_VERTEX_AI: "google",
    semconv.MISTRAL_AI: "mistral",
    semconv.MOONSHOT_AI: "moonshotai",
    semconv.X_AI: "x-ai",
}


_loaded = threading.Event()


def cost_of(span: ReadableSpan, *, wait: bool = True) -> float | None:
    """The cost of the span's call in USD; None if it is unknown, never 0.

    A cost that the span states is used; otherwise the `cost` extra prices model and tokens as of the span's start.
    """
    return price(price_attributes(span.attributes or {}), start_ns=span.start_time, wait=wait)


def price_attributes(attributes: Mapping[str, AttributeValue]) -> dict[str, AttributeValue]:
    """The attributes of a span that its price depends on."""
    return {name: attributes[name] for name in _PRICE_ATTRIBUTES if name in attributes}


def price(attributes: Mapping[str, AttributeValue], *, start_ns: int | None = None, wait: bool = True) -> float | None:
    """The cost in USD of a call with these attributes, at the prices of its start, by default of now.

    With *wait* False another thread imports the price list, which takes a second; until then the result is None.
    """
    stated = attributes.get(semconv.AGENTOPS_USAGE_COST)
    if isinstance(stated, int | float):
        return float(stated)
    model = attributes.get(semconv.GEN_AI_RESPONSE_MODEL) or attributes.get(semconv.GEN_AI_REQUEST_MODEL)
    usage = {name: attributes[key] for name, key in _USAGE.items() if isinstance(attributes.get(key), int)}
    prices = _prices(wait) if model and usage else None
    if prices is None:
        return None
    provider = str(attributes.get(semconv.GEN_AI_PROVIDER_NAME, ""))
    when = datetime.now(UTC) if start_ns is None else datetime.fromtimestamp(start_ns / 1e9, UTC)
    try:
        priced = prices.calc_price(
            prices.Usage(**usage),
            str(model),
            provider_id=_PROVIDERS.get(provider, provider) or None,
            genai_request_timestamp=when,
        )
    except (LookupError, ValueError):  # the list does not know this model or usage
        return None
    return float(priced.total_price)


def is_loaded() -> bool:
    """Whether the price list was looked for: a call that has no price by then has none."""
    return _loaded.is_set()


def wait_until_loaded(timeout_s: float) -> bool:
    """Wait for the price list that another thread imports; True if it was looked for."""
    return _loaded.wait(timeout_s)


def _prices(wait: bool) -> ModuleType | None:
    if wait or _loaded.is_set():
        return _load()
    return None if _load_in_thread() else _load()


@cache
def _load() -> ModuleType | None:
    prices = import_module("genai_prices") if find_spec("genai_prices") else None
    _loaded.set()
    return prices


@cache
def _load_in_thread() -> bool:
    """Start the thread; False where none can be started: since Python 3.12 at the end of the process."""
    try:
        threading.Thread(target=_load, name="agentops_otel prices", daemon=True).start()
    except RuntimeError:
        return False
    return True
