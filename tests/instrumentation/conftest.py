"""The fixtures of the clients' tests."""

from tests.clients.conftest import _one_authority, captured, server

__all__ = ["_one_authority", "captured", "server"]
