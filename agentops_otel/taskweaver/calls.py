"""LLM calls as TaskWeaver makes them: their context in its threads, and a span where the client library has none."""

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
from agentops_otel.instrumentation.reading import Row, attributes, field, rows
from agentops_otel.taskweaver.posts import message
from agentops_otel.tracing import FallbackClaim, Recorder

_CALL_KEY = create_key("agentops_otel-taskweaver-call")
_PROVIDERS = {
    "azure": "azure.ai.openai",
    "azure_ad": "azure.ai.openai",
    "azure_ml": "azure.ai.inference",
    "google_genai": "gcp.gemini",
    "qwen": semconv.DASHSCOPE,
    "zhipuai": semconv.ZHIPU_AI,
}
_USAGE_BY_REQUEST = "2024-09-01"
"""Azure's first API version in which a stream may be asked for its usage."""
OLLAMA = rows(
    {
        semconv.GEN_AI_RESPONSE_FINISH_REASONS: lambda chunk: _reasons(field(chunk, "done_reason")),
        semconv.GEN_AI_RESPONSE_MODEL: "model",
        semconv.GEN_AI_USAGE_INPUT_TOKENS: "prompt_eval_count",
        semconv.GEN_AI_USAGE_OUTPUT_TOKENS: "eval_count",
    }
)
"""What a chunk of Ollama's answer says, as TaskWeaver's own client for it reads it."""
_SETTINGS = {
    "temperature": semconv.GEN_AI_REQUEST_TEMPERATURE,
    "max_tokens": semconv.GEN_AI_REQUEST_MAX_TOKENS,
    "top_p": semconv.GEN_AI_REQUEST_TOP_P,
    "seed": semconv.GEN_AI_REQUEST_SEED,
    "frequency_penalty": semconv.GEN_AI_REQUEST_FREQUENCY_PENALTY,
    "presence_penalty": semconv.GEN_AI_REQUEST_PRESENCE_PENALTY,
}


class Call:
    """One LLM call, from the moment TaskWeaver asks for it; `with` makes its context the current one.

    Nothing is written until it ends: by then it is known whether the client library has a span of its own.

    Args:
        recorder: Makes the span.
        operation: "chat" or "embeddings".
        model: What TaskWeaver is configured to ask for, where it knows.
        attributes: The provider and the request's settings.
        messages: What is asked, in TaskWeaver's form.
    """

    def __init__(
        self,
        recorder: Recorder,
        operation: str,
        model: str | None,
        attributes: Mapping[str, AttributeValue],
        messages: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        self.carried = False
        self.asks_usage = False
        """Whether the server may be asked for the tokens of a stream."""
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
    def is_told(self) -> bool:
        """Whether the client library has made a span of it."""
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

    def carry(self, start: Callable[[], Iterator[Any]]) -> Callable[[], Iterator[Any]]:
        """The stream's maker, for a thread that knows nothing of our context; TaskWeaver wants a real generator."""
        self.carried = True
        here = copy_context()

        def stream() -> Iterator[Any]:
            inner = iter(())
            try:
                inner = iter(here.run(start))
                while (chunk := here.run(next, inner, None)) is not None:
                    self.heard(chunk)
                    yield chunk
            except GeneratorExit:
                self._attributes[semconv.AGENTOPS_STREAM_ABANDONED] = True
                raise
            except BaseException as error:
                self.end(error)
                raise
            finally:
                here.run(getattr(inner, "close", lambda: None))
                self.end()

        return stream

    def heard(self, chunk: Any) -> None:
        """A piece of the answer, or the whole."""
        with guard("reading an LLM answer of TaskWeaver"):
            self._text.append(str(chunk["content"]))

    def read(self, table: Iterable[Row], answer: Any) -> None:
        """What the answer, or a chunk of it, says besides its text."""
        with guard("reading an LLM answer of TaskWeaver"):
            self._attributes.update(attributes(table, answer))

    def overheard(self, table: Iterable[Row], chunks: Iterable[Any]) -> Iterator[Any]:
        """The chunks, read as they pass."""
        for chunk in chunks:
            self.read(table, chunk)
            yield chunk

    def end(self, error: BaseException | None = None) -> None:
        """The call is over; tell it, unless the client library does. A second time does nothing."""
        with guard("telling an LLM call of TaskWeaver"):
            if not self._claim.claimed:
                self._claim.claimed = True
                self._tell(error)

    def _tell(self, error: BaseException | None) -> None:
        record = self._recorder
        span = record.start(
            self._name,
            kind=SpanKind.CLIENT,
            attributes=self._attributes,
            context=self._parent,
            start_time=self._started,
        )
        if self._messages:
            asked = [message(str(said["role"]), said["content"]) for said in self._messages]
            record.set_content(span, semconv.GEN_AI_INPUT_MESSAGES, asked)
        if self._text:
            record.set_content(span, semconv.GEN_AI_OUTPUT_MESSAGES, [message("assistant", "".join(self._text))])
        if error is not None:
            record.fail(span, error)
        record.end(span)


def current_call() -> Call | None:
    """The LLM call that the calling code makes."""
    found = get_value(_CALL_KEY)
    return found if isinstance(found, Call) else None


def chat(recorder: Recorder, api: Any, arguments: Mapping[str, Any]) -> Call:
    """A call of `LLMApi.chat_completion` or `chat_completion_stream`."""
    alias = arguments.get("llm_alias")
    service = api.ext_llms[alias] if alias else api.completion_service
    config = service.config
    # Another model under an alias may be of another back end.
    api_type = field(config, "llm_module_config", "api_type") or api.config.api_type
    told: dict[str, AttributeValue] = {
        semconv.GEN_AI_PROVIDER_NAME: provider(api_type),
        semconv.GEN_AI_REQUEST_STREAM: bool(arguments.get("stream", True)),
    }
    for setting, name in _SETTINGS.items():
        value = arguments.get(setting)
        value = getattr(config, setting, None) if value is None else value
        if isinstance(value, int | float):
            told[name] = value
    model = getattr(config, "model", None) or api.config.model  # Azure ML's endpoint is a model, without a name
    call = Call(recorder, "chat", model, told, arguments["messages"])
    call.asks_usage = api_type == "openai" or str(getattr(config, "api_version", "")) >= _USAGE_BY_REQUEST
    return call


def embeddings(recorder: Recorder, api: Any) -> Call:
    """A call of `LLMApi.get_embedding` or `get_embedding_list`; what is embedded is not told."""
    told = {semconv.GEN_AI_PROVIDER_NAME: provider(api.config.embedding_api_type)}
    return Call(recorder, "embeddings", field(api.embedding_service, "config", "embedding_model"), told)


def _reasons(reason: Any) -> list[str] | None:
    return None if reason is None else [gen_ai.finish_reason(reason)]


def provider(api_type: str) -> str:
    """TaskWeaver's name of a back end, as `gen_ai.provider.name` has it."""
    return _PROVIDERS.get(api_type, api_type)
