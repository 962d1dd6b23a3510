"""The test suites that clients ship in their source packages, run with and without us."""
