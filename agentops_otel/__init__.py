"""See what LLM agents do: `agentops_otel.init()`."""
