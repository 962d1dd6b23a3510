"""Programs written for AgentOps, one for each generation, running with another import."""
