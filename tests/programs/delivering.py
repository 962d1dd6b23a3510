"""Delivers what earlier processes left on disk."""

from tests.programs.leaving import start

if __name__ == "__main__":
    start().pipeline.recover(20)
