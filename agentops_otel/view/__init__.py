"""Spans as a person sees them."""
