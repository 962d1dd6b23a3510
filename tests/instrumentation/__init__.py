"""Tests of agentops_otel.instrumentation."""
