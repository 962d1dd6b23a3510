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
    failed: bool = False
    slower_s: float | None = None
    dearer_usd: float | None = None
    sort: str = "start"
    """One of `SORTS`."""
    ascending: bool = False

    def conditions(self) -> tuple[str, Mapping[str, object]]:
        """The WHERE clause over the table `runs`, or nothing, and its values."""
        found: dict[str, tuple[str, object]] = {
            "run": ("runs.trace = :run", self.trace),
            "service": ("service = :service", self.service),
            "failed": ("errors > 0 AND :failed", self.failed),
            "slower": ("duration >= :slower * 1e9", self.slower_s),
            "dearer": ("cost >= :dearer", self.dearer_usd),
            "text": ("runs.trace IN (SELECT trace FROM words WHERE words MATCH :text)", _query(self.text)),
        }
        for column, name in _LISTS:
            condition = f"EXISTS (SELECT 1 FROM json_each(runs.{column}) WHERE value = :{column})"
            found[column] = (condition, getattr(self, name))
        used = {name: pair for name, pair in found.items() if pair[1] not in (None, "", False)}
        clause = " AND ".join(condition for condition, _ in used.values())
        return f"WHERE {clause}" if clause else "", {name: value for name, (_, value) in used.items()}

    def order(self) -> str:
        """The ORDER BY clause."""
        column = self.sort if self.sort in SORTS else "start"
        return f"ORDER BY {column} {'ASC' if self.ascending else 'DESC'}, start DESC"


def _query(text: str) -> str:
    # Each word in quotes, so that none is taken for an operator of the search.
    return " ".join('"' + word.replace('"', '""') + '"*' for word in text.replace("\0", " ").split())
