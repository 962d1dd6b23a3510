"""Everything that a package sends, and whether that is a call of a model: none that nobody has decided on."""

import importlib
import inspect
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from google.genai import live, models

from agentops_otel.clients import anthropic, google_genai, google_interactions, google_live, openai
from agentops_otel.instrumentation import ClientSpec

CALLS = {
    "openai": {
        *("/audio/speech", "/audio/transcriptions", "/audio/translations", "/chat/completions", "/completions"),
        *("/decisions", "/embeddings", "/images/edits", "/images/generations", "/images/variations", "/moderations"),
        *("/responses", "/responses/compact", "/responses/input_tokens"),
    },
    "anthropic": {"/v1/messages", "/v1/messages/count_tokens"},
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
        *("/v1/user_profiles", "/v1/vaults"),
        "/v1/complete",  # of models that are gone
    ),
}
"""What keeps, lists and sets up things, by how its path begins; hosted agents and jobs work out of sight."""


SENDING = re.compile(r'self\._(post|get_api_list)\(\s*(?:path_template\(\s*)?f?"([^"?]+)')


def posted(package: str) -> Iterator[str]:
    """The paths to which the package's resources send, with what is filled in left in braces."""
    root = Path(inspect.getfile(importlib.import_module(package))).parent / "resources"
    for file in root.rglob("*.py"):
        text = file.read_text()
        found = list(SENDING.finditer(text))
        assert len(found) >= text.count("self._post("), file
        for call, following in itertools.zip_longest(found, found[1:]):
            rest = text[call.end() : following.start() if following else None]
            if call[1] == "post" or 'method="post"' in rest:
                yield call[2]


@pytest.mark.parametrize("spec", [openai.SPEC, anthropic.SPEC], ids=["openai", "anthropic"])
def test_everything_that_is_sent_has_been_decided_on(spec: ClientSpec) -> None:
    """A path is a call of a model and has a span, or it is among those that are known not to be one."""
    sent = set(posted(spec.name))
    spans = {path for path in sent if _has_span(spec, path)}

    assert spans == sent & CALLS[spec.name]
    assert [path for path in sorted(sent - spans) if not path.startswith(REST[spec.name])] == []
    assert len(sent) > 2


def _has_span(spec: ClientSpec, path: str) -> bool:
    asked = {"options": SimpleNamespace(method="post", url=path)}
    return any(operation.applies(asked) for operation in spec.operations)


def asked(spec: ClientSpec, owner: str) -> set[str]:
    """The methods of the class that are in the spec."""
    paths = {path for operation in spec.operations for places in operation.where for path in places.split("|")}
    return {path.rpartition(".")[2].removeprefix("_") for path in paths if path.startswith(f"{owner}.")}


def public(owner: type) -> set[str]:
    """What a program can call, or go on by."""
    return {name for name in vars(owner) if not name.startswith("_")}


def test_every_method_of_googles_models_has_been_decided_on() -> None:
    """Those that ask a model are in the spec; the others look models up, change them, or count without asking."""
    known = asked(google_genai.SPEC, "Models")

    assert public(models.Models) - known == {"compute_tokens", "delete", "get", "list", "update"}


def test_every_kind_of_googles_live_sessions_has_been_decided_on() -> None:
    """Music is made without a break, and has no turns."""
    assert public(live.AsyncLive) - asked(google_live.SPEC, "AsyncLive") == {"music"}


RAW = {"with_raw_response", "with_streaming_response"}
"""Ways to the same methods."""


def test_everything_that_google_generates_beneath_its_client_has_been_decided_on() -> None:
    """Interactions and decisions ask a model; the others keep and set up what hosted agents work with."""
    generated = pytest.importorskip("google.genai._gaos.google_genai")
    spec = google_interactions.SPEC
    kinds = {name for name in vars(generated) if name.startswith("GeminiNextGen")}

    assert public(generated.GeminiNextGenInteractions) - asked(spec, "GeminiNextGenInteractions") == {
        *("cancel", "delete"),
        *RAW,
    }
    assert public(generated.GeminiNextGenDecisions) - asked(spec, "GeminiNextGenDecisions") == RAW
    assert kinds - {f"GeminiNextGen{name}" for name in ("Interactions", "Decisions")} == {
        f"GeminiNextGen{name}"
        for name in ("Agents", "Credentials", "EnvironmentFiles", "Environments", "Triggers", "Voices", "Webhooks")
    }
