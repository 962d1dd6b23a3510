"""An HTTP/2 server that gives any answer, also ones that no gRPC library would give."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded

from agentops_otel.config import Destination
from agentops_otel.export.grpc import GrpcTransport
from agentops_otel.export.sender import Answer

Say = Callable[[H2Connection, int], None]
OK = ((":status", "200"), ("grpc-status", "0"))


def headers(*fields: tuple[str, str]) -> Say:
    """Answer with these and nothing else."""
    return lambda http2, stream: http2.send_headers(stream, list(fields), end_stream=True)


@contextmanager
def server(
    *say: Say, connections: int = 1, asked: list[dict[str, str]] | None = None, **settings: Any
) -> Iterator[Destination]:
    """Says these to its requests, one after the other, on so many connections.

    The headers of each go to *asked*; the destination has the settings.
    """
    script = iter(say)

    def serve(connection: socket.socket) -> None:
        http2 = H2Connection(H2Configuration(client_side=False))
        http2.initiate_connection()
        connection.sendall(http2.data_to_send())
        while data := connection.recv(65536):
            for event in http2.receive_data(data):
                if isinstance(event, RequestReceived) and asked is not None:
                    asked.append({name.decode(): value.decode() for name, value in event.headers})
                if isinstance(event, DataReceived):
                    http2.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id)
                if isinstance(event, StreamEnded):
                    next(script)(http2, event.stream_id)
            connection.sendall(http2.data_to_send())

    def accept() -> None:
        for _ in range(connections):
            with listener.accept()[0] as connection, suppress(ConnectionError):
                serve(connection)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        endpoint = f"http://me:secret@127.0.0.1:{listener.getsockname()[1]}"
        yield Destination(endpoint=endpoint, protocol="grpc", timeout_s=60, **settings)
        thread.join()


def ask(transport: GrpcTransport) -> Answer:
    """The answer to a request of a few frames."""
    return transport.send(b"x" * 100_000, {"Authorization": "Bearer"}, 60)
