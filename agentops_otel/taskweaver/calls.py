"""TaskWeaver's LLM calls: their context in its threads, and a span if the client library makes none."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextvars import copy_context
from types import TracebackType
from typing import Any, Self

from opentelemetry.context import attach, create_key, detach, get_current, get_value, set_value
from opentelemetry.trace import SpanKind
from opentelemetry.util.types import AttributeValue

from agentops_otel import semconv
from agentops_otel.guard import guard
from agentops_otel.instrumentation import gen_ai
from agentops_otel.instrumentation.reading import field
from agentops_otel.instrumentation.tables import Row, attributes, compile_table
from agentops_otel.taskweaver.posts import message
from agentops_otel.tracing import FallbackClaim, Recorder

_CALL_KEY = create_key("agentops_otel-taskweaver-call")
_PROVIDERS = {
    "azure": semconv.AZURE_AI_OPENAI,
    "azure_ad": semconv.AZURE_AI_OPENAI,
    "azure_ml": semconv.AZURE_AI_INFERENCE,
    "google_genai": semconv.GCP_GEMINI,
    "qwen": semconv.DASHSCOPE,
    "zhipuai": semconv.ZHIPU_AI,
}
_USAGE_BY_REQUEST = "2024-09-01"
"""The first API version of Azure with `stream_options`."""
OLLAMA = compile_table(
    {
        semconv.GEN_AI_RESPONSE_FINISH_REASONS: lambda chunk: _reasons(field(chunk, "done_reason")),
        semconv.GEN_AI_RESPONSE_MODEL: "model",
        semconv.GEN_AI_USAGE_INPUT_TOKENS: "prompt_eval_count",
        semconv.GEN_AI_USAGE_OUTPUT_TOKENS: "eval_count",
    }
)
"""The fields of a chunk of Ollama's response that TaskWeaver's own client for Ollama reads."""
_SETTINGS = {
    "temperature": semconv.GEN_AI_REQUEST_TEMPERATURE,
    "max_tokens": semconv.GEN_AI_REQUEST_MAX_TOKENS,
    "top_p": semconv.GEN_AI_REQUEST_TOP_P,
    "seed": semconv.GEN_AI_REQUEST_SEED,
    "frequency_penalty": semconv.GEN_AI_REQUEST_FREQUENCY_PENALTY,
    "presence_penalty": semconv.GEN_AI_REQUEST_PRESENCE_PENALTY,
}


class Call:
    """One LLM call of TaskWeaver. `with` makes its context the current one.

    The span is made when the call ends: only then is it known whether the client library made one.

    Args:
        recorder: Makes the span.
        operation: "chat" or "embeddings".
        model: The configured model, if there is one.
        attributes: The provider and the request's settings.
        messages: The request's messages, in TaskWeaver's form.
    """

    def __init__(
        self,
        recorder: Recorder,
        operation: str,
        model: str | None,
        attributes: Mapping[str, AttributeValue],
        messages: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        self.is_in_context = False
        self.asks_usage = False
        """Whether the server may support `stream_options`."""
        self._recorder = recorder
        self._name = f"{operation} {model}" if model else operation
        self._attributes: dict[str, AttributeValue] = {semconv.GEN_AI_OPERATION_NAME: operation, **attributes}
        if model:
            self._attributes[semconv.GEN_AI_REQUEST_MODEL] = model
        self._messages = messages
        self._parent = get_current()
        self._claim = FallbackClaim()
        self._started = recorder.clock()
        self._text: list[str] = []
        self._token: Any = None

    @property
    def has_client_span(self) -> bool:
        """Whether the client library has made a span for the call."""
        return self._claim.claimed

    def __enter__(self) -> Self:
        self._token = attach(set_value(_CALL_KEY, self, self._claim.context()))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        detach(self._token)
        if error is not None:
            self.end(error)

    def in_context(self, start: Callable[[], Iterator[Any]]) -> Callable[[], Iterator[Any]]:
        """Wrap the function that creates the stream, to run it in our context on another thread.

        The result is a generator function, as TaskWeaver expects.
        """
        self.is_in_context = True
        context = copy_context()

        def stream() -> Iterator[Any]:
            inner = iter(())
            try:
                inner = iter(context.run(start))
                while (chunk := context.run(next, inner, None)) is not None:
                    self.add_chunk(chunk)
                    yield chunk
            except GeneratorExit:
                self._attributes[semconv.AGENTOPS_STREAM_ABANDONED] = True
                raise
            except BaseException as error:
                self.end(error)
                raise
            finally:
                context.run(getattr(inner, "close", lambda: None))
                self.end()

        return stream

    def add_chunk(self, chunk: Any) -> None:
        """Record a chunk of the response, or the whole response."""
        with guard("reading an LLM answer of TaskWeaver"):
            self._text.append(str(chunk["content"]))

    def read(self, table: Iterable[Row], response: Any) -> None:
        """Record attributes of the response, or of a chunk."""
        with guard("reading an LLM answer of TaskWeaver"):
            self._attributes.update(attributes(table, response))

    def read_chunks(self, table: Iterable[Row], chunks: Iterable[Any]) -> Iterator[Any]:
        """Yield the chunks, and record the attributes of each."""
        for chunk in chunks:
            self.read(table, chunk)
            yield chunk

    def end(self, error: BaseException | None = None) -> None:
        """Make the span, unless the client library has made one. A second call does nothing."""
        with guard("recording an LLM call of TaskWeaver"):
            if not self._claim.claimed:
                self._claim.claimed = True
                self._record(error)

    def _record(self, error: BaseException | None) -> None:
        recorder = self._recorder
        span = recorder.start(
            self._name,
            kind=SpanKind.CLIENT,
            attributes=self._attributes,
            context=self._parent,
            start_time=self._started,
        )
        if self._messages:
            messages = [message(str(one["role"]), one["content"]) for one in self._messages]
            recorder.set_content(span, semconv.GEN_AI_INPUT_MESSAGES, messages)
        if self._text:
            recorder.set_content(span, semconv.GEN_AI_OUTPUT_MESSAGES, [message("assistant", "".join(self._text))])
        if error is not None:
            recorder.fail(span, error)
        recorder.end(span)


def current_call() -> Call | None:
    """The LLM call in progress in the current context."""
    call = get_value(_CALL_KEY)
    return call if isinstance(call, Call) else None


def chat(recorder: Recorder, api: Any, arguments: Mapping[str, Any]) -> Call:
    """A call of `LLMApi.chat_completion` or `chat_completion_stream`."""
    alias = arguments.get("llm_alias")
    service = api.ext_llms[alias] if alias else api.completion_service
    config = service.config
    # A model with an alias may use another back end.
    api_type = field(config, "llm_module_config", "api_type") or api.config.api_type
    request: dict[str, AttributeValue] = {
        semconv.GEN_AI_PROVIDER_NAME: provider(api_type),
        semconv.GEN_AI_REQUEST_STREAM: bool(arguments.get("stream", True)),
    }
    for setting, name in _SETTINGS.items():
        value = arguments.get(setting)
        value = getattr(config, setting, None) if value is None else value
        if isinstance(value, int | float):
            request[name] = value
    model = getattr(config, "model", None) or api.config.model  # an endpoint of Azure ML is one model, without a name
    call = Call(recorder, "chat", model, request, arguments["messages"])
    call.asks_usage = api_type == "openai" or str(getattr(config, "api_version", "")) >= _USAGE_BY_REQUEST
    return call


def embeddings(recorder: Recorder, api: Any) -> Call:
    """A call of `LLMApi.get_embedding` or `get_embedding_list`; the input is not recorded."""
    request = {semconv.GEN_AI_PROVIDER_NAME: provider(api.config.embedding_api_type)}
    return Call(recorder, "embeddings", field(api.embedding_service, "config", "embedding_model"), request)


def _reasons(reason: Any) -> list[str | None] | None:
    return None if reason is None else [gen_ai.finish_reason(reason)]


def provider(api_type: str) -> str:
    """The value of `gen_ai.provider.name` for a back end of TaskWeaver."""
    return _PROVIDERS.get(api_type, api_type)
