"""What may be said of a value."""
