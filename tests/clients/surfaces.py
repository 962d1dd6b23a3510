"""Reads the methods of the vendors' packages, and finds those that are undecided.

`python -m tests.clients.surfaces` prints it for the packages that are installed: `make newest` ends with that.
"""

import importlib.util
import inspect
import itertools
import re
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from agentops_otel.clients import SPECS
from agentops_otel.clients.bedrock import spec as bedrock
from agentops_otel.clients.google import genai, interactions, live
from agentops_otel.instrumentation import ClientSpec
from tests.clients.decided import CALLS, LITELLM, REMAINING, REST

SENDING = re.compile(r'self\._(post|get_api_list)\(\s*(?:path_template\(\s*)?f?"([^"?]+)')


def posted(package: str) -> Iterator[str]:
    """The paths to which the package's resources send, with what is filled in left in braces."""
    root = Path(inspect.getfile(import_module(package))).parent
    for file in [*root.glob("resources/**/*.py"), *root.glob("api_resource/**/*.py")]:
        text = file.read_text()
        found = list(SENDING.finditer(text))
        assert len(found) >= text.count("self._post("), file
        for call, following in itertools.zip_longest(found, found[1:]):
            rest = text[call.end() : following.start() if following else None]
            if call[1] == "post" or 'method="post"' in rest:
                yield call[2]


def sent(spec: ClientSpec) -> set[str]:
    """Paths that are neither a call of a model with a span, nor among those that are known not to be one."""
    paths = set(posted(spec.name))
    assert len(paths) > 2, spec.name
    spans = {path for path in paths if _has_span(spec, path)}
    return (spans ^ (paths & CALLS[spec.name])) | {
        path for path in paths - spans if not path.startswith(REST[spec.name])
    }


def _has_span(spec: ClientSpec, path: str) -> bool:
    asked = {"options": SimpleNamespace(method="post", url=path)}
    return any(operation.matches(asked) for operation in spec.operations)


def asked(spec: ClientSpec, owner: str) -> set[str]:
    """The methods of the class that are in the spec."""
    paths = {path for operation in spec.operations for places in operation.methods for path in places.split("|")}
    return {path.rpartition(".")[2].removeprefix("_") for path in paths if path.startswith(f"{owner}.")}


def public(owner: type) -> set[str]:
    """The callable members of an object, and the resources that it leads to."""
    return {name for name in vars(owner) if not name.startswith("_")}


def against(found: set[str], decided: set[str]) -> set[str]:
    """The undecided members and, after a minus, decided ones that are gone."""
    return (found - decided) | {f"-{name}" for name in decided - found}


RAW = {"with_raw_response", "with_streaming_response"}
"""Ways to the same methods."""


def _models() -> set[str]:
    """Look models up, change them, or count without asking."""
    models = import_module("google.genai.models").Models
    return against(public(models) - asked(genai.SPEC, "Models"), {"compute_tokens", "delete", "get", "list", "update"})


def _live_sessions() -> set[str]:
    """Music is made without a break, and has no turns."""
    sessions = import_module("google.genai.live").AsyncLive
    return against(public(sessions) - asked(live.SPEC, "AsyncLive"), {"music"})


def _generated(name: str, decided: set[str]) -> set[str]:
    generated = import_module("google.genai._gaos.google_genai")
    return against(public(getattr(generated, name)) - asked(interactions.SPEC, name), decided | RAW)


def _generated_kinds() -> set[str]:
    """Interactions and decisions ask a model; the others keep and set up what hosted agents work with."""
    generated = import_module("google.genai._gaos.google_genai")
    return against(
        {name.removeprefix("GeminiNextGen") for name in vars(generated) if name.startswith("GeminiNextGen")},
        {
            *("Interactions", "Decisions"),
            *("Agents", "AuthTokens", "Credentials", "EnvironmentFiles", "Environments", "Triggers", "Voices"),
            "Webhooks",
        },
    )


def _remaining(place: str) -> set[str]:
    """Methods of a class that are neither in the spec nor known to be something else."""
    module, _, name = place.partition(":")
    package, rest = REMAINING[place]
    owner = getattr(import_module(module), name)
    known = {method for spec in SPECS if spec.name == package for method in asked(spec, name)}
    return against(public(owner) - known, rest)


def _watsonx_gateway() -> set[str]:
    """What it asks of models is in the spec; the other parts set it up."""
    gateway = import_module("ibm_watsonx_ai.gateway").Gateway
    paths = {path for spec in SPECS if spec.name == "ibm_watsonx_ai" for op in spec.operations for path in op.methods}
    made = [const for const in gateway.__init__.__code__.co_consts if hasattr(const, "co_qualname")]
    methods = {f"{kind.co_qualname}.{name}" for kind in made for name in {"create", "acreate"} & {*kind.co_names}}
    parts = against({kind.co_name for kind in made}, {"_Chat", "_ChatCompletions", "_Completions", "_Embeddings"})
    assert len(methods) == 6
    return parts | (methods - paths) | public(gateway)


def _ai21() -> set[str]:
    """Chats, runs and RAG are told; not the files that it keeps, nor batches."""
    client = import_module("ai21").AI21Client(api_key="key")
    beta = {f"{kind}.{name}" for kind in public_of(client, "beta") for name in public_of(client.beta, kind)}
    return against(
        {name for name in vars(client) if not name.startswith("_")} | public_of(client, "beta") | beta,
        {
            *("beta", "chat", "library"),
            *("agents", "batches", "conversational_rag", "maestro"),
            *("agents.runs", "maestro.runs"),
        },
    )


def _bedrock() -> set[str]:
    """What is asked of a model and answered is told; not guardrails, the counting of tokens, and jobs."""
    session = import_module("botocore.session").get_session()
    known = session.get_service_model("bedrock-runtime").operation_names
    client = SimpleNamespace(meta=SimpleNamespace(service_model=SimpleNamespace(service_name="bedrock-runtime")))

    def told(name: str) -> bool:
        asked = {"self": client, "operation_name": name, "api_params": {"modelId": "m", "body": "{}"}}
        return any(operation.matches(asked) for operation in bedrock.SPEC.operations)

    return against(
        {name for name in known if not told(name)},
        {
            *("ApplyGuardrail", "CountTokens", "InvokeGuardrailChecks"),
            *("GetAsyncInvoke", "ListAsyncInvokes", "StartAsyncInvoke"),
            "InvokeModelWithBidirectionalStream",  # of sounds, over a connection that botocore cannot make
        },
    )


def _dashscope() -> set[str]:
    """Chats, texts, applications and vectors are told; not sounds, pictures, rankings, nor jobs."""
    package = import_module("dashscope")
    first = next(spec for spec in SPECS if spec.module == "dashscope")
    kinds = {name for name, kind in vars(package).items() if inspect.isclass(kind) and hasattr(kind, "call")}
    return against(
        {name for name in kinds if not asked(first, name)},
        {
            *("ImageSynthesis", "VideoSynthesis"),
            *("HttpSpeechSynthesizer", "SpeechSynthesizer", "Transcription"),
            *("AioTextReRank", "TextReRank", "Tokenization", "Understanding"),
            *("BatchTextEmbedding", "Deployments", "FineTunes"),
        },
    )


def _dashscope_client(name: str) -> set[str]:
    """Chats, applications and vectors are told; not its decisions, nor what it makes, ranks and sets up."""
    client = getattr(import_module("dashscope"), name)(api_key="key", base_url="http://127.0.0.1")
    told = ("apps", "chat", "embeddings", "multimodal")
    return against(
        {name for name in vars(client) if not name.startswith("_")}
        | {f"{resource}.{part}" for resource in told for part in public_of(client, resource)},
        {
            *told,
            *("apps.completions", "chat.completions", "embeddings.jobs", "multimodal.chat", "multimodal.embeddings"),
            *("decision", "deployments", "files", "fine_tunes", "images", "models", "rerank", "rl", "tingwu"),
            *("tokenization", "videos"),
        },
    )


def public_of(client: Any, resource: str) -> set[str]:
    """The resources of a resource."""
    return {name for name in vars(getattr(client, resource)) if not name.startswith("_")}


def _litellm() -> set[str]:
    """Its functions, in its files: importing it takes seconds, and asks the network for prices."""
    found = importlib.util.find_spec("litellm")
    if found is None or found.origin is None:
        raise ImportError("no litellm", name="litellm")
    root = Path(found.origin).parent
    files = [file for file in root.rglob("*.py") if "proxy" not in file.relative_to(root).parts]
    functions = re.compile(r"^@client\n(?:@.*\n)*async def (\w+)", re.MULTILINE)
    return against({name for file in files for name in functions.findall(file.read_text())}, LITELLM)


SURFACES: dict[str, Callable[[], set[str]]] = {
    **{f"{spec.name}: what it sends": partial(sent, spec) for spec in SPECS if spec.module in CALLS},
    "google-genai: models": _models,
    "google-genai: live sessions": _live_sessions,
    "google-genai: interactions": partial(_generated, "GeminiNextGenInteractions", {"cancel", "delete"}),
    "google-genai: decisions": partial(_generated, "GeminiNextGenDecisions", set()),
    "google-genai: what lies beneath": _generated_kinds,
    **{f"{package}: {place}": partial(_remaining, place) for place, (package, _) in REMAINING.items()},
    "ibm-watsonx-ai: gateway": _watsonx_gateway,
    "ai21: resources": _ai21,
    "boto3: bedrock-runtime": _bedrock,
    "dashscope: classes": _dashscope,
    **{f"dashscope: {name}": partial(_dashscope_client, name) for name in ("Client", "AsyncClient")},
    "litellm: functions": _litellm,
}
"""A way to what is undecided in each part of a package; it raises ImportError where the package is not installed."""


def not_installed(error: Exception) -> bool:
    """Whether a package is missing, and not a module that another version of it had."""
    return isinstance(error, ImportError) and "." not in (error.name or str(error))


def main() -> None:
    """Print a line for each part that has something undecided, or that can no longer be read."""
    for what, undecided in SURFACES.items():
        package, _, part = what.partition(":")
        try:
            found = undecided()
        except ImportError:
            continue
        except Exception as error:  # noqa: BLE001 a report goes on
            found = {f"cannot be read: {error!r}"}
        if found:
            print(f"undecided, {package} {version(package)}:{part}: {', '.join(sorted(found))}")


if __name__ == "__main__":
    main()
