"""The conventions' metrics: of LLM calls as they are made, of agents, tools and cost as their spans end."""
