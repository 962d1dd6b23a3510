"""One declarative file a client; SPECS lists them."""
