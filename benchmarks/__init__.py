"""What tracing costs, each figure a ratio within one run."""
