"""What clients do besides a chat, and what its spans have; `any_client` holds these to the contract too."""

from typing import Any

import pytest

from tests.clients.capture import Captured
from tests.clients.contract import pytestmark as of_each_client
from tests.clients.forms.form import OTHERS, QUESTION, TEXT, forms_of, installed, told
from tests.loopback.llm_server import LlmServer

pytestmark = [of_each_client, pytest.mark.no_cover]


ALIKE: dict[str, Any] = {
    "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": QUESTION}]}],
    "gen_ai.operation.name": "text_completion",
    "gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "text", "content": TEXT}]}],
    "gen_ai.request.max_tokens": 100,
    "gen_ai.response.finish_reasons": ["stop"],
    "gen_ai.usage.input_tokens": 11,
    "gen_ai.usage.output_tokens": 7,
    "server.address": "127.0.0.1",
}

APPLICATION = {
    "gen_ai.agent.id": "app-1",
    "gen_ai.conversation.id": "session-1",
    "gen_ai.operation.name": "invoke_agent",
    "gen_ai.provider.name": "dashscope",
    "gen_ai.request.temperature": 0.5,
    "gen_ai.response.id": "req-1",
    "gen_ai.response.model": "qwen-max",
    "gen_ai.request.max_tokens": None,
}

DASHSCOPE = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "dashscope",
    "gen_ai.request.model": "qwen-plus",
    "gen_ai.response.id": "req-1",
}
LOOKED_UP = {
    **DASHSCOPE,
    "gen_ai.output.messages": [
        {
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "content": "Look it up."},
                {"type": "text", "content": "It is 21 degrees in Paris."},
                {"type": "tool_call", "id": "call_1", "name": "weather", "arguments": {"city": "Paris"}},
            ],
        }
    ],
    "gen_ai.response.finish_reasons": ["tool_call"],
}
PICTURED = {
    **DASHSCOPE,
    "gen_ai.input.messages": [
        {
            "role": "user",
            "parts": [
                {"type": "uri", "modality": "image", "uri": "https://example.com/paris.png"},
                {"type": "text", "content": "How warm is it in Paris?"},
            ],
        }
    ],
}

UNCOUNTED = {"gen_ai.usage.input_tokens": None, "gen_ai.usage.output_tokens": None}
CHATTED = {
    "gen_ai.input.messages": [
        {
            "role": "assistant",
            "parts": [
                {"type": "text", "content": "Hello."},
                {"type": "tool_call", "name": "weather", "arguments": {"city": "Paris"}},
            ],
        },
        {"role": "tool", "parts": [{"type": "tool_call_response", "response": [{"warm": 21}]}]},
        {"role": "user", "parts": [{"type": "text", "content": "How warm is it in Paris?"}]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "response": [{"warm": 21}]}]},
    ],
    "gen_ai.tool.definitions": [
        {
            "type": "function",
            "name": "weather",
            "description": "How warm it is.",
            "parameters": {"city": {"type": "str"}},
        }
    ],
    "gen_ai.operation.name": "chat",
    "gen_ai.output.messages": [
        {
            "role": "assistant",
            "parts": [
                {"type": "text", "content": "It is 21 degrees in Paris."},
                {"type": "tool_call", "name": "weather", "arguments": {"city": "Paris"}},
            ],
        }
    ],
    "gen_ai.provider.name": "cohere",
    "gen_ai.request.model": "command-r",
    "gen_ai.response.id": "gen-1",
    "gen_ai.system_instructions": [{"type": "text", "content": "Be brief."}],
}
GENERATED = {
    "gen_ai.provider.name": "cohere",
    "gen_ai.request.model": "command",
    "gen_ai.response.id": "answer-1",
}
ZHIPU = {
    "gen_ai.agent.id": "agent-1",
    "gen_ai.conversation.id": "conv_1",
    "gen_ai.operation.name": "invoke_agent",
    "gen_ai.provider.name": "zhipu_ai",
    "gen_ai.request.max_tokens": None,
    "gen_ai.response.id": "task-1",
}

LLAMA = {
    "gen_ai.provider.name": "llama_stack",
    "gen_ai.request.model": "llama-3.2",
    "gen_ai.request.temperature": 0.5,
    "gen_ai.request.top_p": 0.9,
}
TURN = {
    "gen_ai.agent.id": "agent-1",
    "gen_ai.conversation.id": "session-1",
    "gen_ai.operation.name": "invoke_agent",
    "gen_ai.output.messages": [
        {
            "role": "assistant",
            "parts": [
                {
                    "type": "server_tool_call",
                    "id": "call_1",
                    "name": "weather",
                    "server_tool_call": {"type": "weather", "arguments": {"city": "Paris"}},
                },
                {
                    "type": "server_tool_call_response",
                    "id": "call_1",
                    "server_tool_call_response": {"type": "weather", "content": "21"},
                },
                {"type": "text", "content": "It is 21 degrees in Paris."},
            ],
        }
    ],
    "gen_ai.provider.name": "llama_stack",
    "gen_ai.request.max_tokens": None,
    **UNCOUNTED,
}
GATEWAY = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "ibm.watsonx.ai",
    "gen_ai.request.model": "ibm/granite-4-h-small",
    "gen_ai.response.id": "chatcmpl-1",
    "gen_ai.response.model": "gpt-4.1-2025-04-14",
    "gen_ai.usage.cache_read.input_tokens": 4,
    "gen_ai.usage.reasoning.output_tokens": 3,
}
GATEWAY_TEXT = {
    **GATEWAY,
    "gen_ai.operation.name": "text_completion",
    "gen_ai.response.finish_reasons": ["length"],
    "gen_ai.response.id": "cmpl-1",
}

SAID: dict[str, Any] = {
    "ai21:chat": {
        "gen_ai.operation.name": "chat",
        "gen_ai.output.messages": ALIKE["gen_ai.output.messages"] * 2,
        "gen_ai.provider.name": "ai21",
        "gen_ai.request.choice.count": 2,
        "gen_ai.request.model": "j2-ultra",
        "gen_ai.response.finish_reasons": ["stop", "stop"],
        "gen_ai.system_instructions": [{"type": "text", "content": "Be brief."}],
        **UNCOUNTED,
    },
    "ai21:maestro": {
        "gen_ai.agent.name": "maestro",
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.output.messages": [
            {
                "role": "assistant",
                "parts": [
                    {
                        "type": "server_tool_call",
                        "name": "weather",
                        "server_tool_call": {"type": "http", "arguments": {"city": "Paris"}},
                    },
                    {
                        "type": "server_tool_call_response",
                        "server_tool_call_response": {"type": "http", "response": {"city": "Paris"}},
                    },
                    {"type": "text", "content": "It is 21 degrees in Paris."},
                ],
            }
        ],
        "gen_ai.provider.name": "ai21",
        "gen_ai.request.max_tokens": None,
        "gen_ai.request.model": "jamba-large",
        "gen_ai.response.id": "run-1",
        "gen_ai.tool.definitions": [
            {"type": "function", "name": "weather", "description": "How warm it is.", "parameters": {}}
        ],
        **UNCOUNTED,
    },
    "ai21:rag": {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "ai21",
        "gen_ai.request.max_tokens": None,
        "gen_ai.response.finish_reasons": None,
        "gen_ai.response.id": "rag-1",
        **UNCOUNTED,
    },
    "boto3:claude": {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "aws.bedrock",
        "gen_ai.request.model": "anthropic.claude-4-v1:0",
        "gen_ai.response.id": "msg_1",
        "gen_ai.response.model": "claude-4",
    },
    "boto3:cohere": {
        "gen_ai.provider.name": "aws.bedrock",
        "gen_ai.request.model": "cohere.command-r-v1:0",
        "gen_ai.request.top_p": 0.5,
    },
    "boto3:llama": {"gen_ai.provider.name": "aws.bedrock", "gen_ai.request.model": "meta.llama3-3-70b-instruct-v1:0"},
    "boto3:mistral": {
        "gen_ai.provider.name": "aws.bedrock",
        "gen_ai.request.model": "mistral.mistral-7b-instruct-v0:2",
        "gen_ai.response.finish_reasons": ["length"],
    },
    "boto3:nova": {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "aws.bedrock",
        "gen_ai.request.model": "amazon.nova-pro-v1:0",
        "gen_ai.usage.cache_creation.input_tokens": 0,
        "gen_ai.usage.cache_read.input_tokens": 4,
        "gen_ai.usage.cache_write.input_tokens": 0,
    },
    "boto3:titan": {"gen_ai.provider.name": "aws.bedrock", "gen_ai.request.model": "amazon.titan-text-express-v1"},
    "boto3:tools": {
        "gen_ai.input.messages": [
            {"role": "user", "parts": [{"type": "text", "content": "How warm is it in Paris?"}]},
            {
                "role": "assistant",
                "parts": [{"type": "tool_call", "id": "call_1", "name": "weather", "arguments": {"city": "Paris"}}],
            },
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "call_1", "response": "21"}]},
        ],
        "gen_ai.operation.name": "chat",
        "gen_ai.output.messages": [
            {
                "role": "assistant",
                "parts": [
                    {"type": "reasoning", "content": "Look it up."},
                    {"type": "text", "content": "It is 21 degrees in Paris."},
                    {"type": "tool_call", "id": "call_1", "name": "weather", "arguments": {"city": "Paris"}},
                ],
            }
        ],
        "gen_ai.provider.name": "aws.bedrock",
        "gen_ai.request.model": "amazon.nova-pro-v1:0",
        "gen_ai.response.finish_reasons": ["tool_call"],
        "gen_ai.system_instructions": [{"type": "text", "content": "Be brief."}],
        "gen_ai.tool.definitions": [
            {
                "type": "function",
                "name": "weather",
                "description": None,
                "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
            }
        ],
        "gen_ai.usage.cache_creation.input_tokens": 0,
        "gen_ai.usage.cache_read.input_tokens": 4,
        "gen_ai.usage.cache_write.input_tokens": 0,
    },
    "cohere:chat": CHATTED,
    "cohere:generate": GENERATED,
    "cohere:raw_chat": CHATTED,
    "cohere:raw_generate": GENERATED,
    "cohere:tools": {
        "gen_ai.operation.name": "chat",
        "gen_ai.output.messages": [
            {
                "role": "assistant",
                "parts": [
                    {"type": "reasoning", "content": "I will look it up."},
                    {"type": "reasoning", "content": "Hm."},
                    {"type": "text", "content": "It is 21 degrees in Paris."},
                    {"type": "tool_call", "id": "call_1", "name": "weather", "arguments": {"city": "Paris"}},
                ],
            }
        ],
        "gen_ai.provider.name": "cohere",
        "gen_ai.request.model": "command-a",
        "gen_ai.request.top_k": 40,
        "gen_ai.request.top_p": 0.5,
        "gen_ai.response.finish_reasons": ["tool_call"],
        "gen_ai.response.id": "chat-1",
        "gen_ai.usage.cache_read.input_tokens": 4,
        "gen_ai.request.max_tokens": None,
    },
    "dashscope:application": APPLICATION,
    "dashscope:application_incremental": APPLICATION,
    "dashscope:client": LOOKED_UP,
    "dashscope:client_again": LOOKED_UP,
    "dashscope:client_application": APPLICATION,
    "dashscope:client_application_incremental": APPLICATION,
    "dashscope:client_anthropic": {
        **DASHSCOPE,
        "gen_ai.output.messages": [
            {
                "role": "assistant",
                "parts": [
                    {"type": "reasoning", "content": "Look it up."},
                    {"type": "text", "content": "It is 21 degrees in Paris."},
                    {"type": "tool_call", "id": "toolu_Paris", "name": "weather", "arguments": {"city": "Paris"}},
                    {"type": "tool_call", "id": "toolu_Rome", "name": "weather", "arguments": {"city": "Rome"}},
                ],
            }
        ],
        "gen_ai.response.finish_reasons": ["tool_call"],
        "gen_ai.response.id": "msg_1",
        "gen_ai.response.model": "claude-test-1",
        "gen_ai.usage.cache_creation.input_tokens": 30,
        "gen_ai.usage.cache_read.input_tokens": 64,
        "gen_ai.usage.cache_write.input_tokens": 30,
        "gen_ai.usage.input_tokens": 114,
        "gen_ai.usage.reasoning.output_tokens": 3,
    },
    "dashscope:client_multimodal": PICTURED,
    "dashscope:client_openai": {
        **DASHSCOPE,
        "gen_ai.response.id": "chatcmpl-1",
        "gen_ai.response.model": "gpt-4.1-2025-04-14",
        "gen_ai.usage.cache_read.input_tokens": 4,
        "gen_ai.usage.reasoning.output_tokens": 3,
    },
    "dashscope:code": {
        **DASHSCOPE,
        "gen_ai.input.messages": [
            {"role": "user", "parts": [{"type": "text", "content": "How warm is it in Paris?"}]},
            {"role": "user", "parts": [{"type": "text", "content": '{"language": "python"}'}]},
        ],
        "gen_ai.request.max_tokens": None,
        "gen_ai.request.model": "tongyi-lingma-v1",
    },
    "dashscope:completions": {
        **DASHSCOPE,
        "gen_ai.response.id": "chatcmpl-1",
        "gen_ai.response.model": "gpt-4.1-2025-04-14",
        "gen_ai.usage.cache_read.input_tokens": 4,
        "gen_ai.usage.reasoning.output_tokens": 3,
    },
    "dashscope:conversation": {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "dashscope",
        "gen_ai.request.model": "qwen-turbo",
        "gen_ai.response.id": "req-1",
        "gen_ai.request.max_tokens": None,
    },
    "dashscope:incremental": {**LOOKED_UP, "gen_ai.request.model": "qwen-max", "gen_ai.request.max_tokens": None},
    "dashscope:multimodal": {**PICTURED, "gen_ai.request.model": "qwen-vl-max", "gen_ai.request.max_tokens": None},
    "dashscope:tools": {**LOOKED_UP, "gen_ai.request.model": "qwen-max", "gen_ai.request.max_tokens": None},
    "huggingface_hub:details": {
        "gen_ai.provider.name": "hugging_face",
        "gen_ai.request.seed": 7,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.top_k": 40,
        "gen_ai.usage.input_tokens": None,
    },
    "huggingface_hub:text": {
        "gen_ai.provider.name": "hugging_face",
        "gen_ai.request.seed": 7,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.top_k": 40,
        "gen_ai.response.finish_reasons": None,
        "gen_ai.usage.input_tokens": None,
        "gen_ai.usage.output_tokens": None,
    },
    "ibm_watsonx_ai:gateway": {**GATEWAY, "gen_ai.request.temperature": 0.5},
    "ibm_watsonx_ai:gateway_text": {**GATEWAY_TEXT, "gen_ai.request.temperature": 0.5},
    "ibm_watsonx_ai:own": GATEWAY,
    "ibm_watsonx_ai:own_text": GATEWAY_TEXT,
    "ibm_watsonx_ai:generate": {
        "gen_ai.provider.name": "ibm.watsonx.ai",
        "gen_ai.request.model": "ibm/granite-4-h-small",
        "gen_ai.request.seed": 7,
        "gen_ai.request.stop_sequences": ["."],
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.top_k": 40,
        "gen_ai.response.model": "ibm/granite-4-h-small",
    },
    "ibm_watsonx_ai:text": {
        "gen_ai.provider.name": "ibm.watsonx.ai",
        "gen_ai.request.model": "ibm/granite-4-h-small",
        "gen_ai.request.seed": 7,
        "gen_ai.request.stop_sequences": ["."],
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.top_k": 40,
        "gen_ai.response.model": "ibm/granite-4-h-small",
    },
    "llama_stack_client:batch": {**LLAMA, "gen_ai.operation.name": "chat", **UNCOUNTED},
    "llama_stack_client:batch_completion": {**LLAMA, **UNCOUNTED},
    "llama_stack_client:turn": TURN,
    "llama_stack_client:resume": {
        **TURN,
        "gen_ai.input.messages": [
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "call_1", "response": "21"}]}
        ],
    },
    "llama_stack_client:completion": LLAMA,
    "llama_stack_client:inference": {
        "gen_ai.input.messages": [
            {"role": "user", "parts": [{"type": "text", "content": "How warm is it in Paris?"}]},
            {
                "role": "assistant",
                "parts": [{"type": "tool_call", "id": "call_1", "name": "weather", "arguments": {"city": "Paris"}}],
            },
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "call_1", "response": "21"}]},
        ],
        "gen_ai.operation.name": "chat",
        "gen_ai.output.messages": [
            {
                "role": "assistant",
                "parts": [
                    {"type": "text", "content": "It is 21 degrees in Paris."},
                    {"type": "tool_call", "id": "call_1", "name": "weather", "arguments": {"city": "Paris"}},
                ],
            }
        ],
        "gen_ai.provider.name": "llama_stack",
        "gen_ai.request.model": "llama-3.2",
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.top_p": 0.9,
        "gen_ai.tool.definitions": [
            {
                "type": "function",
                "name": "weather",
                "description": "How it is.",
                "parameters": {"city": {"param_type": "string"}},
            }
        ],
    },
    "llama_stack_client:responses": {
        "gen_ai.conversation.id": "conv_1",
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "llama_stack",
        "gen_ai.request.model": "llama-4",
        "gen_ai.response.id": "resp_1",
        "gen_ai.response.model": "gpt-5-2026-01-01",
        "gen_ai.usage.cache_creation.input_tokens": 2,
        "gen_ai.usage.cache_read.input_tokens": 4,
        "gen_ai.usage.cache_write.input_tokens": 2,
        "gen_ai.usage.reasoning.output_tokens": 3,
        "gen_ai.request.max_tokens": None,
    },
    "mistralai:agents": {
        "gen_ai.agent.id": "ag-1",
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "mistral_ai",
        "gen_ai.response.id": "chatcmpl-1",
        "gen_ai.response.model": "gpt-4.1-2025-04-14",
        "gen_ai.usage.cache_read.input_tokens": 4,
        "gen_ai.usage.reasoning.output_tokens": 3,
    },
    "mistralai:conversations": {
        "gen_ai.conversation.id": "conv_1",
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "mistral_ai",
        "gen_ai.request.model": "mistral-large",
        "gen_ai.request.seed": 7,
        "gen_ai.response.finish_reasons": None,
        "gen_ai.response.model": "mistral-large-2026",
        "gen_ai.system_instructions": [{"type": "text", "content": "Be brief."}],
    },
    "mistralai:conversations_tools": {
        "gen_ai.agent.id": "ag-1",
        "gen_ai.conversation.id": "conv_1",
        "gen_ai.input.messages": [
            {"role": "user", "parts": [{"type": "text", "content": "How warm is it in Paris?"}]},
            {
                "role": "assistant",
                "parts": [{"type": "tool_call", "id": "call_0", "name": "weather", "arguments": {"city": "Paris"}}],
            },
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "call_0", "response": "21"}]},
        ],
        "gen_ai.operation.name": "chat",
        "gen_ai.output.messages": [
            {
                "role": "assistant",
                "parts": [
                    {
                        "type": "server_tool_call",
                        "id": "exec_1",
                        "name": "web_search",
                        "server_tool_call": {"type": "web_search", "arguments": '{"query": "Paris"}'},
                    },
                    {
                        "type": "server_tool_call_response",
                        "id": "exec_1",
                        "server_tool_call_response": {"type": "web_search", "city": "Paris"},
                    },
                    {"type": "reasoning", "content": "Look it up."},
                    {"type": "text", "content": "It is 21 degrees in Paris."},
                    {"type": "tool_call", "id": "call_1", "name": "weather", "arguments": {"city": "Paris"}},
                ],
            }
        ],
        "gen_ai.provider.name": "mistral_ai",
        "gen_ai.response.finish_reasons": ["tool_call"],
        "gen_ai.response.model": "mistral-large-2026",
    },
    "mistralai:responses": {
        "gen_ai.conversation.id": "conv_1",
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "mistral_ai",
        "gen_ai.request.model": "mistral-large",
        "gen_ai.response.id": "resp_1",
        "gen_ai.response.model": "gpt-5-2026-01-01",
        "gen_ai.usage.cache_creation.input_tokens": 2,
        "gen_ai.usage.cache_read.input_tokens": 4,
        "gen_ai.usage.cache_write.input_tokens": 2,
        "gen_ai.usage.reasoning.output_tokens": 3,
    },
    "mistralai:fim": {
        "gen_ai.provider.name": "mistral_ai",
        "gen_ai.request.model": "codestral",
        "gen_ai.response.id": "chatcmpl-1",
        "gen_ai.response.model": "gpt-4.1-2025-04-14",
        "gen_ai.usage.cache_read.input_tokens": 4,
        "gen_ai.usage.reasoning.output_tokens": 3,
    },
    "ollama:generate": {
        "gen_ai.output.messages": [
            {
                "role": "assistant",
                "parts": [
                    {"type": "reasoning", "content": "Look it up."},
                    {"type": "text", "content": "It is 21 degrees in Paris."},
                ],
            }
        ],
        "gen_ai.provider.name": "ollama",
        "gen_ai.request.model": "llama3.2",
        "gen_ai.request.seed": 7,
        "gen_ai.response.model": "llama3.2",
        "gen_ai.system_instructions": [{"type": "text", "content": "Be brief."}],
        "gen_ai.request.max_tokens": None,
    },
    "ollama:tools": {
        "gen_ai.input.messages": [
            {
                "role": "user",
                "parts": [
                    {"type": "text", "content": "How warm is it in Paris?"},
                    {"type": "blob", "modality": "image", "byte_size": 6},
                ],
            },
            {"role": "assistant", "parts": [{"type": "tool_call", "name": "weather", "arguments": {"city": "Paris"}}]},
            {"role": "tool", "parts": [{"type": "tool_call_response", "response": "21"}]},
        ],
        "gen_ai.operation.name": "chat",
        "gen_ai.output.messages": [
            {
                "role": "assistant",
                "parts": [
                    {"type": "reasoning", "content": "Look it up."},
                    {"type": "text", "content": "It is 21 degrees in Paris."},
                    {"type": "tool_call", "name": "weather", "arguments": {"city": "Paris"}},
                ],
            }
        ],
        "gen_ai.output.type": "json",
        "gen_ai.provider.name": "ollama",
        "gen_ai.request.model": "llama3.2",
        "gen_ai.response.finish_reasons": ["tool_call"],
        "gen_ai.response.model": "llama3.2",
        "gen_ai.tool.definitions": [{"type": "function", "name": "weather"}],
        "gen_ai.request.max_tokens": None,
    },
    "together:completions": {
        "gen_ai.provider.name": "together_ai",
        "gen_ai.request.model": "meta-llama/Llama-3.3-70B",
        "gen_ai.response.finish_reasons": ["length"],
        "gen_ai.response.id": "cmpl-1",
        "gen_ai.response.model": "gpt-4.1-2025-04-14",
        "gen_ai.usage.cache_read.input_tokens": 4,
        "gen_ai.usage.reasoning.output_tokens": 3,
    },
    "zhipuai:agents": {
        **ZHIPU,
        "gen_ai.output.messages": [
            {
                "role": "assistant",
                "parts": [
                    {"type": "text", "content": "It is 21 degrees in Paris."},
                    {"type": "uri", "modality": "video", "uri": "https://example.com/paris.mp4"},
                ],
            }
        ],
    },
    "zhipuai:assistant": {
        **ZHIPU,
        "gen_ai.output.messages": [
            {
                "role": "assistant",
                "parts": [
                    {
                        "type": "server_tool_call",
                        "name": "code_interpreter",
                        "server_tool_call": {"type": "code_interpreter", "input": "print(21)", "city": []},
                    },
                    {
                        "type": "server_tool_call_response",
                        "server_tool_call_response": {
                            "type": "code_interpreter",
                            "outputs": [{"type": "logs", "logs": "21", "error_msg": "", "city": "Paris"}],
                        },
                    },
                    {"type": "text", "content": "It is 21 degrees in Paris."},
                ],
            }
        ],
    },
    "zhipuai:search": {
        "gen_ai.operation.name": "chat",
        "gen_ai.output.messages": [
            {
                "role": "assistant",
                "parts": [
                    {
                        "type": "server_tool_call",
                        "id": "call_1",
                        "name": "search_intent",
                        "server_tool_call": {
                            "type": "search_intent",
                            "query": "It is 21 degrees in Paris.",
                            "intent": "SEARCH_ALL",
                            "keywords": "Paris",
                            "city": "Paris",
                        },
                    }
                ],
            }
        ],
        "gen_ai.provider.name": "zhipu_ai",
        "gen_ai.request.max_tokens": None,
        "gen_ai.request.model": "web-search-pro",
        "gen_ai.response.id": "task-1",
        **UNCOUNTED,
    },
}
"""What each says beside that; None for what it does not say."""


@pytest.mark.parametrize("form", ["plain", "streamed", "async_plain", "async_streamed"])
@pytest.mark.parametrize("name", installed(*OTHERS))
def test_every_form_makes_the_same_span(name: str, form: str, captured: Captured, server: LlmServer) -> None:
    """One span a call, and a stream's says what the plain call's says, as far as its chunks do."""
    client = forms_of(name)
    if form not in client.names:
        pytest.skip("the client has no asynchronous form")

    span = told(client, form, captured, server)

    unknown = client.untold if form.endswith("streamed") else ()
    expected = {**ALIKE, **SAID[name], **dict.fromkeys(unknown)}
    assert span["attributes"] == {key: value for key, value in expected.items() if value is not None}
    assert span["name"] == " ".join(filter(None, map(expected.get, ("gen_ai.operation.name", "gen_ai.request.model"))))
    assert span["kind"] == "CLIENT"
    assert span.keys() == {"name", "kind", "attributes"}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        *(
            (
                name,
                {"gen_ai.provider.name": "cohere", "gen_ai.request.model": "embed-v3", "gen_ai.usage.input_tokens": 4},
            )
            for name in ("cohere:chat", "cohere:raw_chat")
        ),
        *(
            (
                name,
                {
                    "gen_ai.provider.name": "dashscope",
                    "gen_ai.request.model": model,
                    "gen_ai.usage.input_tokens": 4,
                },
            )
            for name, model in (
                ("dashscope:client", "text-embedding-v4"),
                ("dashscope:client_multimodal", "tongyi-embedding-vision-plus"),
            )
        ),
        (
            "dashscope:multimodal",
            {
                "gen_ai.provider.name": "dashscope",
                "gen_ai.request.model": "tongyi-embedding-vision-plus",
                "gen_ai.usage.input_tokens": 4,
            },
        ),
        (
            "ibm_watsonx_ai:own",
            {
                "gen_ai.provider.name": "ibm.watsonx.ai",
                "gen_ai.request.model": "ibm/slate-125m",
                "gen_ai.response.model": "embed-2026",
                "gen_ai.usage.input_tokens": 4,
            },
        ),
        ("huggingface_hub", {"gen_ai.provider.name": "hugging_face"}),
        ("llama_stack_client:inference", {"gen_ai.provider.name": "llama_stack", "gen_ai.request.model": "all-minilm"}),
        ("ollama:generate", {"gen_ai.provider.name": "ollama", "gen_ai.request.model": "nomic-embed-text"}),
    ],
)
def test_older_embeddings_have_a_span(name: str, said: Any, captured: Captured, server: LlmServer) -> None:
    """The vectors' length and the texts."""
    span = told(forms_of(name), "embed", captured, server)

    attributes = span["attributes"]
    assert isinstance(attributes, dict)
    (message,) = attributes.pop("gen_ai.input.messages")
    assert "Paris" in [part["content"] for part in message["parts"]]
    alike = {
        "gen_ai.embeddings.dimension.count": 2,
        "gen_ai.operation.name": "embeddings",
        "server.address": "127.0.0.1",
    }
    assert attributes == {**alike, **said}
