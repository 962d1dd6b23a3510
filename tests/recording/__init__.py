"""Spans from the user's own code."""
