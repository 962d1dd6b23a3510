"""The filter of runs, as SQL conditions. A condition that is None or empty excludes no run."""

from collections.abc import Mapping
from dataclasses import dataclass

SORTS = (
    "start",
    "duration",
    "name",
    "service",
    "llm_calls",
    "tools",
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "cost",
    "errors",
)
_FOUND = "SELECT trace FROM costs WHERE number IN (SELECT rowid FROM words WHERE words"
_LISTS = (("models", "model"), ("tool_names", "tool"), ("agents", "agent"), ("tags", "tag"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Conditions that a run must meet."""

    trace: str = ""
    """Its id."""
    text: str = ""
    """Words that must all occur in the run's names and content."""
    model: str = ""
    tool: str = ""
    agent: str = ""
    tag: str = ""
    service: str = ""
    since_s: float | None = None
    """Only runs that began then or later, in seconds since the epoch."""
    until_s: float | None = None
    """Only runs that began before, in seconds since the epoch."""
    failed: bool = False
    slower_s: float | None = None
    dearer_usd: float | None = None
    sort: str = "start"
    """One of `SORTS`."""
    ascending: bool = False

    def conditions(self) -> tuple[str, Mapping[str, object]]:
        """The WHERE clause over the table `runs`, or nothing, and its values."""
        conditions: dict[str, tuple[str, object]] = {
            "run": ("runs.trace = :run", self.trace),
            "service": ("service = :service", self.service),
            "failed": ("errors > 0 AND :failed", self.failed),
            "since": ("start >= :since * 1e9", self.since_s),
            "until": ("start < :until * 1e9", self.until_s),
            "slower": ("duration >= :slower * 1e9", self.slower_s),
            "dearer": ("cost >= :dearer", self.dearer_usd),
        }
        for number, word in enumerate(_words(self.text)):
            conditions[f"word{number}"] = (f"runs.trace IN ({_FOUND} MATCH :word{number}))", word)
        for column, name in _LISTS:
            condition = f"EXISTS (SELECT 1 FROM json_each(runs.{column}) WHERE value = :{column})"
            conditions[column] = (condition, getattr(self, name))
        used = {name: pair for name, pair in conditions.items() if pair[1] not in (None, "", False)}
        clause = " AND ".join(condition for condition, _ in used.values())
        return f"WHERE {clause}" if clause else "", {name: value for name, (_, value) in used.items()}

    def order(self) -> str:
        """The ORDER BY clause."""
        column = self.sort if self.sort in SORTS else "start"
        return f"ORDER BY {column} {'ASC' if self.ascending else 'DESC'}, start DESC"


def _words(text: str) -> list[str]:
    """A query for each word: those of a text may be in different spans."""
    words = text.replace("\0", " ").split()
    # Signs alone are nothing that a search finds, and nothing to look for beside a word.
    words = [word for word in words if any(map(str.isalnum, word))] or words[:1]
    # In quotes, so that none is taken for an operator of the search.
    return ['"' + word.replace('"', '""') + '"*' for word in words]
