"""What Gemini says to the older package: by REST, and by gRPC from a server of its own."""

import json
from collections.abc import Callable, Iterator
from concurrent import futures
from typing import Any, Self

import grpc
from google.ai import generativelanguage

from tests.loopback.google_genai_server import chunks
from tests.loopback.llm_server import Answer

WAIT_S = 20.0
SERVICE = "google.ai.generativelanguage.v1beta.GenerativeService"


def answer(whole: dict[str, Any], *, stream: bool) -> Answer:
    """The answer as the server says it by REST: a stream is one JSON list, element by element."""
    if not stream:
        return Answer.json(whole)
    said = [json.dumps(chunk).encode() for chunk in chunks(whole)]
    return Answer(chunks=[b"[" + said[0], *(b",\r\n" + chunk for chunk in said[1:]), b"]"])


class GrpcServer:
    """Gemini's service by gRPC; a `with` block starts and stops it."""

    def __init__(self, whole: dict[str, Any], vectors: list[list[float]]) -> None:
        self.requests: list[Any] = []
        self._whole = whole
        self._vectors = [{"values": vector} for vector in vectors]
        self._threads = futures.ThreadPoolExecutor(max_workers=4)
        self._server = grpc.server(self._threads)
        self._server.add_generic_rpc_handlers((self._handlers(),))
        self.port = self._server.add_insecure_port("127.0.0.1:0")

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.stop(None).wait(WAIT_S)
        self._threads.shutdown()

    def _handlers(self) -> Any:
        asked = generativelanguage.GenerateContentRequest
        said = generativelanguage.GenerateContentResponse
        return grpc.method_handlers_generic_handler(
            SERVICE,
            {
                "GenerateContent": _unary(asked, said, lambda request: self._seen(request, self._whole)),
                "StreamGenerateContent": grpc.unary_stream_rpc_method_handler(
                    lambda request, context: self._stream(request, context),
                    request_deserializer=asked.deserialize,
                    response_serializer=said.serialize,
                ),
                "EmbedContent": _unary(
                    generativelanguage.EmbedContentRequest,
                    generativelanguage.EmbedContentResponse,
                    lambda request: self._seen(request, {"embedding": self._vectors[0]}),
                ),
                "BatchEmbedContents": _unary(
                    generativelanguage.BatchEmbedContentsRequest,
                    generativelanguage.BatchEmbedContentsResponse,
                    lambda request: self._seen(request, {"embeddings": self._vectors}),
                ),
            },
        )

    def _seen(self, request: Any, said: dict[str, Any]) -> dict[str, Any]:
        self.requests.append(request)
        return said

    def _stream(self, request: Any, context: Any) -> Iterator[Any]:
        self.requests.append(request)
        if (refusal := self._whole.get("refusal")) is not None:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, refusal)
        kind = generativelanguage.GenerateContentResponse
        for chunk in chunks(self._whole):
            yield kind.from_json(json.dumps(chunk), ignore_unknown_fields=True)
        if (why := self._whole.get("cut")) is not None:
            context.abort(grpc.StatusCode.UNAVAILABLE, why)


def _unary(asked: Any, said: Any, reply: Callable[[Any], dict[str, Any]]) -> Any:
    def handle(request: Any, context: Any) -> Any:
        if (refusal := (found := reply(request)).get("refusal")) is not None:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, refusal)
        return said.from_json(json.dumps(found), ignore_unknown_fields=True)

    return grpc.unary_unary_rpc_method_handler(
        handle, request_deserializer=asked.deserialize, response_serializer=said.serialize
    )
