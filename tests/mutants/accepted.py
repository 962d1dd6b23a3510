"""Faults that no test has to notice, each with its reason: the program does the same, or it costs time or memory alone.

Each stands as `make mutants` shows it, without its line. A draw counts them apart.
"""

import re

ACCEPTED = {
    'agentops_otel/view/live/store.py statement: self._database.execute("PRAGMA journal_mode = WAL") -> pass': (
        "speed alone: a reader then waits for a writer"
    ),
}


def without_line(place: str) -> str:
    """The place as it is while lines are added above it."""
    return re.sub(r"^([^:]+):\d+", r"\1", place)
