"""The tests of agentops_otel: each folder mirrors a room of the package."""
