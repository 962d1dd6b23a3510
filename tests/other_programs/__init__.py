"""Programs that others have written, with us and without: `make programs`."""
