"""Tests of agentops_otel.wrapping."""
