"""The machine under other people's LLM clients."""
