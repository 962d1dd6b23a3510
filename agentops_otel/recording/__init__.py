"""Spans from the user's own code: decorated functions, recorded events, sessions."""
