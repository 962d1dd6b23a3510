"""Sockets to a destination: TCP, a proxy's tunnel, TLS."""

import base64
import encodings.idna  # noqa: F401  # the codec of every host name: our threads import nothing, see tests/export/test_gevent.py
import socket
import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, unquote, urlsplit

import certifi

from agentops_otel.config import Destination
from agentops_otel.export.connection import remaining_s
from agentops_otel.export.fork_guard import looking_up, no_fork

if TYPE_CHECKING:
    from agentops_otel.export.http1 import Connection

_PORTS = {"http": 80, "https": 443}
_READ_BYTES = 64 * 1024


class Unreachable(OSError):
    """No connection could be made. The message is the reason in a few words, for the log."""


def connect(destination: Destination, url: SplitResult, deadline: float, *, protocol: str) -> socket.socket:
    """Connect to the URL's host, through the destination's proxy if it has one.

    For an `http` URL and HTTP/1.1 the socket is connected to the proxy, which forwards the request.

    Args:
        destination: Whose proxy and TLS settings are used.
        url: The endpoint.
        deadline: When to give up, by `time.monotonic`.
        protocol: The protocol on the socket: "http/1.1" or "h2".

    Raises:
        Unreachable: No connection could be made.
        OSError: TLS failed, or the deadline passed.
    """
    with no_fork:
        context = tls(destination) if url.scheme == "https" else None
    if destination.proxy is None:
        connected = _tcp(url, deadline)
    else:
        connected = _by_proxy(destination, destination.proxy, url, deadline, context is not None or protocol == "h2")
    if context is None:
        return connected
    context.set_alpn_protocols([protocol])
    return _tls(connected, context, url.hostname or "", deadline)


def http1_connection() -> "type[Connection]":
    """`http1.Connection`, imported on use: h11 takes 7 ms, and a program may never send."""
    with no_fork:
        from agentops_otel.export.http1 import Connection
    return Connection


def tls(destination: Destination) -> ssl.SSLContext:
    """The TLS context: trusted authorities (the destination's or the system's) and our client certificate."""
    context = ssl.create_default_context(cafile=str(destination.certificate or certifi.where()))
    if destination.client_certificate:
        context.load_cert_chain(destination.client_certificate, destination.client_key)
    return context


def proxy_authorization(proxy: str) -> dict[str, str]:
    """`Proxy-Authorization` with the user and password of the proxy's URL; empty if it has none."""
    url = urlsplit(proxy)
    if not url.username:
        return {}
    user = f"{unquote(url.username)}:{unquote(url.password or '')}"
    return {"proxy-authorization": f"Basic {base64.b64encode(user.encode()).decode()}"}


def authority(url: SplitResult) -> str:
    """The host, with the port unless it is the scheme's default; without user and password."""
    return _host(url) if url.port in (None, _PORTS[url.scheme]) else f"{_host(url)}:{url.port}"


def _host(url: SplitResult) -> str:
    host = url.hostname or ""
    try:
        return f"[{host}]" if ":" in host else host.encode("idna").decode()
    except UnicodeError:
        raise Unreachable("unknown host") from None


def _tcp(url: SplitResult, deadline: float) -> socket.socket:
    try:
        connected = _first_that_connects(_addresses(url), deadline)
    except (socket.gaierror, UnicodeError):
        raise Unreachable("unknown host") from None
    except TimeoutError:
        raise Unreachable("no connection in time") from None
    except OSError as error:
        raise Unreachable("no connection") from error
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connected


def _addresses(url: SplitResult) -> list[tuple[Any, ...]]:
    with looking_up:
        return socket.getaddrinfo(url.hostname or "", url.port or _PORTS[url.scheme], type=socket.SOCK_STREAM)


def _first_that_connects(addresses: list[tuple[Any, ...]], deadline: float) -> socket.socket:
    """As `socket.create_connection`, which looks up the name too. Each address has a share of the time that is left."""
    for left, (family, kind, protocol, _, address) in zip(range(len(addresses), 0, -1), addresses, strict=True):
        connecting = socket.socket(family, kind, protocol)
        try:
            connecting.settimeout(remaining_s(deadline) / left)
            connecting.connect(address)
        except OSError:
            connecting.close()
            if left == 1:
                raise
        else:
            return connecting
    raise OSError("the host has no address")


def _tls(plain: socket.socket, context: ssl.SSLContext, host: str, deadline: float) -> socket.socket:
    try:
        plain.settimeout(remaining_s(deadline))
        if isinstance(plain, ssl.SSLSocket):
            return _Inner(plain, context, host)  # type: ignore[return-value]  # as much of one as is used here
        return context.wrap_socket(plain, server_hostname=host)
    except OSError:
        plain.close()
        raise


def _by_proxy(destination: Destination, proxy: str, url: SplitResult, deadline: float, tunnel: bool) -> socket.socket:
    try:
        connected = _to_proxy(destination, urlsplit(proxy), deadline)
        if tunnel:
            _begin_tunnel(connected, proxy, url, deadline)
    except OSError as error:
        raise Unreachable("the proxy failed") from error
    return connected


def _to_proxy(destination: Destination, proxy: SplitResult, deadline: float) -> socket.socket:
    connected = _tcp(proxy, deadline)
    if proxy.scheme != "https":
        return connected
    context = ssl.create_default_context()
    if destination.certificate:
        context.load_verify_locations(str(destination.certificate))
    return _tls(connected, context, proxy.hostname or "", deadline)


def _begin_tunnel(connected: socket.socket, proxy: str, url: SplitResult, deadline: float) -> None:
    to = f"{_host(url)}:{url.port or _PORTS[url.scheme]}"
    headers = {"host": to, **proxy_authorization(proxy)}
    try:
        answer = http1_connection()(connected, read_bytes=1).request("CONNECT", to, headers, b"", deadline)
        if not 200 <= answer.status < 300:
            raise ConnectionError(f"it answered {answer.status}")
    except OSError:
        connected.close()
        raise


class _Inner:
    """TLS inside the TLS connection to a proxy, which `SSLContext.wrap_socket` cannot make. Used like a socket."""

    def __init__(self, outer: ssl.SSLSocket, context: ssl.SSLContext, host: str) -> None:
        self._outer = outer
        self._received, self._to_send = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._received, self._to_send, server_hostname=host)
        self._do(self._tls.do_handshake)

    def settimeout(self, timeout_s: float) -> None:
        self._outer.settimeout(timeout_s)

    def recv(self, size: int) -> bytes:
        try:
            return bytes(self._do(self._tls.read, size))
        except ssl.SSLZeroReturnError:
            return b""

    def sendall(self, data: bytes) -> None:
        self._do(self._tls.write, data)

    def close(self) -> None:
        self._outer.close()

    def _do(self, act: Any, *args: Any) -> Any:
        while True:
            try:
                result = act(*args)
            except ssl.SSLWantReadError:
                self._outer.sendall(self._to_send.read())
                if data := self._outer.recv(_READ_BYTES):
                    self._received.write(data)
                else:
                    self._received.write_eof()
            else:
                self._outer.sendall(self._to_send.read())
                return result
