"""What an answer means: accepted, retry, split, bisect, renew the token, give up."""

from collections.abc import Mapping
from typing import Protocol


class Authorization(Protocol):
    """Who may send to a destination. Asked on the sender's thread alone: it may use the network, within bounds."""

    def headers(self) -> Mapping[str, str] | None:
        """The headers that authorise a request now; None: not available yet, and the spans wait."""

    def renew(self) -> bool:
        """Get new headers, after a 401 or 403. True if there are new ones: the request is tried again."""
