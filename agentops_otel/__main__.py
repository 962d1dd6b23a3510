"""`python -m agentops_otel` is the command line."""

from agentops_otel.cli import main

main()
