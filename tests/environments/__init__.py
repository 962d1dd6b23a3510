"""The environments that the tests run in, made of what `locks/` pins."""
