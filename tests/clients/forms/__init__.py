"""The clients that hold the same contract: how each is asked, in each form it has."""
