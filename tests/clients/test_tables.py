# ruff: noqa: E501  # a row is a path and all its clients
"""The names of each vendor's requests and responses that attributes are read from, said a second time.

A name that is changed by mistake is read from nothing: no call fails, and the attribute is not there any more.
"""

import pkgutil
from collections import Counter, defaultdict

import pytest
from inline_snapshot import snapshot

from agentops_otel.clients import SPECS
from agentops_otel.clients.openai import spec as openai_spec
from agentops_otel.instrumentation import ClientSpec
from agentops_otel.instrumentation.gen_ai import FINISH_REASONS
from agentops_otel.instrumentation.tables import Table

REQUEST = snapshot(
    {
        "gen_ai.agent.id": {"agent_id": "ai21 llama_stack_client mistralai", "app_id": "dashscope"},
        "gen_ai.agent.name": {"agent": "google-genai"},
        "gen_ai.conversation.id": {
            "conversation_id": "mistralai zhipuai",
            "session": "google-genai",
            "session_id": "dashscope llama_stack_client",
        },
        "gen_ai.embeddings.dimension.count": {
            "dimension": "dashscope",
            "dimensions": "botocore groq ibm_watsonx_ai litellm llama_stack_client ollama openai together zhipuai",
            "output_dimension": "cohere llama_stack_client mistralai",
        },
        "gen_ai.prompt.name": {"prompt.id": "litellm llama_stack_client mistralai openai"},
        "gen_ai.prompt.version": {"prompt.version": "litellm llama_stack_client mistralai openai"},
        "gen_ai.request.encoding_formats": {
            "embedding_types": "cohere",
            "encoding_format": "groq ibm_watsonx_ai litellm llama_stack_client mistralai openai together zhipuai",
        },
        "gen_ai.request.frequency_penalty": {
            "frequency_penalty": "ai21 botocore cohere dashscope groq huggingface_hub ibm_watsonx_ai litellm llama_stack_client mistralai openai together zhipuai",
            "options.frequency_penalty": "ollama",
        },
        "gen_ai.request.max_tokens": {
            "generation_config.max_output_tokens": "google-genai",
            "inferenceConfig.maxTokens": "botocore",
            "maxOutputTokens": "botocore",
            "max_new_tokens": "huggingface_hub ibm_watsonx_ai",
            "max_output_tokens": "litellm llama_stack_client mistralai openai",
            "max_tokens": "ai21 anthropic botocore cohere litellm",
            "options.num_predict": "ollama",
            "sampling_params.max_tokens": "llama_stack_client",
        },
        "gen_ai.request.model": {
            "model": "ai21 anthropic botocore cohere dashscope groq huggingface_hub ibm_watsonx_ai llama_stack_client mistralai ollama openai together zhipuai",
            "model_id": "llama_stack_client",
        },
        "gen_ai.request.presence_penalty": {
            "options.presence_penalty": "ollama",
            "presence_penalty": "ai21 botocore cohere dashscope groq huggingface_hub ibm_watsonx_ai litellm llama_stack_client mistralai openai together zhipuai",
        },
        "gen_ai.request.previous_response.id": {
            "previous_interaction_id": "google-genai",
            "previous_response_id": "litellm llama_stack_client mistralai openai",
        },
        "gen_ai.request.reasoning.level": {
            "generation_config.thinking_level": "google-genai",
            "output_config.effort": "anthropic botocore litellm",
            "reasoning.effort": "litellm llama_stack_client mistralai openai",
            "reasoning_effort": "ai21 botocore dashscope groq huggingface_hub ibm_watsonx_ai litellm llama_stack_client mistralai openai together zhipuai",
            "think": "ollama",
        },
        "gen_ai.request.seed": {
            "generation_config.seed": "google-genai",
            "options.seed": "ollama",
            "random_seed": "ibm_watsonx_ai mistralai",
            "seed": "ai21 botocore cohere dashscope groq huggingface_hub ibm_watsonx_ai litellm llama_stack_client openai together zhipuai",
        },
        "gen_ai.request.stop_sequences": {
            "generation_config.stop_sequences": "google-genai",
            "inferenceConfig.stopSequences": "botocore",
            "options.stop": "ollama",
            "sampling_params.stop": "llama_stack_client",
            "stop": "ai21 botocore dashscope groq huggingface_hub ibm_watsonx_ai litellm llama_stack_client mistralai openai together zhipuai",
            "stop_sequences": "ai21 anthropic botocore cohere ibm_watsonx_ai litellm",
        },
        "gen_ai.request.stream": {
            "stream": "ai21 anthropic botocore dashscope google-genai groq huggingface_hub ibm_watsonx_ai litellm llama_stack_client mistralai ollama openai together zhipuai"
        },
        "gen_ai.request.temperature": {
            "generation_config.temperature": "google-genai",
            "inferenceConfig.temperature": "botocore",
            "options.temperature": "ollama",
            "sampling_params.strategy.temperature": "llama_stack_client",
            "temperature": "ai21 anthropic botocore cohere dashscope groq huggingface_hub ibm_watsonx_ai litellm llama_stack_client mistralai openai together zhipuai",
        },
        "gen_ai.request.top_k": {
            "k": "cohere",
            "options.top_k": "ollama",
            "sampling_params.strategy.top_k": "llama_stack_client",
            "top_k": "anthropic botocore dashscope huggingface_hub ibm_watsonx_ai litellm mistralai together",
        },
        "gen_ai.request.top_p": {
            "generation_config.top_p": "google-genai",
            "inferenceConfig.topP": "botocore",
            "options.top_p": "ollama",
            "p": "cohere",
            "sampling_params.strategy.top_p": "llama_stack_client",
            "top_p": "ai21 anthropic botocore dashscope groq huggingface_hub ibm_watsonx_ai litellm llama_stack_client mistralai openai together zhipuai",
        },
    }
)
RESPONSE = snapshot(
    {
        "agentops.counted.input_tokens": {"input_tokens": "openai", "total_tokens": "google-genai"},
        "anthropic.message.count_tokens.input_tokens": {"input_tokens": "anthropic"},
        "gen_ai.conversation.id": {
            "conversation_id": "mistralai zhipuai",
            "output.session_id": "dashscope",
            "session_id": "llama_stack_client",
        },
        "gen_ai.response.finish_reasons": {"finish_reason": "google-genai"},
        "gen_ai.response.id": {
            "generation_id": "cohere",
            "id": "ai21 anthropic botocore cohere dashscope google-genai groq huggingface_hub ibm_watsonx_ai litellm llama_stack_client mistralai openai together zhipuai",
            "invocationArn": "botocore",
            "name": "google-genai",
            "request_id": "dashscope",
            "response_id": "google-genai google-generativeai",
        },
        "gen_ai.response.model": {
            "model": "ai21 anthropic botocore dashscope google-genai groq huggingface_hub ibm_watsonx_ai litellm llama_stack_client mistralai ollama openai together zhipuai",
            "model_id": "ibm_watsonx_ai",
            "model_version": "google-genai google-generativeai",
        },
        "gen_ai.usage.audio.input_tokens": {
            "usage.input_token_details.audio_tokens": "openai",
            "usage.prompt_tokens_details.audio_tokens": "ai21 botocore dashscope groq huggingface_hub ibm_watsonx_ai litellm llama_stack_client mistralai openai together zhipuai",
        },
        "gen_ai.usage.audio.output_tokens": {
            "usage.completion_tokens_details.audio_tokens": "ai21 botocore dashscope groq huggingface_hub ibm_watsonx_ai litellm llama_stack_client mistralai openai together zhipuai",
            "usage.output_token_details.audio_tokens": "openai",
        },
        "gen_ai.usage.cache_read.input_tokens": {
            "meta.cached_tokens": "cohere",
            "usage.cacheReadInputTokens": "botocore",
            "usage.cache_read_input_tokens": "anthropic botocore litellm",
            "usage.cached_tokens": "cohere",
            "usage.input_token_details.cached_tokens": "openai",
            "usage.input_tokens_details.cached_tokens": "litellm llama_stack_client mistralai openai",
            "usage.prompt_tokens_details.cached_tokens": "ai21 botocore dashscope groq huggingface_hub ibm_watsonx_ai litellm llama_stack_client mistralai openai together zhipuai",
            "usage_metadata.cached_content_token_count": "google-genai google-generativeai",
        },
        "gen_ai.usage.cache_write.input_tokens": {
            "usage.cacheWriteInputTokens": "botocore",
            "usage.cache_creation_input_tokens": "anthropic botocore dashscope litellm",
            "usage.input_tokens_details.cache_write_tokens": "litellm llama_stack_client mistralai openai",
            "usage.prompt_tokens_details.cache_write_tokens": "ai21 botocore dashscope groq huggingface_hub ibm_watsonx_ai litellm llama_stack_client mistralai openai together zhipuai",
        },
        "gen_ai.usage.image.input_tokens": {"usage.input_token_details.image_tokens": "openai"},
        "gen_ai.usage.input_tokens": {
            "input_token_count": "ibm_watsonx_ai",
            "prompt_eval_count": "ollama",
            "usage.input_tokens": "dashscope litellm llama_stack_client mistralai ollama openai",
            "usage.prompt_tokens": "ai21 botocore dashscope groq huggingface_hub ibm_watsonx_ai litellm llama_stack_client mistralai openai together zhipuai",
            "usage.total_tokens": "dashscope ibm_watsonx_ai",
        },
        "gen_ai.usage.output_tokens": {
            "details.generated_tokens": "huggingface_hub",
            "eval_count": "ollama",
            "usage.completion_tokens": "ai21 botocore dashscope groq huggingface_hub ibm_watsonx_ai litellm llama_stack_client mistralai openai together zhipuai",
            "usage.outputTokens": "botocore",
            "usage.output_tokens": "anthropic botocore dashscope litellm llama_stack_client mistralai ollama openai",
        },
        "gen_ai.usage.reasoning.output_tokens": {
            "usage.completion_tokens_details.reasoning_tokens": "ai21 botocore dashscope groq huggingface_hub ibm_watsonx_ai litellm llama_stack_client mistralai openai together zhipuai",
            "usage.output_tokens_details.reasoning_tokens": "dashscope litellm llama_stack_client mistralai openai",
            "usage.output_tokens_details.thinking_tokens": "anthropic botocore litellm",
            "usage_metadata.thoughts_token_count": "google-genai google-generativeai",
        },
        "gen_ai.usage.text.input_tokens": {"usage.input_token_details.text_tokens": "openai"},
        "gen_ai.usage.text.output_tokens": {"usage.output_token_details.text_tokens": "openai"},
        "openai.response.service_tier": {"service_tier": "openai"},
        "openai.response.system_fingerprint": {"system_fingerprint": "openai"},
    }
)


REASONS = snapshot(
    {
        "content_filter": "blocklist content_filtered error_toxic guardrail_intervened image_prohibited_content image_recitation image_safety language model_armor prohibited_content recitation refusal safety sensitive spii",
        "error": "cancelled malformed_function_call malformed_response missing_thought_signature network_error timeout too_many_tool_calls unexpected_tool_call user_cancel",
        "length": "continuation error_limit max_tokens model_context_window_exceeded model_length out_of_tokens time_limit token_limit",
        "stop": "complete end_of_message end_of_turn end_turn endoftext eos eos_token finish stop_sequence",
        "tool_call": "function_call tool_calls tool_use",
    }
)


def read(tables: tuple[str, ...]) -> dict[str, dict[str, str]]:
    """By attribute and path: the clients whose operations read it there."""
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for spec in SPECS:
        for operation in spec.operations:
            for name in tables:
                table: Table = getattr(operation, name)
                for attribute, reader in table.items():
                    if isinstance(reader, str):
                        found[attribute][reader].add(spec.name)
    return {
        attribute: {path: " ".join(sorted(names)) for path, names in sorted(paths.items())}
        for attribute, paths in sorted(found.items())
    }


METHODS = snapshot(
    {
        "ai21 ai21.clients.studio.resources.agents.agents": {
            "invoke_agent": "AgentRuns.create AgentRuns.create_and_poll"
        },
        "ai21 ai21.clients.studio.resources.agents.async_agents": {
            "invoke_agent": "AsyncAgentRuns.create AsyncAgentRuns.create_and_poll"
        },
        "ai21 ai21.clients.studio.resources.chat.async_chat_completions": {"chat": "AsyncChatCompletions.create"},
        "ai21 ai21.clients.studio.resources.chat.chat_completions": {"chat": "ChatCompletions.create"},
        "ai21 ai21.clients.studio.resources.maestro.run": {
            "fetch_response": "AsyncMaestroRun.poll_for_status AsyncMaestroRun.retrieve MaestroRun.poll_for_status MaestroRun.retrieve",
            "invoke_agent": "AsyncMaestroRun.create AsyncMaestroRun.create_and_poll MaestroRun.create MaestroRun.create_and_poll",
        },
        "ai21 ai21.clients.studio.resources.studio_chat": {"chat": "AsyncStudioChat.create StudioChat.create"},
        "ai21 ai21.clients.studio.resources.studio_conversational_rag": {
            "chat": "AsyncStudioConversationalRag.create StudioConversationalRag.create"
        },
        "anthropic anthropic": {
            "chat": "Anthropic.request AnthropicBedrock.request AnthropicBedrockMantle.request AnthropicVertex.request AsyncAnthropic.request AsyncAnthropicBedrock.request AsyncAnthropicBedrockMantle.request AsyncAnthropicVertex.request",
            "count_tokens": "Anthropic.request AnthropicBedrock.request AnthropicBedrockMantle.request AnthropicVertex.request AsyncAnthropic.request AsyncAnthropicBedrock.request AsyncAnthropicBedrockMantle.request AsyncAnthropicVertex.request",
        },
        "botocore botocore.client": {
            "chat": "BaseClient._make_api_call",
            "embeddings": "BaseClient._make_api_call",
            "generate_content": "BaseClient._make_api_call",
            "text_completion": "BaseClient._make_api_call",
        },
        "cohere cohere.base_client": {
            "chat": "AsyncBaseCohere.chat AsyncBaseCohere.chat_stream BaseCohere.chat BaseCohere.chat_stream",
            "embeddings": "BaseCohere.embed",
            "text_completion": "AsyncBaseCohere.generate AsyncBaseCohere.generate_stream BaseCohere.generate BaseCohere.generate_stream",
        },
        "cohere cohere.client": {"embeddings": "AsyncClient.embed Client.embed Client.embed_stream"},
        "cohere cohere.raw_base_client": {
            "chat": "AsyncRawBaseCohere.chat AsyncRawBaseCohere.chat_stream RawBaseCohere.chat RawBaseCohere.chat_stream",
            "embeddings": "AsyncRawBaseCohere.embed RawBaseCohere.embed",
            "text_completion": "AsyncRawBaseCohere.generate AsyncRawBaseCohere.generate_stream RawBaseCohere.generate RawBaseCohere.generate_stream",
        },
        "cohere cohere.v2.client": {
            "chat": "AsyncV2Client.chat AsyncV2Client.chat_stream V2Client.chat V2Client.chat_stream",
            "embeddings": "AsyncV2Client.embed V2Client.embed",
        },
        "cohere cohere.v2.raw_client": {
            "chat": "AsyncRawV2Client.chat AsyncRawV2Client.chat_stream RawV2Client.chat RawV2Client.chat_stream",
            "embeddings": "AsyncRawV2Client.embed RawV2Client.embed",
        },
        "dashscope dashscope": {
            "chat": "AioGeneration.call AioMultiModalConversation.call CodeGeneration.call Conversation.call Generation.call MultiModalConversation.call",
            "embeddings": "AioMultiModalEmbedding.call MultiModalEmbedding.call TextEmbedding.call",
            "invoke_agent": "Application.call",
        },
        "dashscope dashscope.aigc.chat_completion": {"chat": "AioGeneration.call Completions.create"},
        "dashscope dashscope.v2.resources.apps": {"invoke_agent": "AppCompletions.create AsyncAppCompletions.create"},
        "dashscope dashscope.v2.resources.chat.completions": {"chat": "AsyncCompletions.create Completions.create"},
        "dashscope dashscope.v2.resources.embeddings": {"embeddings": "AsyncEmbeddings.create Embeddings.create"},
        "dashscope dashscope.v2.resources.multimodal.chat": {
            "chat": "AsyncMultimodalChat.create MultimodalChat.create"
        },
        "dashscope dashscope.v2.resources.multimodal.embeddings": {
            "embeddings": "AsyncMultimodalEmbeddings.create MultimodalEmbeddings.create"
        },
        "google-genai google.genai._gaos.google_genai": {
            "fetch_response": "AsyncGeminiNextGenInteractions.get GeminiNextGenInteractions.get GeneratedAsyncInteractions.get GeneratedInteractions.get",
            "generate_content": "AsyncGeminiNextGenDecisions.create AsyncGeminiNextGenInteractions.create GeminiNextGenDecisions.create GeminiNextGenInteractions.create GeneratedAsyncInteractions.create GeneratedInteractions.create",
            "invoke_agent": "AsyncGeminiNextGenInteractions.create GeminiNextGenInteractions.create GeneratedAsyncInteractions.create GeneratedInteractions.create",
        },
        "google-genai google.genai._interactions._client": {
            "fetch_response": "AsyncGeminiNextGenAPIClient.request GeminiNextGenAPIClient.request",
            "generate_content": "AsyncGeminiNextGenAPIClient.request GeminiNextGenAPIClient.request",
            "invoke_agent": "AsyncGeminiNextGenAPIClient.request GeminiNextGenAPIClient.request",
        },
        "google-genai google.genai.live": {
            "generate_content": "AsyncLive.connect AsyncSession._receive AsyncSession.send AsyncSession.send_client_content AsyncSession.send_realtime_input AsyncSession.send_tool_response"
        },
        "google-genai google.genai.models": {
            "count_tokens": "AsyncModels.count_tokens Models.count_tokens",
            "embeddings": "AsyncModels.embed_content Models.embed_content",
            "generate_content": "AsyncModels._generate_content_stream_with_continuation|AsyncModels._generate_content_stream|AsyncModels.generate_content_stream AsyncModels._generate_content_with_continuation|AsyncModels._generate_content|AsyncModels.generate_content AsyncModels.edit_image AsyncModels.generate_images AsyncModels.generate_videos AsyncModels.recontext_image AsyncModels.segment_image AsyncModels.upscale_image Models._generate_content_stream_with_continuation|Models._generate_content_stream|Models.generate_content_stream Models._generate_content_with_continuation|Models._generate_content|Models.generate_content Models.edit_image Models.generate_images Models.generate_videos Models.recontext_image Models.segment_image Models.upscale_image",
        },
        "google-generativeai google.ai.generativelanguage_v1beta.services.generative_service": {
            "embeddings": "GenerativeServiceAsyncClient.batch_embed_contents GenerativeServiceAsyncClient.embed_content GenerativeServiceClient.batch_embed_contents GenerativeServiceClient.embed_content",
            "generate_content": "GenerativeServiceAsyncClient.generate_content GenerativeServiceAsyncClient.stream_generate_content GenerativeServiceClient.generate_content GenerativeServiceClient.stream_generate_content",
        },
        "groq groq": {"chat": "AsyncGroq.request Groq.request", "embeddings": "AsyncGroq.request Groq.request"},
        "huggingface_hub huggingface_hub.inference._client": {
            "chat": "InferenceClient.chat_completion",
            "embeddings": "InferenceClient.feature_extraction",
            "text_completion": "InferenceClient.text_generation",
        },
        "huggingface_hub huggingface_hub.inference._generated._async_client": {
            "chat": "AsyncInferenceClient.chat_completion",
            "embeddings": "AsyncInferenceClient.feature_extraction",
            "text_completion": "AsyncInferenceClient.text_generation",
        },
        "ibm_watsonx_ai ibm_watsonx_ai.foundation_models.embeddings.embeddings": {
            "embeddings": "Embeddings.agenerate Embeddings.generate"
        },
        "ibm_watsonx_ai ibm_watsonx_ai.foundation_models.inference.model_inference": {
            "chat": "ModelInference.achat ModelInference.achat_stream ModelInference.chat ModelInference.chat_stream",
            "text_completion": "ModelInference.agenerate ModelInference.agenerate_stream ModelInference.generate ModelInference.generate_text_stream",
        },
        "ibm_watsonx_ai ibm_watsonx_ai.gateway.gateway": {
            "chat": "Gateway.__init__.<locals>._ChatCompletions.acreate Gateway.__init__.<locals>._ChatCompletions.create",
            "embeddings": "Gateway.__init__.<locals>._Embeddings.acreate Gateway.__init__.<locals>._Embeddings.create",
            "text_completion": "Gateway.__init__.<locals>._Completions.acreate Gateway.__init__.<locals>._Completions.create",
        },
        "ibm_watsonx_ai ibm_watsonx_ai.gateway.gateway_inference": {
            "chat": "GatewayInference.achat GatewayInference.achat_stream GatewayInference.chat GatewayInference.chat_stream",
            "text_completion": "GatewayInference.agenerate GatewayInference.agenerate_stream GatewayInference.generate GatewayInference.generate_stream",
        },
        "litellm litellm": {
            "chat": "acompletion aresponses completion responses",
            "embeddings": "aembedding embedding",
        },
        "litellm litellm.main": {
            "chat": "acompletion aresponses completion responses",
            "embeddings": "aembedding embedding",
        },
        "litellm litellm.messages.dispatch": {"chat": "anthropic_messages anthropic_messages_handler"},
        "llama_stack_client llama_stack_client": {
            "chat": "AsyncLlamaStackClient.request LlamaStackClient.request",
            "embeddings": "AsyncLlamaStackClient.request LlamaStackClient.request",
            "invoke_agent": "AsyncLlamaStackClient.request LlamaStackClient.request",
            "text_completion": "AsyncLlamaStackClient.request LlamaStackClient.request",
        },
        "mistralai mistralai.agents": {
            "chat": "Agents.complete Agents.complete_async Agents.stream Agents.stream_async"
        },
        "mistralai mistralai.chat": {"chat": "Chat.complete Chat.complete_async Chat.stream Chat.stream_async"},
        "mistralai mistralai.client.agents": {
            "chat": "Agents.complete Agents.complete_async Agents.stream Agents.stream_async"
        },
        "mistralai mistralai.client.chat": {"chat": "Chat.complete Chat.complete_async Chat.stream Chat.stream_async"},
        "mistralai mistralai.client.conversations": {
            "chat": "Conversations.append Conversations.append_async Conversations.append_stream Conversations.append_stream_async Conversations.restart Conversations.restart_async Conversations.restart_stream Conversations.restart_stream_async Conversations.start Conversations.start_async Conversations.start_stream Conversations.start_stream_async"
        },
        "mistralai mistralai.client.embeddings": {"embeddings": "Embeddings.create Embeddings.create_async"},
        "mistralai mistralai.client.fim": {
            "text_completion": "Fim.complete Fim.complete_async Fim.stream Fim.stream_async"
        },
        "mistralai mistralai.client.responses": {"chat": "Responses.create Responses.create_async"},
        "mistralai mistralai.conversations": {
            "chat": "Conversations.append Conversations.append_async Conversations.append_stream Conversations.append_stream_async Conversations.restart Conversations.restart_async Conversations.restart_stream Conversations.restart_stream_async Conversations.start Conversations.start_async Conversations.start_stream Conversations.start_stream_async"
        },
        "mistralai mistralai.embeddings": {"embeddings": "Embeddings.create Embeddings.create_async"},
        "mistralai mistralai.extra.observability.otel": {"chat": "get_traced_request_and_span"},
        "mistralai mistralai.fim": {"text_completion": "Fim.complete Fim.complete_async Fim.stream Fim.stream_async"},
        "mistralai mistralai.responses": {"chat": "Responses.create Responses.create_async"},
        "ollama ollama": {
            "chat": "AsyncClient.chat Client.chat",
            "embeddings": "AsyncClient.embed AsyncClient.embeddings Client.embed Client.embeddings",
            "generate_content": "AsyncClient.systemone Client.systemone",
            "text_completion": "AsyncClient.generate Client.generate",
        },
        "openai openai": {
            "chat": "AsyncOpenAI.request OpenAI.request",
            "count_tokens": "AsyncOpenAI.request OpenAI.request",
            "embeddings": "AsyncOpenAI.request OpenAI.request",
            "fetch_response": "AsyncOpenAI.request OpenAI.request",
            "generate_content": "AsyncOpenAI.request OpenAI.request",
            "moderation": "AsyncOpenAI.request OpenAI.request",
            "text_completion": "AsyncOpenAI.request OpenAI.request",
        },
        "openai openai.resources.beta.responses.responses": {
            "chat": "AsyncResponsesConnection._send|AsyncResponsesConnection.send AsyncResponsesConnection.parse_event AsyncResponsesConnection.recv_bytes AsyncResponsesConnectionManager._connect_ws ResponsesConnection._send|ResponsesConnection.send ResponsesConnection.parse_event ResponsesConnection.recv_bytes ResponsesConnectionManager._connect_ws"
        },
        "openai openai.resources.realtime.realtime": {
            "chat": "AsyncRealtimeConnection._send|AsyncRealtimeConnection.send AsyncRealtimeConnection.parse_event AsyncRealtimeConnection.recv_bytes AsyncRealtimeConnectionManager._connect_ws RealtimeConnection._send|RealtimeConnection.send RealtimeConnection.parse_event RealtimeConnection.recv_bytes RealtimeConnectionManager._connect_ws"
        },
        "openai openai.resources.responses.responses": {
            "chat": "AsyncResponsesConnection._send|AsyncResponsesConnection.send AsyncResponsesConnection.parse_event AsyncResponsesConnection.recv_bytes AsyncResponsesConnectionManager._connect_ws ResponsesConnection._send|ResponsesConnection.send ResponsesConnection.parse_event ResponsesConnection.recv_bytes ResponsesConnectionManager._connect_ws"
        },
        "together together": {
            "chat": "AsyncTogether.request Together.request",
            "embeddings": "AsyncTogether.request Together.request",
            "text_completion": "AsyncTogether.request Together.request",
        },
        "together together.resources.chat.completions": {"chat": "AsyncChatCompletions.create ChatCompletions.create"},
        "together together.resources.completions": {"text_completion": "AsyncCompletions.create Completions.create"},
        "together together.resources.embeddings": {"embeddings": "AsyncEmbeddings.create Embeddings.create"},
        "zhipuai zhipuai": {
            "chat": "ZhipuAI.request",
            "embeddings": "ZhipuAI.request",
            "fetch_response": "ZhipuAI.request",
            "invoke_agent": "ZhipuAI.request",
        },
    }
)


def test_each_method_is_one_of_the_vendors() -> None:
    """By client and operation, in the versions that have had it; those with several ways to name one have a bar."""
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for spec in SPECS:
        for operation in spec.operations:
            found[f"{spec.name} {spec.module}"][operation.name].update(operation.methods)

    assert {
        client: {name: " ".join(sorted(methods)) for name, methods in sorted(operations.items())}
        for client, operations in sorted(found.items())
    } == METHODS


COMPUTED = snapshot(
    {
        "request gen_ai.agent.id": "zhipuai:chat zhipuai:fetch_response zhipuai:invoke_agent",
        "request gen_ai.agent.name": "ai21:invoke_agent",
        "request gen_ai.conversation.id": "litellm:chat llama_stack_client:chat mistralai:chat openai:chat",
        "request gen_ai.embeddings.dimension.count": "google-genai:embeddings google-generativeai:embeddings",
        "request gen_ai.output.type": "ai21:chat anthropic:chat botocore:chat botocore:generate_content cohere:chat cohere:text_completion dashscope:chat dashscope:invoke_agent google-genai:generate_content google-genai:invoke_agent google-generativeai:generate_content groq:chat huggingface_hub:chat ibm_watsonx_ai:chat ibm_watsonx_ai:text_completion litellm:chat llama_stack_client:chat llama_stack_client:text_completion mistralai:chat mistralai:text_completion ollama:chat ollama:generate_content ollama:text_completion openai:chat openai:generate_content openai:text_completion together:chat together:text_completion zhipuai:chat",
        "request gen_ai.provider.name": "litellm:chat litellm:embeddings",
        "request gen_ai.request.choice.count": "ai21:chat botocore:chat botocore:generate_content cohere:text_completion dashscope:chat dashscope:invoke_agent google-genai:generate_content google-generativeai:generate_content groq:chat huggingface_hub:chat ibm_watsonx_ai:chat ibm_watsonx_ai:text_completion litellm:chat llama_stack_client:chat llama_stack_client:text_completion mistralai:chat mistralai:text_completion openai:chat openai:generate_content openai:text_completion together:chat together:text_completion zhipuai:chat",
        "request gen_ai.request.frequency_penalty": "google-genai:generate_content google-generativeai:generate_content",
        "request gen_ai.request.max_tokens": "ai21:chat botocore:chat botocore:text_completion dashscope:chat dashscope:invoke_agent google-genai:generate_content google-generativeai:generate_content groq:chat huggingface_hub:chat ibm_watsonx_ai:chat ibm_watsonx_ai:text_completion litellm:chat llama_stack_client:chat llama_stack_client:text_completion mistralai:chat mistralai:text_completion openai:chat openai:text_completion together:chat together:text_completion zhipuai:chat",
        "request gen_ai.request.model": "ai21:invoke_agent google-genai:count_tokens google-genai:embeddings google-genai:generate_content google-genai:invoke_agent google-generativeai:embeddings google-generativeai:generate_content litellm:chat litellm:embeddings",
        "request gen_ai.request.presence_penalty": "google-genai:generate_content google-generativeai:generate_content",
        "request gen_ai.request.reasoning.level": "google-genai:generate_content google-generativeai:generate_content",
        "request gen_ai.request.seed": "google-genai:generate_content google-generativeai:generate_content",
        "request gen_ai.request.stop_sequences": "google-genai:generate_content google-generativeai:generate_content",
        "request gen_ai.request.temperature": "botocore:text_completion google-genai:generate_content google-generativeai:generate_content",
        "request gen_ai.request.top_k": "google-genai:generate_content google-generativeai:generate_content",
        "request gen_ai.request.top_p": "botocore:text_completion google-genai:generate_content google-generativeai:generate_content",
        "request openai.api.type": "openai:chat",
        "request openai.request.service_tier": "openai:chat",
        "request server.address": "google-genai:count_tokens google-genai:embeddings google-genai:generate_content google-generativeai:embeddings google-generativeai:generate_content litellm:chat litellm:embeddings",
        "request server.port": "google-genai:count_tokens google-genai:embeddings google-genai:generate_content google-generativeai:embeddings google-generativeai:generate_content litellm:chat litellm:embeddings",
        "request_content gen_ai.input.messages": "ai21:chat ai21:invoke_agent anthropic:chat anthropic:count_tokens botocore:chat botocore:embeddings botocore:generate_content botocore:text_completion cohere:chat cohere:embeddings cohere:text_completion dashscope:chat dashscope:embeddings dashscope:invoke_agent google-genai:count_tokens google-genai:embeddings google-genai:generate_content google-genai:invoke_agent google-generativeai:embeddings google-generativeai:generate_content groq:chat groq:embeddings huggingface_hub:chat huggingface_hub:embeddings huggingface_hub:text_completion ibm_watsonx_ai:chat ibm_watsonx_ai:embeddings ibm_watsonx_ai:text_completion litellm:chat litellm:embeddings llama_stack_client:chat llama_stack_client:embeddings llama_stack_client:invoke_agent llama_stack_client:text_completion mistralai:chat mistralai:embeddings mistralai:text_completion ollama:chat ollama:embeddings ollama:generate_content ollama:text_completion openai:chat openai:count_tokens openai:embeddings openai:generate_content openai:moderation openai:text_completion together:chat together:embeddings together:text_completion zhipuai:chat zhipuai:embeddings zhipuai:fetch_response zhipuai:invoke_agent",
        "request_content gen_ai.system_instructions": "ai21:chat anthropic:chat anthropic:count_tokens botocore:chat cohere:chat google-genai:generate_content google-genai:invoke_agent google-generativeai:generate_content litellm:chat llama_stack_client:chat mistralai:chat ollama:text_completion openai:chat openai:count_tokens openai:generate_content",
        "request_content gen_ai.tool.definitions": "ai21:chat ai21:invoke_agent anthropic:chat anthropic:count_tokens botocore:chat cohere:chat dashscope:chat google-genai:generate_content google-genai:invoke_agent google-generativeai:generate_content groq:chat huggingface_hub:chat ibm_watsonx_ai:chat litellm:chat llama_stack_client:chat mistralai:chat ollama:chat openai:chat openai:count_tokens openai:generate_content together:chat zhipuai:chat",
        "response agentops.usage.cost": "ai21:chat botocore:chat dashscope:chat groq:chat huggingface_hub:chat ibm_watsonx_ai:chat ibm_watsonx_ai:text_completion litellm:chat llama_stack_client:chat llama_stack_client:text_completion mistralai:chat mistralai:text_completion openai:chat openai:text_completion together:chat together:text_completion zhipuai:chat",
        "response gen_ai.agent.id": "mistralai:chat",
        "response gen_ai.conversation.id": "litellm:chat llama_stack_client:chat mistralai:chat openai:chat openai:fetch_response openai:generate_content",
        "response gen_ai.embeddings.dimension.count": "botocore:embeddings cohere:embeddings dashscope:embeddings google-genai:embeddings google-generativeai:embeddings groq:embeddings huggingface_hub:embeddings ibm_watsonx_ai:embeddings litellm:embeddings llama_stack_client:embeddings mistralai:embeddings ollama:embeddings openai:embeddings together:embeddings zhipuai:embeddings",
        "response gen_ai.provider.name": "litellm:chat litellm:embeddings",
        "response gen_ai.response.finish_reasons": "ai21:chat ai21:fetch_response ai21:invoke_agent anthropic:chat botocore:chat botocore:generate_content botocore:text_completion cohere:chat cohere:text_completion dashscope:chat dashscope:invoke_agent google-genai:fetch_response google-genai:generate_content google-genai:invoke_agent google-generativeai:generate_content groq:chat huggingface_hub:chat huggingface_hub:text_completion ibm_watsonx_ai:chat ibm_watsonx_ai:text_completion litellm:chat llama_stack_client:chat llama_stack_client:invoke_agent llama_stack_client:text_completion mistralai:chat mistralai:text_completion ollama:chat ollama:generate_content ollama:text_completion openai:chat openai:fetch_response openai:generate_content openai:text_completion together:chat together:text_completion zhipuai:chat zhipuai:fetch_response zhipuai:invoke_agent",
        "response gen_ai.response.id": "litellm:chat",
        "response gen_ai.response.model": "dashscope:invoke_agent ibm_watsonx_ai:text_completion litellm:chat mistralai:chat",
        "response gen_ai.usage.audio.input_tokens": "google-genai:generate_content google-genai:invoke_agent google-generativeai:generate_content openai:generate_content",
        "response gen_ai.usage.audio.output_tokens": "google-genai:generate_content google-genai:invoke_agent google-generativeai:generate_content",
        "response gen_ai.usage.cache_read.input_tokens": "dashscope:chat google-genai:generate_content google-genai:invoke_agent",
        "response gen_ai.usage.image.input_tokens": "google-genai:generate_content google-genai:invoke_agent google-generativeai:generate_content openai:generate_content",
        "response gen_ai.usage.image.output_tokens": "google-genai:generate_content google-genai:invoke_agent google-generativeai:generate_content",
        "response gen_ai.usage.input_tokens": "anthropic:chat botocore:chat botocore:embeddings botocore:text_completion cohere:chat cohere:embeddings cohere:text_completion dashscope:chat dashscope:embeddings dashscope:invoke_agent google-genai:embeddings google-genai:generate_content google-genai:invoke_agent google-generativeai:generate_content ibm_watsonx_ai:text_completion litellm:chat llama_stack_client:chat llama_stack_client:text_completion",
        "response gen_ai.usage.output_tokens": "botocore:text_completion cohere:chat cohere:text_completion dashscope:chat dashscope:invoke_agent google-genai:generate_content google-genai:invoke_agent google-generativeai:generate_content ibm_watsonx_ai:text_completion llama_stack_client:chat llama_stack_client:text_completion",
        "response gen_ai.usage.reasoning.output_tokens": "dashscope:chat google-genai:generate_content google-genai:invoke_agent",
        "response gen_ai.usage.text.input_tokens": "google-genai:generate_content google-genai:invoke_agent google-generativeai:generate_content openai:generate_content",
        "response gen_ai.usage.text.output_tokens": "google-genai:generate_content google-genai:invoke_agent google-generativeai:generate_content",
        "response server.address": "litellm:chat litellm:embeddings",
        "response server.port": "litellm:chat litellm:embeddings",
        "response_content gen_ai.output.messages": "ai21:chat ai21:fetch_response ai21:invoke_agent anthropic:chat botocore:chat botocore:generate_content botocore:text_completion cohere:chat cohere:text_completion dashscope:chat dashscope:invoke_agent google-genai:fetch_response google-genai:generate_content google-genai:invoke_agent google-generativeai:generate_content groq:chat huggingface_hub:chat huggingface_hub:text_completion ibm_watsonx_ai:chat ibm_watsonx_ai:text_completion litellm:chat llama_stack_client:chat llama_stack_client:invoke_agent llama_stack_client:text_completion mistralai:chat mistralai:text_completion ollama:chat ollama:generate_content ollama:text_completion openai:chat openai:fetch_response openai:generate_content openai:text_completion together:chat together:text_completion zhipuai:chat zhipuai:fetch_response zhipuai:invoke_agent",
    }
)


def test_each_attribute_that_is_worked_out_is_in_the_table() -> None:
    """Of which operations of which clients: a row that is left out is missed by nobody else."""
    found: dict[str, set[str]] = defaultdict(set)
    for spec in SPECS:
        for operation in spec.operations:
            for name in ("request", "request_content", "response", "response_content"):
                table: Table = getattr(operation, name)
                for attribute, reader in table.items():
                    if not isinstance(reader, str):
                        found[f"{name} {attribute}"].add(f"{spec.name}:{operation.name}")

    assert {row: " ".join(sorted(names)) for row, names in sorted(found.items())} == COMPUTED


@pytest.mark.parametrize(
    ("tables", "names"),
    [(("request", "request_content"), REQUEST), (("response", "response_content"), RESPONSE)],
    ids=["request", "response"],
)
def test_each_attribute_is_read_from_the_vendors_name(
    tables: tuple[str, ...], names: dict[str, dict[str, str]]
) -> None:
    """As the vendors' references have them, by attribute, path and client."""
    assert read(tables) == names


def test_each_vendors_reason_for_an_end_is_one_of_the_conventions() -> None:
    """What is no word of theirs is told as the vendor says it."""
    found: dict[str, list[str]] = defaultdict(list)
    for vendors, ours in sorted(FINISH_REASONS.items()):
        found[ours].append(vendors)

    assert {ours: " ".join(vendors) for ours, vendors in sorted(found.items())} == REASONS


def test_a_call_that_fails_has_a_finish_reason_where_one_that_succeeds_has() -> None:
    """But for a chat that is only begun, and for two whose answers say none."""
    differing = {
        (spec.name, operation.name, operation.has_finish_reasons)
        for spec in SPECS
        for operation in spec.operations
        if operation.has_finish_reasons is not ("gen_ai.response.finish_reasons" in operation.response)
        and not operation.suppress
    }

    assert differing == snapshot({("ai21", "chat", True), ("mistralai", "chat", True), ("zhipuai", "chat", False)})


PATHS = {
    "anthropic": {"/v1/messages": "chat", "/v1/messages/count_tokens": "count_tokens"},
    "groq": {"/openai/v1/chat/completions": "chat", "/openai/v1/embeddings": "embeddings"},
    "llama_stack_client": {
        "/v1/chat/completions": "chat",
        "/v1/openai/v1/chat/completions": "chat",
        "/v1/completions": "text_completion",
        "/v1/openai/v1/completions": "text_completion",
        "/v1/responses": "chat",
        "/v1/openai/v1/responses": "chat",
        "/v1/inference/chat-completion": "chat",
        "/v1/inference/completion": "text_completion",
        "/v1/inference/batch-chat-completion": "chat",
        "/v1/inference/batch-completion": "text_completion",
        "/v1/inference/embeddings": "embeddings",
        "/v1/embeddings": "embeddings",
        "/v1/openai/v1/embeddings": "embeddings",
    },
    "openai": {
        "/chat/completions": "chat",
        "/responses": "chat",
        "/completions": "text_completion",
        "/embeddings": "embeddings",
        "/images/generations": "generate_content",
        "/images/edits": "generate_content",
        "/images/variations": "generate_content",
        "/audio/speech": "generate_content",
        "/audio/transcriptions": "generate_content",
        "/audio/translations": "generate_content",
        "/moderations": "moderation",
        "/responses/compact": "chat",
        "/responses/input_tokens": "count_tokens",
        "/decisions": "generate_content",
    },
    "together": {
        "/v1/chat/completions": "chat",
        "/chat/completions": "chat",
        "/v1/completions": "text_completion",
        "/completions": "text_completion",
        "/v1/embeddings": "embeddings",
        "/embeddings": "embeddings",
    },
    "zhipuai": {
        "/chat/completions": "chat",
        "/async/chat/completions": "chat",
        "/v1/agents": "invoke_agent",
        "/assistant": "invoke_agent",
        "/v1/agents/async-result": "fetch_response",
        "/tools": "chat",
        "/embeddings": "embeddings",
    },
}
"""What is asked for at each path of the clients that have one `request` method."""


@pytest.mark.parametrize(
    ("client", "path", "name"), [(client, *row) for client, rows in PATHS.items() for row in rows.items()]
)
def test_what_is_posted_to_a_path_is_an_operation(client: str, path: str, name: str) -> None:
    """With a query or without; what is asked by GET is another."""
    operations = [one for spec in SPECS if spec.name == client for one in spec.operations]

    def names(url: str, method: str) -> list[str]:
        given = {"options": {"url": url, "method": method}}
        return [one.name for one in operations if "request" in one.methods[0] and one.matches(given)]

    assert names(path, "post") == names(f"{path}?beta=true", "POST") == [name]
    assert name not in names(path, "get")


def test_which_answers_are_read_from_a_copy() -> None:
    """Those whose tables read nothing but fields: the program does not wait for them."""
    copied = Counter(f"{spec.name} {one.name}" for spec in SPECS for one in spec.operations if one.copies_response)

    assert copied == snapshot(
        Counter(
            {
                "anthropic chat": 1,
                "botocore chat": 1,
                "groq chat": 1,
                "litellm chat": 1,
                "openai chat": 8,
                "openai fetch_response": 1,
                "openai text_completion": 1,
                "together chat": 2,
            }
        )
    )


def test_whose_a_host_is() -> None:
    """Of servers that speak OpenAI's language; any other is OpenAI's, as it is where the client goes by itself."""
    hosts = {
        "anthropic": "api.anthropic.com",
        "aws.bedrock": "bedrock-runtime.us-east-1.amazonaws.com",
        "azure.ai.inference": "x.services.ai.azure.com x.models.ai.azure.com",
        "azure.ai.openai": "x.openai.azure.com x.cognitiveservices.azure.com",
        "cohere": "api.cohere.ai api.cohere.com",
        "dashscope": "dashscope.aliyuncs.com dashscope-intl.aliyuncs.com",
        "deepseek": "api.deepseek.com",
        "gcp.gemini": "generativelanguage.googleapis.com",
        "gcp.vertex_ai": "aiplatform.googleapis.com europe-west1-aiplatform.googleapis.com",
        "groq": "api.groq.com",
        "hugging_face": "router.huggingface.co",
        "mistral_ai": "api.mistral.ai",
        "moonshot_ai": "api.moonshot.ai api.moonshot.cn",
        "openai": "api.openai.com localhost",
        "perplexity": "api.perplexity.ai",
        "together_ai": "api.together.ai api.together.xyz",
        "x_ai": "api.x.ai eu-west-1.api.x.ai",
        "zhipu_ai": "open.bigmodel.cn",
    }

    assert {host: openai_spec.provider(None, host) for named in hosts.values() for host in named.split()} == {
        host: name for name, named in hosts.items() for host in named.split()
    }


@pytest.mark.parametrize("spec", [spec for spec in SPECS if spec.also_check], ids=lambda spec: spec.name)
def test_where_others_patch_a_client_is_where_we_look(spec: ClientSpec) -> None:
    """A name that is not there is never found patched."""
    pytest.importorskip(spec.module)

    assert all(callable(pkgutil.resolve_name(f"{spec.module}.{name}")) for name in spec.also_check)
