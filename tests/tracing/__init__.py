"""The tracer behind every span."""
