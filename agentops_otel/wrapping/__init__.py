"""How other people's code is wrapped: patches, functions, streams, the import hook. Knows nothing of LLMs."""
