"""`agentops-otel run`: starts a command whose Python processes are traced, and gathers what they report."""

from agentops_otel.launcher.command import program_name
from agentops_otel.launcher.run import Report, Run

__all__ = ["Report", "Run", "program_name"]
