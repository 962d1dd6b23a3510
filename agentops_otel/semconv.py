"""Every attribute name we write, with its source. Names only: what a value may hold is decided where it is set.

Sources:
    general: https://opentelemetry.io/docs/specs/semconv/general/
    gen_ai:  https://github.com/open-telemetry/semantic-conventions-genai (newest names, all in development)
    agentops: ours; the names that AgentOps' own SDK introduced keep their meaning
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from opentelemetry.util.types import AttributeValue

SCOPE = "agentops_otel"
"""The instrumentation scope of every span we make."""

# General: stable conventions.
CODE_FUNCTION_NAME = "code.function.name"
ERROR_TYPE = "error.type"
EXCEPTION_EVENT = "exception"
EXCEPTION_MESSAGE = "exception.message"
EXCEPTION_STACKTRACE = "exception.stacktrace"
EXCEPTION_TYPE = "exception.type"
EXCEPTION_ESCAPED = "exception.escaped"
HTTP_REQUEST_METHOD = "http.request.method"
HTTP_RESPONSE_STATUS_CODE = "http.response.status_code"
SERVER_ADDRESS = "server.address"
SERVER_PORT = "server.port"
SERVICE_INSTANCE_ID = "service.instance.id"
SERVICE_NAME = "service.name"
SESSION_ID = "session.id"
URL_PATH = "url.path"

# GenAI: operations, agents, tools, workflows.
GEN_AI_AGENT_DESCRIPTION = "gen_ai.agent.description"
GEN_AI_AGENT_ID = "gen_ai.agent.id"
GEN_AI_AGENT_NAME = "gen_ai.agent.name"
GEN_AI_CONVERSATION_ID = "gen_ai.conversation.id"
GEN_AI_DATA_SOURCE_ID = "gen_ai.data_source.id"
GEN_AI_EMBEDDINGS_DIMENSION_COUNT = "gen_ai.embeddings.dimension.count"
GEN_AI_OPERATION_NAME = "gen_ai.operation.name"
GEN_AI_PROMPT_NAME = "gen_ai.prompt.name"
GEN_AI_PROMPT_VERSION = "gen_ai.prompt.version"
GEN_AI_PROVIDER_NAME = "gen_ai.provider.name"
GEN_AI_RETRIEVAL_DOCUMENTS = "gen_ai.retrieval.documents"
GEN_AI_RETRIEVAL_QUERY_TEXT = "gen_ai.retrieval.query.text"
GEN_AI_TOOL_CALL_ARGUMENTS = "gen_ai.tool.call.arguments"
GEN_AI_TOOL_CALL_ID = "gen_ai.tool.call.id"
GEN_AI_TOOL_CALL_RESULT = "gen_ai.tool.call.result"
GEN_AI_TOOL_DESCRIPTION = "gen_ai.tool.description"
GEN_AI_TOOL_NAME = "gen_ai.tool.name"
GEN_AI_TOOL_TYPE = "gen_ai.tool.type"
GEN_AI_TRANSFER_MODE = "gen_ai.transfer.mode"
GEN_AI_TRANSFER_TARGET_NAME = "gen_ai.transfer.target.name"
GEN_AI_TRANSFER_TARGET_TYPE = "gen_ai.transfer.target.type"
GEN_AI_WORKFLOW_NAME = "gen_ai.workflow.name"

MCP_METHOD_NAME = "mcp.method.name"

INFERENCE_OPERATIONS = frozenset({"chat", "generate_content", "text_completion"})
"""Values of `gen_ai.operation.name` that ask a model for an answer."""

OPERATION_ROLES: Mapping[str, Literal["agent", "llm", "tool", "workflow"]] = MappingProxyType(
    {
        **dict.fromkeys((*INFERENCE_OPERATIONS, "count_tokens", "embeddings", "fetch_response", "moderation"), "llm"),
        "create_agent": "agent",
        "execute_tool": "tool",
        "invoke_agent": "agent",
        "invoke_workflow": "workflow",
        "plan": "agent",
        "retrieval": "tool",
        "search_memory": "tool",
        "upsert_memory": "tool",
    }
)
"""Values of `gen_ai.operation.name` -> what such a span stands for. Any other is a framework's own word."""

# GenAI: request.
GEN_AI_OUTPUT_TYPE = "gen_ai.output.type"
GEN_AI_REQUEST_CHOICE_COUNT = "gen_ai.request.choice.count"
GEN_AI_REQUEST_ENCODING_FORMATS = "gen_ai.request.encoding_formats"
GEN_AI_REQUEST_FREQUENCY_PENALTY = "gen_ai.request.frequency_penalty"
GEN_AI_REQUEST_MAX_TOKENS = "gen_ai.request.max_tokens"
GEN_AI_REQUEST_MODEL = "gen_ai.request.model"
GEN_AI_REQUEST_PRESENCE_PENALTY = "gen_ai.request.presence_penalty"
GEN_AI_REQUEST_PREVIOUS_RESPONSE_ID = "gen_ai.request.previous_response.id"
GEN_AI_REQUEST_REASONING_LEVEL = "gen_ai.request.reasoning.level"
GEN_AI_REQUEST_SEED = "gen_ai.request.seed"
GEN_AI_REQUEST_STOP_SEQUENCES = "gen_ai.request.stop_sequences"
GEN_AI_REQUEST_STREAM = "gen_ai.request.stream"
GEN_AI_REQUEST_TEMPERATURE = "gen_ai.request.temperature"
GEN_AI_REQUEST_TOP_K = "gen_ai.request.top_k"
GEN_AI_REQUEST_TOP_P = "gen_ai.request.top_p"

# GenAI: response and usage.
GEN_AI_RESPONSE_FINISH_REASONS = "gen_ai.response.finish_reasons"
GEN_AI_RESPONSE_ID = "gen_ai.response.id"
GEN_AI_RESPONSE_MODEL = "gen_ai.response.model"
GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK = "gen_ai.response.time_to_first_chunk"
GEN_AI_USAGE_AUDIO_INPUT_TOKENS = "gen_ai.usage.audio.input_tokens"
GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS = "gen_ai.usage.audio.output_tokens"
GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS = "gen_ai.usage.cache_creation.input_tokens"
"""The name of `cache_write` until v1.41, which Jaeger 2.20 reads: both are written."""
GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS = "gen_ai.usage.cache_read.input_tokens"
GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS = "gen_ai.usage.cache_write.input_tokens"
GEN_AI_USAGE_IMAGE_INPUT_TOKENS = "gen_ai.usage.image.input_tokens"
GEN_AI_USAGE_IMAGE_OUTPUT_TOKENS = "gen_ai.usage.image.output_tokens"
GEN_AI_USAGE_INPUT_TOKENS = "gen_ai.usage.input_tokens"
GEN_AI_USAGE_OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
GEN_AI_USAGE_REASONING_OUTPUT_TOKENS = "gen_ai.usage.reasoning.output_tokens"
GEN_AI_USAGE_TEXT_INPUT_TOKENS = "gen_ai.usage.text.input_tokens"
GEN_AI_USAGE_TEXT_OUTPUT_TOKENS = "gen_ai.usage.text.output_tokens"

# GenAI: content.
GEN_AI_INPUT_MESSAGES = "gen_ai.input.messages"
GEN_AI_OUTPUT_MESSAGES = "gen_ai.output.messages"
GEN_AI_SYSTEM_INSTRUCTIONS = "gen_ai.system_instructions"
GEN_AI_TOOL_DEFINITIONS = "gen_ai.tool.definitions"

# GenAI: metrics. The newest names, and those of v1.41 where they differ.
GEN_AI_TOKEN_TYPE = "gen_ai.token.type"
GEN_AI_USAGE = "gen_ai.usage."
"""The common prefix of usage attributes; counters have another one."""
METRIC_EXECUTE_TOOL_DURATION = "gen_ai.execute_tool.duration"
METRIC_INFERENCE_DURATION = "gen_ai.client.inference.duration"
METRIC_INFERENCE_CHUNK = "gen_ai.client.inference.time_per_output_chunk"
METRIC_INFERENCE_FIRST_CHUNK = "gen_ai.client.inference.time_to_first_chunk"
METRIC_INFERENCE_INPUT_TOKENS = "gen_ai.client.inference.operation.input_tokens"
METRIC_INFERENCE_OUTPUT_TOKENS = "gen_ai.client.inference.operation.output_tokens"
METRIC_INFERENCE_USAGE = "gen_ai.client.inference.usage."
METRIC_INVOKE_AGENT_DURATION = "gen_ai.invoke_agent.duration"
METRIC_INVOKE_AGENT_INFERENCES = "gen_ai.invoke_agent.inference_calls"
METRIC_INVOKE_AGENT_TOOLS = "gen_ai.invoke_agent.tool_calls"
METRIC_OPERATION_CHUNK = "gen_ai.client.operation.time_per_output_chunk"
METRIC_OPERATION_DURATION = "gen_ai.client.operation.duration"
METRIC_OPERATION_FIRST_CHUNK = "gen_ai.client.operation.time_to_first_chunk"
METRIC_TOKEN_USAGE = "gen_ai.client.token.usage"

# The cost of calls as a metric: the conventions have none.
METRIC_COST = "agentops.usage.cost"

# GenAI: events, written as log records.
EVENT_EXCEPTION = "gen_ai.client.operation.exception"
EVENT_INFERENCE_DETAILS = "gen_ai.client.inference.operation.details"

# Metrics of delivery: OpenTelemetry's SDK (in development), and one of ours for what waits on disk.
METRIC_SPANS_EXPORTED = "otel.sdk.exporter.span.exported"
METRIC_SPANS_IN_FLIGHT = "otel.sdk.exporter.span.inflight"
METRIC_SPANS_SPOOLED = "agentops.exporter.span.spooled"
OTEL_COMPONENT_NAME = "otel.component.name"

# OpenAI's own: https://opentelemetry.io/docs/specs/semconv/gen-ai/openai/
OPENAI_API_TYPE = "openai.api.type"
OPENAI_REQUEST_SERVICE_TIER = "openai.request.service_tier"
OPENAI_RESPONSE_SERVICE_TIER = "openai.response.service_tier"
OPENAI_RESPONSE_SYSTEM_FINGERPRINT = "openai.response.system_fingerprint"

# Anthropic's own, as its package names it.
ANTHROPIC_COUNTED_INPUT_TOKENS = "anthropic.message.count_tokens.input_tokens"

# Ours.
AGENTOPS_ACTION_TYPE = "agentops.action.type"
AGENTOPS_COUNTED_INPUT_TOKENS = "agentops.counted.input_tokens"
AGENTOPS_ENTITY_INPUT = "agentops.entity.input"
AGENTOPS_ENTITY_OUTPUT = "agentops.entity.output"
AGENTOPS_EVENT_ERROR_CODE = "agentops.event.error.code"
AGENTOPS_EVENT_LOGS = "agentops.event.logs"
AGENTOPS_EVENT_RESULT = "agentops.event.result"
AGENTOPS_EVENT_SCREENSHOT = "agentops.event.screenshot"
AGENTOPS_EVENT_TRIGGER = "agentops.event.trigger"
AGENTOPS_GUARDRAIL_SPEC = "agentops.guardrail.spec"
AGENTOPS_PRINTED = "agentops.printed"
"""The name that `redact=` gets for printed text. No span has this attribute."""
AGENTOPS_SESSION_END_STATE = "agentops.session.end_state"
AGENTOPS_SESSION_END_STATE_REASON = "agentops.session.end_state_reason"
AGENTOPS_SESSION_RATING = "agentops.session.rating"
AGENTOPS_SPAN_KIND = "agentops.span.kind"
AGENTOPS_STREAM_ABANDONED = "agentops.stream.abandoned"
AGENTOPS_TAGS = "agentops.tags"
AGENTOPS_USAGE_COST = "agentops.usage.cost"
OPERATION_NAME = "operation.name"
OPERATION_VERSION = "operation.version"

# Values of `gen_ai.provider.name`. The conventions lack AI21, DASHSCOPE, HUGGING_FACE, LLAMA_STACK, OLLAMA, TOGETHER_AI
# and ZHIPU_AI.
AI21 = "ai21"
ANTHROPIC = "anthropic"
AWS_BEDROCK = "aws.bedrock"
AZURE_AI_INFERENCE = "azure.ai.inference"
AZURE_AI_OPENAI = "azure.ai.openai"
COHERE = "cohere"
DASHSCOPE = "dashscope"
DEEPSEEK = "deepseek"
GCP_GEMINI = "gcp.gemini"
GCP_GEN_AI = "gcp.gen_ai"
GCP_VERTEX_AI = "gcp.vertex_ai"
GROQ = "groq"
HUGGING_FACE = "hugging_face"
IBM_WATSONX_AI = "ibm.watsonx.ai"
LLAMA_STACK = "llama_stack"
MISTRAL_AI = "mistral_ai"
MOONSHOT_AI = "moonshot_ai"
OLLAMA = "ollama"
OPENAI = "openai"
PERPLEXITY = "perplexity"
TOGETHER_AI = "together_ai"
X_AI = "x_ai"
ZHIPU_AI = "zhipu_ai"

# Values of `error.type` where no exception was raised.
SESSION_FAILED = "agentops.session.fail"
EVENT_FAILED = "agentops.event.fail"

# LangGraph's graphs: ours, in LangGraph's words.
LANGGRAPH_NODE = "langgraph.node"
LANGGRAPH_STEP = "langgraph.step"

# OpenAI Agents: ours, in its words.
OPENAI_AGENTS_GUARDRAIL_TRIGGERED = "openai_agents.guardrail.triggered"

# Attributes of Pydantic AI's own spans that hold content.
PYDANTIC_AI_ALL_MESSAGES = "pydantic_ai.all_messages"
PYDANTIC_AI_FINAL_RESULT = "final_result"

# TaskWeaver's rounds: ours, in TaskWeaver's words. An attachment is the prefix and its type: `taskweaver.plan`.
TASKWEAVER_ARTIFACT_COUNT = "taskweaver.artifact.count"
TASKWEAVER_ARTIFACTS = "taskweaver.artifact_paths"
TASKWEAVER_ATTACHMENT_PREFIX = "taskweaver."
TASKWEAVER_EXECUTION_STATUS = "taskweaver.execution_status"
TASKWEAVER_FILE_COUNT = "taskweaver.file.count"
TASKWEAVER_KERNEL_MODE = "taskweaver.kernel.mode"
TASKWEAVER_KERNEL_START_SPAN = "taskweaver.kernel.start"
TASKWEAVER_POST_ATTEMPT = "taskweaver.post.attempt"
TASKWEAVER_POST_ID = "taskweaver.post.id"
TASKWEAVER_POST_SEND_TO = "taskweaver.post.send_to"
TASKWEAVER_ROLES = "taskweaver.roles"
TASKWEAVER_ROUND_ID = "taskweaver.round.id"
TASKWEAVER_ROUND_INDEX = "taskweaver.round.index"
TASKWEAVER_ROUND_STATE = "taskweaver.round.state"
TASKWEAVER_STATUS = "taskweaver.status"
TASKWEAVER_STATUS_EVENT = "taskweaver.status"

CONTENT = frozenset(
    {
        AGENTOPS_ENTITY_INPUT,
        AGENTOPS_ENTITY_OUTPUT,
        AGENTOPS_EVENT_LOGS,
        AGENTOPS_EVENT_SCREENSHOT,
        AGENTOPS_PRINTED,
        AGENTOPS_SESSION_END_STATE_REASON,
        EXCEPTION_MESSAGE,
        EXCEPTION_STACKTRACE,
        GEN_AI_INPUT_MESSAGES,
        GEN_AI_OUTPUT_MESSAGES,
        GEN_AI_RETRIEVAL_DOCUMENTS,
        GEN_AI_RETRIEVAL_QUERY_TEXT,
        GEN_AI_SYSTEM_INSTRUCTIONS,
        GEN_AI_TOOL_CALL_ARGUMENTS,
        GEN_AI_TOOL_CALL_RESULT,
        GEN_AI_TOOL_DEFINITIONS,
        PYDANTIC_AI_ALL_MESSAGES,
        PYDANTIC_AI_FINAL_RESULT,
        *("gen_ai.completion", "gen_ai.prompt"),  # of the conventions up to 1.27
    }
)
"""The attributes whose values are the user's own words or data."""

OTHERS_CONTENT = frozenset(
    {"input.value", "output.value", "tool.parameters", "traceloop.entity.input", "traceloop.entity.output"}
)
OTHERS_CONTENT_PREFIXES = (
    "gen_ai.completion.",
    "gen_ai.prompt.",
    "llm.completions.",
    "llm.input_messages.",
    "llm.output_messages.",
    "llm.prompts.",
    "retrieval.documents.",
)
"""Content under the names of OpenInference's and OpenLLMetry's conventions.

https://github.com/Arize-ai/openinference/blob/main/spec/semantic_conventions.md
"""

GEN_AI_EVENTS = "gen_ai."
"""Prefix of the names of the conventions' events."""

GEN_AI_EVENT_FIELDS = frozenset(
    {ERROR_TYPE, SERVER_ADDRESS, SERVER_PORT, "finish_reason", "id", "index", "name", "role"}
)
"""Attributes of those events, in older conventions too, that are not the user's own words."""


def older_names(attributes: Mapping[str, AttributeValue]) -> Mapping[str, AttributeValue]:
    """The attributes that have had another name until lately, under that name: readers may know only the older one."""
    return {older: attributes[name] for name, older in _OLDER_NAMES.items() if name in attributes}


_OLDER_NAMES = {GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS: GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS}

USER_TEXTS = frozenset({AGENTOPS_EVENT_ERROR_CODE, AGENTOPS_SESSION_RATING, GEN_AI_REQUEST_STOP_SEQUENCES})
"""Attributes of a few words of the user's own, recorded as they are; left out when content is off."""
