"""The fixtures of the clients' tests."""

from tests.clients.conftest import captured, server

__all__ = ["captured", "server"]
