"""TaskWeaver, the real one, traced."""
