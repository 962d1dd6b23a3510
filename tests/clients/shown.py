"""Which test shows each thing that the table of docs/llm-clients.md says of a client.

`form NAME` is a way to call a client in `tests/clients/forms`, which the shared tests run: sync and async, plain and
streamed. `embed NAME` is its call for embeddings. The others are tests of this folder, `file::test`.
"""

from collections.abc import Mapping, Sequence

_TESTED = "own_dialects::test_{}"
_BEDROCK = _TESTED.format("each_family_of_models_is_read_in_its_own_dialect")
_MEDIA = _TESTED.format("pictures_rankings_and_videos_of_bedrock_are_no_texts")
_LITELLM = "litellm::test_every_form_of_{}_makes_the_same_span"

SHOWN: Mapping[str, Mapping[str, Sequence[str]]] = {
    "openai, anthropic, google-genai, litellm": {
        "everything they ask a model": [
            *("form openai", "form anthropic", "form google.genai", "form google.genai:interactions"),
            "surfaces::test_everything_has_been_decided_on",
            *("openai_apis::test_the_newer_apis_have_a_span_each", "openai_apis::test_the_other_apis_have_a_span_each"),
            *(_LITELLM.format(what) for what in ("a_completion", "a_response", "anthropics_messages")),
            "litellm::test_embeddings_have_a_span",
        ],
        "over websockets too (Responses, Realtime, Gemini Live)": [
            "openai_sockets::test_a_response_over_a_socket_makes_the_span_of_one_over_http",
            "openai_realtime::test_a_realtime_response_is_one_span",
            "google_live::test_a_turn_has_one_span",
        ],
        "all that speaks OpenAI's language": ["openai_apis::test_the_provider_is_told_by_the_host"],
        "not hosted agents and OpenAI's `live`": ["surfaces::test_everything_has_been_decided_on"],
    },
    "huggingface_hub, together": {
        "chats": ["form huggingface_hub", "form together"],
        "text generation": ["form huggingface_hub:text", "form huggingface_hub:details", "form together:completions"],
        "embeddings": ["embed huggingface_hub", "embed together"],
    },
    "llama-stack-client": {
        "chats": ["form llama_stack_client", "form llama_stack_client:inference"],
        "also in batches": ["form llama_stack_client:batch", "form llama_stack_client:batch_completion"],
        "responses": ["form llama_stack_client:responses"],
        "text generation": ["form llama_stack_client:completion"],
        "turns of hosted agents": ["form llama_stack_client:turn", "form llama_stack_client:resume"],
        "embeddings": ["embed llama_stack_client", "embed llama_stack_client:inference"],
    },
    "ibm-watsonx-ai": {
        "chats": ["form ibm_watsonx_ai", "form ibm_watsonx_ai:own"],
        "text generation": ["form ibm_watsonx_ai:generate", "form ibm_watsonx_ai:text"],
        "embeddings": ["embed ibm_watsonx_ai", "embed ibm_watsonx_ai:own"],
        "`ModelInference`": ["form ibm_watsonx_ai"],
        "`GatewayInference`": ["form ibm_watsonx_ai:gateway_text"],
        "`Gateway`": ["form ibm_watsonx_ai:gateway"],
        "`Embeddings`": ["embed ibm_watsonx_ai"],
    },
    "mistralai": {
        "chats": ["form mistralai"],
        "agents": ["form mistralai:agents"],
        "conversations": ["form mistralai:conversations", "form mistralai:conversations_tools"],
        "responses": ["form mistralai:responses"],
        "text generation (fill in the middle)": ["form mistralai:fim"],
        "embeddings": ["embed mistralai"],
    },
    "cohere": {
        "chats": ["form cohere", "form cohere:chat"],
        "text generation": ["form cohere:generate"],
        "embeddings": ["embed cohere", "embed cohere:chat"],
        "raw responses": ["form cohere:raw_chat", "form cohere:raw_generate", "embed cohere:raw_chat"],
    },
    "boto3": {
        "chats": ["form boto3"],
        "text generation": ["form boto3:titan", "form boto3:llama"],
        "embeddings": ["embed boto3", _TESTED.format("embeddings_of_bedrock_have_a_span")],
        "`converse`": ["form boto3", "form boto3:tools"],
        "`invoke_model` of Claude, Nova, Titan, Llama, Mistral": [
            *(f"form boto3:{family}" for family in ("claude", "nova", "titan", "llama", "mistral")),
            _BEDROCK,
        ],
        "Cohere": ["form boto3:cohere"],
        "images, videos and what is said of them (`generate_content`): Stability, Titan, Nova, Luma and TwelveLabs": [
            _MEDIA
        ],
    },
    "ollama": {
        "chats with images": ["form ollama", _TESTED.format("every_form_of_a_chat_with_ollama_makes_the_same_span")],
        "text generation": ["form ollama:generate", "ollama::test_a_generated_image_is_told_by_its_size"],
        "decisions": ["ollama::test_a_decision_is_told_with_its_answers"],
        "embeddings": ["embed ollama", "embed ollama:generate"],
    },
    "dashscope": {
        "chats with images": ["form dashscope", "form dashscope:multimodal", "form dashscope:conversation"],
        "applications": ["form dashscope:application", "form dashscope:application_incremental"],
        "code (`CodeGeneration`)": ["form dashscope:code"],
        "embeddings of texts and images": ["embed dashscope", "embed dashscope:multimodal"],
        "by its new `Client`": ["form dashscope:client", "embed dashscope:client_multimodal"],
        "OpenAI's dialect": ["form dashscope:client_openai", "form dashscope:completions"],
    },
    "groq": {"chats": ["form groq"], "embeddings": ["embed groq"]},
    "zhipuai": {
        "chats": ["form zhipuai"],
        "hosted agents": ["form zhipuai:agents"],
        "at once or fetched later": ["calls_of_many_requests::test_an_agent_of_zhipu_that_answers_later_is_linked"],
        "assistants": ["form zhipuai:assistant"],
        "searches of the web": ["form zhipuai:search"],
        "embeddings": ["embed zhipuai"],
    },
    "ai21": {
        "chats of both generations": ["form ai21", "form ai21:chat"],
        "conversational RAG": ["form ai21:rag"],
        "runs of Maestro": ["form ai21:maestro"],
        "hosted agents": ["calls_of_many_requests::test_however_many_requests_a_call_has_one_span"],
        "also where they are fetched later": ["calls_of_many_requests::test_a_run_that_is_asked_after_later_is_linked"],
    },
    "google-generativeai": {
        "`generate_content`": ["form google.generativeai"],
        "of its chat sessions": ["google_generativeai::test_every_form_of_a_call_by_rest_makes_the_same_span"],
        "`embed_content`": ["embed google.generativeai", "google_generativeai::test_embeddings_have_a_span"],
        "by gRPC": ["google_generativeai::test_every_form_of_a_call_by_grpc_makes_the_same_span"],
        "REST": ["google_generativeai::test_every_form_of_a_call_by_rest_makes_the_same_span"],
    },
}
"""The packages of a row -> each thing that it says -> what shows it."""

SENTENCES: Mapping[str, Sequence[str]] = {
    "After `agentops_otel.init()` LLM clients are traced": [
        "clients/test_contract::test_a_client_that_was_made_before_is_traced_until_the_wrappers_are_off"
    ],
    "Each call of an LLM client is one span": ["test_claims_clients::test_one_span_a_call"],
    "It has the tools": ["test_claims_clients::test_one_span_a_call"],
    "What your program sends and gets is unchanged": [
        "clients/test_contract::test_the_program_gets_the_same_and_sends_the_same"
    ],
    "A client may be imported before or after": [
        "instrumentation/test_install::test_clients_are_wrapped_whenever_they_are_imported"
    ],
    "Beyond the first row": [
        "test_claims_clients::test_what_has_no_span",
        "clients/test_surfaces::test_everything_has_been_decided_on",
    ],
    "`OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=openai,botocore` leaves those out": [
        "instrumentation/test_public::test_disabled_instrumentations_are_left_alone"
    ],
    "The names are those of the packages": ["test_claims_clients::test_names_of_clients"],
    "`init(instrument_llm_calls=False)` leaves all LLM clients alone": ["test_claims::test_llm_clients_left_alone"],
    "OpenLLMetry, OpenInference, OpenTelemetry's own": [
        "instrumentation/test_second_instrumentation::test_another_instrumentation_is_noticed"
    ],
    "Where one of them does, a single warning": [
        "instrumentation/test_install::test_another_instrumentation_is_noticed_once"
    ],
    "anthropic begins it": ["clients/test_anthropic_tracing::test_one_span_a_call_whichever_option_is_set"],
    "mistralai begins it": [
        "clients/test_mistralai_tracing::test_telemetry_that_was_asked_for_is_warned_of",
        "clients/test_litellm::test_litellms_own_tracing_is_noticed",
    ],
    "dashscope has it": ["clients/test_surfaces::test_everything_has_been_decided_on"],
    "A client is described in about 15 lines": ["test_claims_clients::test_lines_of_a_client"],
    "`ClientSpec` and `Operation` say": ["test_claims_clients::test_the_machine_beneath"],
    "Token counts, durations and cost": [
        "instrumentation/test_metrics::test_calls_are_measured",
        "export/test_metric_upload::test_what_a_program_measured_has_arrived_when_it_has_ended",
    ],
}
"""How each other sentence of the page begins -> what shows it, in `tests`."""
