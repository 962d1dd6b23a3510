"""Wraps code of other libraries: patches, functions, streams, the import hook. Knows nothing of LLMs."""
