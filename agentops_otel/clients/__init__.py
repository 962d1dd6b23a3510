"""One declarative file a client, or a folder where a vendor has several; a program imports those of its own clients."""

import sys
from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentops_otel.instrumentation import ClientSpec

    SPECS: tuple[ClientSpec, ...]
    """Every client that is wrapped when a program imports it. To read it imports all files here."""

FILES = {
    "ai21": "ai21",
    "anthropic": "anthropic",
    "botocore.client": "bedrock",
    "cohere": "cohere",
    "dashscope": "dashscope",
    "google.ai.generativelanguage_v1beta": "google",
    "google.genai": "google",
    "groq": "groq",
    "huggingface_hub.inference": "huggingface_hub",
    "ibm_watsonx_ai": "ibm_watsonx_ai",
    "litellm": "litellm",
    "llama_stack_client": "llama_stack_client",
    "mistralai": "mistralai",
    "ollama": "ollama",
    "openai": "openai",
    "together": "together",
    "zhipuai": "zhipuai",
}
"""What a program imports to use a client -> the file here that describes it."""


def specs_in(file: str) -> "tuple[ClientSpec, ...]":
    """What one of the files describes; it is imported for it."""
    specs: tuple[ClientSpec, ...] = import_module(f"{__name__}.{file}").SPECS
    return specs


def imported() -> "Iterator[ClientSpec]":
    """What is described of the packages that the program has imported."""
    for file in dict.fromkeys(file for package, file in FILES.items() if package in sys.modules):
        yield from specs_in(file)


def __getattr__(name: str) -> object:
    if name == "SPECS":
        return tuple(spec for file in dict.fromkeys(FILES.values()) for spec in specs_in(file))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
