"""What connections of both protocols share: the time that is left, and the error where another protocol is spoken."""

import time

OTHER_PROTOCOL = "another protocol is spoken there"
"""Name of an `OtherProtocolError` in the log."""


class OtherProtocolError(ConnectionError):
    """The server answers in another protocol."""


def remaining_s(deadline: float) -> float:
    """The seconds until then.

    Raises:
        TimeoutError: It has passed.
    """
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError("no answer in time")
    return seconds
