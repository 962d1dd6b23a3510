"""Everything that a package sends, and whether that is a call of a model: none that nobody has decided on."""

import inspect
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from google.genai import live, models

from agentops_otel.clients import SPECS, bedrock
from agentops_otel.clients.google import genai, interactions
from agentops_otel.clients.google import live as google_live
from agentops_otel.instrumentation import ClientSpec

CALLS = {
    "openai": {
        *("/audio/speech", "/audio/transcriptions", "/audio/translations", "/chat/completions", "/completions"),
        *("/decisions", "/embeddings", "/images/edits", "/images/generations", "/images/variations", "/moderations"),
        *("/responses", "/responses/compact", "/responses/input_tokens"),
    },
    "anthropic": {"/v1/messages", "/v1/messages/count_tokens"},
    "groq": {"/openai/v1/chat/completions", "/openai/v1/embeddings"},
    "llama_stack_client": {
        *("/v1/inference/chat-completion", "/v1/inference/completion", "/v1/inference/embeddings"),
        *("/v1/inference/batch-chat-completion", "/v1/inference/batch-completion"),
        "/v1/agents/{agent_id}/session/{session_id}/turn",
        "/v1/agents/{agent_id}/session/{session_id}/turn/{turn_id}/resume",
        *("/v1/openai/v1/chat/completions", "/v1/openai/v1/completions", "/v1/openai/v1/embeddings"),
        "/v1/openai/v1/responses",
    },
    "together": {"/v1/chat/completions", "/v1/completions", "/v1/embeddings"},
    "zhipuai": {
        *("/assistant", "/async/chat/completions", "/chat/completions", "/embeddings", "/tools"),
        *("/v1/agents", "/v1/agents/async-result"),
    },
}
"""What asks a model, and has a span."""

REST = {
    "openai": (
        *("/agents", "/assistants", "/batches", "/chatkit", "/containers", "/content_provenance_checks"),
        *("/conversations", "/evals", "/files", "/fine_tuning", "/organization", "/projects", "/skills", "/threads"),
        *("/uploads", "/vaults", "/vector_stores", "/webhook_endpoints"),
        *("/chat/completions/", "/responses/{", "/audio/voice"),
        "/videos",  # shut down in September 2026
        # What leads to a connection that is not the package's.
        *("/live", "/realtime"),
    ),
    "anthropic": (
        *("/v1/agents", "/v1/deployments", "/v1/dreams", "/v1/environments", "/v1/files", "/v1/memory_stores"),
        *("/v1/messages/batches", "/v1/organizations", "/v1/sessions", "/v1/skills", "/v1/tunnels"),
        *("/v1/compliance", "/v1/user_profiles", "/v1/vaults"),
        "/v1/complete",  # of models that are gone
    ),
    # Of the clients of the second rank, chats, texts and vectors are told; no sounds, pictures and rankings.
    "groq": ("/openai/v1/audio", "/openai/v1/batches", "/openai/v1/files"),
    "llama_stack_client": (
        *("/v1/agents", "/v1/datasets", "/v1/eval", "/v1/models", "/v1/openai/v1/files"),
        *("/v1/openai/v1/vector_stores", "/v1/post-training", "/v1/safety", "/v1/scoring", "/v1/shields"),
        *("/v1/synthetic-data-generation", "/v1/telemetry", "/v1/tool", "/v1/vector"),
    ),
    "together": (
        *("/v1/audio", "/v1/images", "/v1/rerank", "/v2/videos", "/v1/batches", "/v1/compute", "/v1/deployments"),
        *("/v1/evaluation", "/v1/fine-tunes", "/v1/queue", "/v1/rl", "/v1/shaping", "/v2/projects"),
    ),
    "zhipuai": (
        *("/assistant/", "/audio", "/batches", "/files", "/fine_tuning", "/images", "/knowledge", "/moderations"),
        *("/videos", "/web_search"),
    ),
}
"""What keeps, lists and sets up things, by how its path begins; hosted agents and jobs work out of sight."""


SENDING = re.compile(r'self\._(post|get_api_list)\(\s*(?:path_template\(\s*)?f?"([^"?]+)')


def posted(package: str) -> Iterator[str]:
    """The paths to which the package's resources send, with what is filled in left in braces."""
    root = Path(inspect.getfile(pytest.importorskip(package, exc_type=ImportError))).parent
    for file in [*root.glob("resources/**/*.py"), *root.glob("api_resource/**/*.py")]:
        text = file.read_text()
        found = list(SENDING.finditer(text))
        assert len(found) >= text.count("self._post("), file
        for call, following in itertools.zip_longest(found, found[1:]):
            rest = text[call.end() : following.start() if following else None]
            if call[1] == "post" or 'method="post"' in rest:
                yield call[2]


@pytest.mark.parametrize("spec", [spec for spec in SPECS if spec.module in CALLS], ids=lambda spec: spec.name)
def test_everything_that_is_sent_has_been_decided_on(spec: ClientSpec) -> None:
    """A path is a call of a model and has a span, or it is among those that are known not to be one."""
    sent = set(posted(spec.name))
    spans = {path for path in sent if _has_span(spec, path)}

    assert spans == sent & CALLS[spec.name]
    assert [path for path in sorted(sent - spans) if not path.startswith(REST[spec.name])] == []
    assert len(sent) > 2


def _has_span(spec: ClientSpec, path: str) -> bool:
    asked = {"options": SimpleNamespace(method="post", url=path)}
    return any(operation.matches(asked) for operation in spec.operations)


def asked(spec: ClientSpec, owner: str) -> set[str]:
    """The methods of the class that are in the spec."""
    paths = {path for operation in spec.operations for places in operation.methods for path in places.split("|")}
    return {path.rpartition(".")[2].removeprefix("_") for path in paths if path.startswith(f"{owner}.")}


def public(owner: type) -> set[str]:
    """What a program can call, or go on by."""
    return {name for name in vars(owner) if not name.startswith("_")}


def test_every_method_of_googles_models_has_been_decided_on() -> None:
    """Those that ask a model are in the spec; the others look models up, change them, or count without asking."""
    known = asked(genai.SPEC, "Models")

    assert public(models.Models) - known == {"compute_tokens", "delete", "get", "list", "update"}


def test_every_kind_of_googles_live_sessions_has_been_decided_on() -> None:
    """Music is made without a break, and has no turns."""
    assert public(live.AsyncLive) - asked(google_live.SPEC, "AsyncLive") == {"music"}


RAW = {"with_raw_response", "with_streaming_response"}
"""Ways to the same methods."""


def test_everything_that_google_generates_beneath_its_client_has_been_decided_on() -> None:
    """Interactions and decisions ask a model; the others keep and set up what hosted agents work with."""
    generated = pytest.importorskip("google.genai._gaos.google_genai")
    spec = interactions.SPEC
    kinds = {name for name in vars(generated) if name.startswith("GeminiNextGen")}

    assert public(generated.GeminiNextGenInteractions) - asked(spec, "GeminiNextGenInteractions") == {
        *("cancel", "delete"),
        *RAW,
    }
    assert public(generated.GeminiNextGenDecisions) - asked(spec, "GeminiNextGenDecisions") == RAW
    assert kinds - {f"GeminiNextGen{name}" for name in ("Interactions", "Decisions")} == {
        f"GeminiNextGen{name}"
        for name in (
            "Agents",
            "AuthTokens",
            "Credentials",
            "EnvironmentFiles",
            "Environments",
            "Triggers",
            "Voices",
            "Webhooks",
        )
    }


AI21 = "ai21.clients.studio.resources"
REMAINING: dict[str, tuple[str, set[str]]] = {
    f"{AI21}.chat.chat_completions:ChatCompletions": ("ai21", set()),
    f"{AI21}.studio_chat:StudioChat": ("ai21", {"completions"}),
    f"{AI21}.studio_conversational_rag:StudioConversationalRag": ("ai21", set()),
    f"{AI21}.maestro.run:MaestroRun": ("ai21", set()),
    f"{AI21}.agents.agents:AgentRuns": ("ai21", {"poll_for_status", "retrieve"}),  # Maestro's
    "huggingface_hub:InferenceClient": (
        "huggingface_hub",
        {
            *("chat", "close", "get_endpoint_info", "health_check"),
            *("audio_classification", "audio_to_audio", "automatic_speech_recognition", "text_to_speech"),
            *("image_classification", "image_segmentation", "image_to_image", "image_to_text", "image_to_video"),
            *("object_detection", "text_to_image", "text_to_video", "zero_shot_image_classification"),
            *("document_question_answering", "question_answering", "table_question_answering"),
            *("visual_question_answering", "fill_mask", "sentence_similarity", "summarization", "translation"),
            *("tabular_classification", "tabular_regression", "text_classification", "token_classification"),
            "zero_shot_classification",
        },  # the tasks of older models: no chats, and no vectors come of them
    ),
    "mistralai.client.classifiers:Classifiers": (
        "mistralai",
        {
            *("classify", "classify_async", "classify_chat", "classify_chat_async"),
            *("moderate", "moderate_async", "moderate_chat", "moderate_chat_async"),
        },
    ),
    "ollama:Client": (
        "ollama",
        {
            *("close", "copy", "create", "create_blob", "delete", "list", "ps", "pull", "push", "show"),
            *("web_fetch", "web_search"),
        },
    ),
    "mistralai.client.chat:Chat": (
        "mistralai",
        {"parse", "parse_async", "parse_stream", "parse_stream_async"},  # which ask by the others
    ),
    "mistralai.client.agents:Agents": ("mistralai", set()),
    "mistralai.client.conversations:Conversations": (
        "mistralai",
        {
            *("delete", "get", "get_history", "get_messages", "list", "run_stream_async"),
            *("delete_async", "get_async", "get_history_async", "get_messages_async", "list_async", "run_async"),
        },  # the runs start and append, one call a round
    ),
    "mistralai.client.fim:Fim": ("mistralai", set()),
    "mistralai.client.embeddings:Embeddings": ("mistralai", set()),
    "mistralai.client.responses:Responses": ("mistralai", {"count_input_tokens", "count_input_tokens_async"}),
    "cohere.v2.client:V2Client": ("cohere", {"parse", "rerank", "with_raw_response"}),
    "cohere.base_client:BaseCohere": (
        "cohere",
        {
            *("audio", "batches", "connectors", "datasets", "embed_jobs", "finetuning", "models", "v2"),
            *("check_api_key", "classify", "detokenize", "rerank", "summarize", "tokenize", "with_raw_response"),
        },
    ),
    "cohere.raw_base_client:RawBaseCohere": (
        "cohere",
        {"check_api_key", "classify", "detokenize", "rerank", "summarize", "tokenize"},
    ),
    "ibm_watsonx_ai.foundation_models:ModelInference": (
        "ibm_watsonx_ai",
        {
            *(
                "aclose_persistent_connection",
                "close_persistent_connection",
                "deployment_id",
                "model_id",
                "get_details",
                "get_identifying_params",
                "set_api_client",
            ),
            *("to_langchain", "tokenize", "generate_text"),  # the last one asks by generate()
        },
    ),
    "ibm_watsonx_ai.gateway:GatewayInference": ("ibm_watsonx_ai", {"get_details"}),
    **{
        f"dashscope.v2.resources.{module}:{kind}{name}": ("dashscope", set())
        for kind in ("", "Async")
        for module, name in (
            ("apps", "AppCompletions"),
            ("chat.completions", "Completions"),
            ("embeddings", "Embeddings"),
            ("multimodal.chat", "MultimodalChat"),
            ("multimodal.embeddings", "MultimodalEmbeddings"),
        )
    },
}
"""What a class can do besides: nothing that asks a model for a chat, a text or vectors."""


@pytest.mark.parametrize("place", REMAINING)
def test_every_method_of_the_second_rank_has_been_decided_on(place: str) -> None:
    """A method of the class is in the spec, or among those that are known to be something else."""
    module, _, name = place.partition(":")
    package, rest = REMAINING[place]
    owner = getattr(pytest.importorskip(module, exc_type=ImportError), name)
    known = {method for spec in SPECS if spec.name == package for method in asked(spec, name)}

    assert public(owner) - known - rest == set()
    assert rest <= public(owner)


def test_every_part_of_a_watsonx_gateway_has_been_decided_on() -> None:
    """What it asks of models is in the spec; the other parts set it up."""
    gateway = pytest.importorskip("ibm_watsonx_ai.gateway", exc_type=ImportError).Gateway
    paths = {path for spec in SPECS if spec.name == "ibm_watsonx_ai" for op in spec.operations for path in op.methods}
    made = [const for const in gateway.__init__.__code__.co_consts if hasattr(const, "co_qualname")]

    methods = {f"{kind.co_qualname}.{name}" for kind in made for name in kind.co_names if not name.startswith("_")} & {
        f"{kind.co_qualname}.{name}" for kind in made for name in ("create", "acreate")
    }

    assert {kind.co_name for kind in made} == {"_Chat", "_ChatCompletions", "_Completions", "_Embeddings"}
    assert len(methods) == 6
    assert methods <= paths
    assert public(gateway) == set()


def test_every_resource_of_ai21_has_been_decided_on() -> None:
    """Chats, runs and RAG are told; not the files that it keeps, nor batches."""
    client = pytest.importorskip("ai21", exc_type=ImportError).AI21Client(api_key="key")

    assert {name for name in vars(client) if not name.startswith("_")} == {"beta", "chat", "library"}
    assert {name: public_of(client.beta, name) for name in public_of(client, "beta")} == {
        "agents": {"runs"},
        "batches": set(),
        "conversational_rag": set(),
        "maestro": {"runs"},
    }


def test_every_operation_of_bedrocks_runtime_has_been_decided_on() -> None:
    """What is asked of a model and answered is told; not guardrails, the counting of tokens, and jobs."""
    session = pytest.importorskip("botocore.session", exc_type=ImportError).get_session()
    known = session.get_service_model("bedrock-runtime").operation_names
    client = SimpleNamespace(meta=SimpleNamespace(service_model=SimpleNamespace(service_name="bedrock-runtime")))

    def told(name: str) -> bool:
        asked = {"self": client, "operation_name": name, "api_params": {"modelId": "m", "body": "{}"}}
        return any(operation.matches(asked) for operation in bedrock.SPEC.operations)

    assert {name for name in known if not told(name)} == {
        *("ApplyGuardrail", "CountTokens", "InvokeGuardrailChecks"),
        *("GetAsyncInvoke", "ListAsyncInvokes", "StartAsyncInvoke"),
        "InvokeModelWithBidirectionalStream",  # of sounds, over a connection that botocore cannot make
    }


def test_everything_that_dashscope_calls_has_been_decided_on() -> None:
    """Chats, texts, applications and vectors are told; not sounds, pictures, rankings, nor jobs."""
    package = pytest.importorskip("dashscope", exc_type=ImportError)
    spec = next(spec for spec in SPECS if spec.module == "dashscope")
    kinds = {name for name, kind in vars(package).items() if inspect.isclass(kind) and hasattr(kind, "call")}

    assert {name for name in kinds if not asked(spec, name)} == {
        *("ImageSynthesis", "VideoSynthesis"),
        *("HttpSpeechSynthesizer", "SpeechSynthesizer", "Transcription"),
        *("AioTextReRank", "TextReRank", "Tokenization", "Understanding"),
        *("BatchTextEmbedding", "Deployments", "FineTunes"),
    }


@pytest.mark.parametrize("name", ["Client", "AsyncClient"])
def test_every_resource_of_dashscopes_client_has_been_decided_on(name: str) -> None:
    """Chats, applications and vectors are told; not its decisions, nor what it makes, ranks and sets up."""
    package = pytest.importorskip("dashscope", exc_type=ImportError)
    client = getattr(package, name)(api_key="key", base_url="http://127.0.0.1")

    known = {resource: public_of(client, resource) for resource in ("apps", "chat", "embeddings", "multimodal")}

    assert known == {
        "apps": {"completions"},
        "chat": {"completions"},
        "embeddings": {"jobs"},
        "multimodal": {"chat", "embeddings"},
    }
    assert {name for name in vars(client) if not name.startswith("_")} - known.keys() == {
        *(
            "decision",
            "deployments",
            "files",
            "fine_tunes",
            "images",
            "models",
            "rerank",
            "rl",
            "tingwu",
            "tokenization",
            "videos",
        ),
    }


def public_of(client: object, resource: str) -> set[str]:
    """What a resource leads to."""
    return {name for name in vars(getattr(client, resource)) if not name.startswith("_")}
