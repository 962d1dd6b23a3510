"""Authorization at AgentOps: exchanges the API key for a token and renews it before it expires."""

import base64
import logging
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Protocol
from urllib.parse import urlsplit

from agentops_otel.config import AgentOps, Destination
from agentops_otel.export.agentops_api import TOKEN_PATH, ask, json_object

_logger = logging.getLogger("agentops_otel")

TIMEOUT_S = 5.0
_REFUSED = (400, 401, 403)
_PAUSE_S = 1.0
_EARLY_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    """A token, and when to renew it, by the clock of `TokenAuthorization`."""

    text: str = field(repr=False)
    renew_at: float = math.inf
    expires_at: float = math.inf


class KeyFallback(Protocol):
    """Takes the spans of an account if its key is refused. One of the methods is called, once, when that is known."""

    name: str

    def activate(self) -> None:
        """The key was refused."""

    def discard(self) -> None:
        """The key was accepted."""


class TokenAuthorization:
    """The `Authorization` of an AgentOps destination: exchanges the API key for a token and keeps it fresh.

    The key is exchanged on the sending thread, before the first request, and at most once a second after a failure. A
    key that the service refuses is not sent again.

    Args:
        account: The key, and the API that exchanges it.
        destination: Whose TLS settings are used.
        timeout_s: How long a request may take.
        fallback: Takes the spans if the key is refused.
        clock: Seconds that only go forward; counted in tests.
    """

    def __init__(
        self,
        account: AgentOps,
        destination: Destination,
        *,
        timeout_s: float = TIMEOUT_S,
        fallback: KeyFallback | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.refused = False
        """True once the service has refused the key: nothing can be sent."""
        self._account = account
        self._destination = destination
        self._timeout_s = timeout_s
        self._fallback = fallback
        self._clock = clock
        self._token: _Token | None = None
        self._down = False
        self._ask_at = -math.inf

    def headers(self) -> Mapping[str, str] | None:
        """The header with the token; None if there is no token now: the spans wait."""
        if self._token is None or self._clock() >= self._token.renew_at:
            self._ask()
        if self._token is None or self._clock() >= self._token.expires_at:
            return None
        return {"authorization": f"Bearer {self._token.text}"}

    def renew(self) -> bool:
        """Called after a 401 or 403: drop the token and ask for another; True if there is one."""
        self._token = None
        self._ask()
        return self._token is not None

    def _ask(self) -> None:
        if self.refused or self._clock() < self._ask_at:
            return
        key = {"api_key": self._account.api_key}
        reply = ask(self._account, self._destination, "POST", TOKEN_PATH, timeout_s=self._timeout_s, json=key)
        if reply.status in _REFUSED and "error" in reply.body:  # the service's own word, not that of a proxy before it
            self._refuse(reply.status)
        elif reply.status == 200 and (text := _token_text(reply.body)):
            self._token = _token(text, now=self._clock(), server_now=_time_of(reply.date))
            self._down = False
            if fallback := self._take_fallback():
                fallback.discard()
        else:
            self._fail(f"answered {reply.status}" if reply.status else "cannot be reached")

    def _refuse(self, status: int) -> None:
        self.refused = True
        self._token = None
        _logger.warning(
            "AgentOps refused the API key (%s answered %s): nothing is sent there, %s. "
            "Set AGENTOPS_API_KEY, or init(api_key=...), to a key from %s/settings/projects",
            self._host,
            status,
            f"spans go to {self._fallback.name}" if self._fallback else "tracing goes on without it",
            self._account.app_url.rstrip("/"),
        )
        if fallback := self._take_fallback():
            fallback.activate()

    def _take_fallback(self) -> KeyFallback | None:
        """The fallback at the first call, None afterwards: it is called once."""
        fallback, self._fallback = self._fallback, None
        return fallback

    def _fail(self, why: str) -> None:
        """Wait before the next exchange. The first failure after a success is logged."""
        self._ask_at = self._clock() + _PAUSE_S
        if not self._down:
            self._down = True
            _logger.warning("AgentOps gives no token: %s %s. It is asked again, and the spans wait", self._host, why)

    @property
    def _host(self) -> str | None:
        return urlsplit(self._account.api_endpoint).hostname


def _token(text: str, *, now: float, server_now: float) -> _Token:
    """The token with its times; renewed a minute before it expires, or after three quarters of a short life.

    The lifetime is measured by the server's clock. Its times are whole seconds, hence the one second. A token without a
    valid expiry time is used until it is refused.
    """
    life_s = (_expiry(text) or 0) - server_now
    if life_s <= 0:
        return _Token(text=text)
    return _Token(text=text, renew_at=now + life_s - min(_EARLY_S, life_s / 4) - 1, expires_at=now + life_s)


def _token_text(body: Mapping[str, object]) -> str | None:
    """The token in the answer; None if there is none that fits into a header."""
    match body:
        case {"token": str(text)} if text and text.isascii() and text.isprintable() and " " not in text:
            return text
    return None


def _expiry(text: str) -> float | None:
    """`exp` of a JSON web token, in seconds since the epoch. The token is not verified: its receiver does that."""
    _, _, rest = text.partition(".")
    payload = rest.partition(".")[0]
    try:
        claims = json_object(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except ValueError:
        return None
    expiry = claims.get("exp")
    return expiry if isinstance(expiry, int | float) else None


def _time_of(date: str | None) -> float:
    """An HTTP date in seconds since the epoch; our own time if there is none."""
    try:
        return parsedate_to_datetime(date or "").timestamp()
    except ValueError:
        return time.time()
