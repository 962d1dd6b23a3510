"""`make mutants`: small faults planted at random, one at a time, and whether a test notices."""
