"""Request and response formats that several clients share: tables and folds, no client."""
