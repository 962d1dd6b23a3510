"""Credentials for Vertex on loopback."""

import google.auth.credentials


class NoCredentials(google.auth.credentials.Credentials):
    """Nobody asks for more on loopback."""

    def refresh(self, request: object) -> None:
        """Always fresh."""
        self.token = "token"
