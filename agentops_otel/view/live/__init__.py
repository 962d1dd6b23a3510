"""What `agentops-otel view` consists of: a store of spans, a receiver of OTLP, and a server of the page."""
