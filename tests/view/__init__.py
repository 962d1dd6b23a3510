"""The tests of `agentops_otel/view/`."""
