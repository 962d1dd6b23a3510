"""`make soak`: load and faults together, and an account of every span that ended."""
