"""A client that agentops_otel does not know, described in a few lines: its calls become spans like all others."""

import agentops_otel
from agentops_otel import semconv
from agentops_otel.instrumentation import ClientSpec, Operation, add_text, install


class Parrot:
    """Somebody else's client."""

    def ask(self, question: str, model: str = "parrot-1", stream: bool = False) -> object:
        """An answer, whole or word by word."""
        words = ["You", "said:", question]
        return iter(words) if stream else {"model": model, "text": " ".join(words), "tokens": len(words)}


ASK = Operation(
    name="chat",
    methods=("Parrot.ask",),
    request={semconv.GEN_AI_REQUEST_MODEL: "model"},
    request_content={semconv.GEN_AI_INPUT_MESSAGES: "question"},
    response={semconv.GEN_AI_RESPONSE_MODEL: "model", semconv.GEN_AI_USAGE_OUTPUT_TOKENS: "tokens"},
    response_content={semconv.GEN_AI_OUTPUT_MESSAGES: "text"},
    fold=lambda response, chunk: add_text(response, "text", f"{chunk} "),
    has_finish_reasons=False,
)
SPEC = ClientSpec(name="parrot", module=__name__, operations=(ASK,), provider="parrot")

if __name__ == "__main__":
    client = agentops_otel.init()
    installation = install([SPEC], lambda: client.recorder)
    print(Parrot().ask("Hello!"))
    print(*Parrot().ask("Hello again!", model="parrot-2", stream=True))
    installation.uninstall()
