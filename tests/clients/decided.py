"""What of the vendors' packages asks a model and has a span, and what is known not to."""

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
        "/v1/compliance",  # what people concluded on a case
        *("/v1/messages/batches", "/v1/organizations", "/v1/sessions", "/v1/skills", "/v1/tunnels"),
        *("/v1/user_profiles", "/v1/vaults"),
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

LITELLM = {
    *("acompletion", "aembedding", "anthropic_messages", "aresponses"),  # which have a span
    # What asks by a client beneath, has the span of that, or is a picture, a sound, a ranking or a search.
    *("acompact_responses", "adecisions", "aextraction", "agenerate_content", "agenerate_content_stream"),
    *("_aresponses_websocket", "asystemone", "atext_completion"),
    *("aimage_edit", "aimage_generation", "aimage_variation", "amoderation", "arerank", "asearch", "aspeech"),
    *("atranscription", "avideo_content", "avideo_create_character", "avideo_edit", "avideo_extension"),
    *("avideo_generation", "avideo_get_character", "avideo_list", "avideo_remix", "avideo_status"),
    *("allm_passthrough_route", "asend_message"),  # other people's requests and agents, handed on
    # What keeps, lists and sets up things.
    *("acancel", "acancel_eval", "acancel_fine_tuning_job", "acancel_responses", "acancel_run", "acreate"),
    *("acode_interpreter_tool", "acreate_batch", "acreate_container", "acreate_eval", "acreate_file"),
    *("acreate_fine_tuning_job", "acreate_run", "acreate_sandbox", "acreate_skill", "adelete", "adelete_container"),
    *("adelete_eval", "adelete_responses", "adelete_run", "adelete_sandbox", "adelete_skill", "afile_content"),
    *("afile_delete", "afile_list", "afile_retrieve", "aget", "aget_eval", "aget_responses", "aget_run", "aget_skill"),
    *("aingest", "alist", "alist_batches", "alist_container_files", "alist_containers", "alist_evals"),
    *("alist_input_items", "alist_runs", "alist_skills", "alist_versions", "aquery", "aretrieve", "aretrieve_batch"),
    *("aretrieve_container", "aretrieve_content", "aretrieve_fine_tuning_job", "arun_code", "aupdate", "aupdate_eval"),
    "aupload_container_file",
}
"""The functions of litellm; those that wait say all of them, since each has a twin that does not."""
