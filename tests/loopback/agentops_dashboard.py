"""What the AgentOps API and its dashboard make of a span: their rules, written again in Python.

Each rule names the file it is from, in https://github.com/AgentOps-AI/agentops at a855a92d. `API` `app/api/agentops`,
`PAGES` `app/dashboard/app/(with-layout)/traces/_components`, `CHARTS` `app/dashboard/components/charts/bar-chart`.

`show` answers only what would be seen: a missing key is an empty place on the page.
"""

import json
import re
from collections.abc import Mapping

from opentelemetry.trace import Status, StatusCode

Tree = dict[str, object]

BAR_SUFFIXES = ("session", "agent", "operation", "task", "workflow", "tool")
"""`CHARTS/span-processing.ts`, determineSpanType: the ends of names that decide a bar's type."""
HEADINGS = {
    **{word: word.capitalize() for word in (*BAR_SUFFIXES, "error", "other")},
    "llm": "LLM",
    "tool_usage": "Tool",
}
"""`PAGES/trace-meta-data.tsx`, renderHeader: the ends of names that it has a heading for."""
TOKENS = ("prompt_tokens", "completion_tokens", "cache_read_input_tokens", "reasoning_tokens")
SPAN_TYPES = {"gen_ai": "request", "agent": "agent", "tool": "tool"}
"""`API/api/routes/v4/traces/responses.py`, format_span_type: the keys that decide a span's type."""


def show(name: str, attributes: Mapping[str, object], status: Status) -> dict[str, object]:
    """The span as the pages have it."""
    tree = nested({key: stored(value) for key, value in attributes.items()})
    seen: dict[str, object] = {
        "name": name,
        "header": header(name),
        "bar": bar(name, tree, status),
        "type": span_type(tree),
        "outcome": outcome(status),
        "counts as": [what for what, key in (("llm call", "gen_ai"), ("tool call", "tool")) if key in tree],
        "tags": json.loads(str(value_at(tree, "agentops", "tags") or "null")),
        **(_llm_panel(tree) if "gen_ai" in tree else {}),
        **_step_panel(name, tree, status),
    }
    if name.endswith(".agent") and value_at(tree, "agent", "id"):
        seen["agent card"] = {key: value_at(tree, "agent", key) for key in ("id", "role")}
    return {key: value for key, value in seen.items() if value not in (None, "", [], {})}


def stored(value: object) -> str:
    """A value as the storage keeps it: text, arrays as JSON (the collector's ClickHouse exporter)."""
    if isinstance(value, tuple | list):
        return json.dumps(list(value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def nested(attributes: Mapping[str, str]) -> Tree:
    """Flat names as a tree; `a.0.b` makes a list, and what collides is lost.

    `API/common/otel.py`, otel_attributes_to_nested.
    """
    root: Tree = {}
    for path, value in attributes.items():
        keys = path.split(".")
        place: object = root
        for key, following in zip(keys, [*keys[1:], None], strict=True):
            fresh: object = value if following is None else [] if following == "0" else {}
            match place:
                case dict() if not (key.isdigit() and int(key) < 10):
                    if following is None:
                        place[key] = fresh
                    place = place.setdefault(key, fresh)
                case list() if key.isdigit():
                    while len(place) <= int(key):
                        place.append(fresh if len(place) == int(key) else {})
                    place = place[int(key)]
                case _:
                    break
    return root


def value_at(tree: object, *keys: str) -> object:
    """The value at the keys; None where the way ends."""
    for key in keys:
        tree = tree.get(key) if isinstance(tree, dict) else None
    return tree


def outcome(status: Status) -> str:
    """`API/api/models/span_metrics.py`: success, fail and indeterminate of SpanMetricsMixin."""
    return {StatusCode.OK: "success", StatusCode.ERROR: "fail"}.get(status.status_code, "indeterminate")


def header(name: str) -> str:
    """The heading over a selected span: its name is split at the last dot, and the end says what it is.

    `app/dashboard/app/lib/span-utils.ts`, parseSpanName; `PAGES/trace-meta-data.tsx`, renderHeader.
    """
    base, dot, suffix = name.rpartition(".")
    shown = base if dot and base else name.removeprefix(".")
    heading = HEADINGS.get(suffix.lower()) if dot else None
    return f"{heading}: {shown}" if heading else shown


def bar(name: str, tree: Tree, status: Status) -> str:
    """A span's bar in the waterfall, as `type: label`; a label ends at its last dot.

    `CHARTS/span-processing.ts`: determineSpanType, processPreviewText.
    """
    kind, label = _bar(name, tree)
    if status.status_code is StatusCode.ERROR:
        kind, label = "error", status.description or "Error"
    return f"{kind}: {label.rpartition('.')[0] if '.' in label else label}"


def _bar(name: str, tree: Tree) -> tuple[str, str]:
    suffix = name.rpartition(".")[2] if "." in name else ""
    entity = value_at(tree, "agentops", "entity", "input")
    if suffix in BAR_SUFFIXES:
        labels = {
            "agent": (value_at(tree, "agent", "input"), entity, value_at(tree, "agent", "name")),
            "task": (value_at(tree, "task", "input"), value_at(tree, "task", "description")),
            "tool": (value_at(tree, "tool", "input"), entity, value_at(tree, "tool", "name")),
        }.get(suffix, ())
        return suffix, next((str(label) for label in labels if label), name)
    if "gen_ai" in tree:
        return "llm", _llm_label(tree) or name
    kind = value_at(tree, "agentops", "span", "kind")
    found = span_type(tree)
    return (str(kind) if kind in ("workflow", "tool") else found), name


def _llm_label(tree: Tree) -> str | None:
    """The first answer's content, else the first prompt's: processLlmSpanContent of the same file."""
    for key in ("completion", "prompt"):
        said = value_at(tree, "gen_ai", key)
        first = said[0] if isinstance(said, list) and said else said
        text = first if isinstance(first, str) else value_at(first, "content")
        if text:
            return str(text)
    return None


def span_type(tree: object) -> str:
    """The type that the API gives a span: the first key that it knows, in the order in which the keys came.

    `API/api/routes/v4/traces/responses.py`, format_span_type.
    """
    items = tree.items() if isinstance(tree, dict) else ((None, item) for item in tree) if type(tree) is list else ()
    for key, value in items:
        found = SPAN_TYPES.get(str(key)) or span_type(value)
        if found != "other":
            return found
    return "other"


def _llm_panel(tree: Tree) -> dict[str, object]:
    """`API/api/models/span_metrics.py` for the tokens; `PAGES/trace-meta-data.tsx` for the model."""
    usage = value_at(tree, "gen_ai", "usage") or {}
    assert isinstance(usage, dict)
    tokens = {key: int(usage.get(key) or 0) for key in TOKENS}
    return {
        "system": value_at(tree, "gen_ai", "system"),
        "model": value_at(tree, "gen_ai", "response", "model") or value_at(tree, "gen_ai", "request", "model"),
        "tokens": {**tokens, "total": int(usage.get("total_tokens") or sum(tokens.values()))},
        "cost": usage.get("total_cost"),
        "prompts": _prompts(value_at(tree, "gen_ai", "prompt")),
        "completions": _completions(value_at(tree, "gen_ai", "completion")),
    }


def _prompts(prompts: object) -> list[str]:
    """`PAGES/span-pretty.tsx`, useProcessedPrompts."""
    if not isinstance(prompts, list):
        return [f"user: {prompts}"] if prompts else []
    return [f"{p.get('role', 'user')}: {p['content']}" for p in prompts if isinstance(p, dict) and "content" in p]


def _completions(completions: object) -> list[str]:
    """`PAGES/span-pretty.tsx`, useProcessedCompletions: of what calls no tool, the first value whatever its key."""
    said = []
    for completion in completions if isinstance(completions, list) else ():
        if isinstance(calls := completion.get("tool_calls"), list):
            if completion.get("content"):
                said.append(f"{completion.get('role', 'assistant')}: {completion['content']}")
            said += [f"calls {c.get('name')} with {json.loads(c.get('arguments') or 'null')}" for c in calls]
        else:
            said.append(f"assistant: {next(iter(completion.values()))}")
    return said


def _step_panel(name: str, tree: Tree, status: Status) -> dict[str, object]:
    """`PAGES/event-visualizers/tool-span.tsx`, extractUnifiedToolData."""
    entity = value_at(tree, "agentops", "entity") or {}
    assert isinstance(entity, dict)
    if "tool" in tree:
        about = {key: value_at(tree, "tool", key) for key in ("name", "parameters", "result", "status")}
        error = value_at(tree, "error", "message") or status.description
        return {"tool": {key: value for key, value in {**about, "error": error}.items() if value}}
    if not entity:
        return {}
    given = json.loads(str(entity.get("input", "{}")))
    return {
        "step": {
            "name": value_at(tree, "operation", "name") or name,
            "args": given.get("args", []),
            "kwargs": given.get("kwargs", {}),
            "output": entity.get("output"),
        }
    }


def log_entries(content: str) -> list[tuple[str, str]]:
    """The Logs tab: level and text of each entry. `PAGES/trace-logs-viewer.tsx`: prepareLogContent, parseLogContent."""
    content = content.strip()
    if content.startswith('"') and content.endswith('"'):
        content = json.loads(content)
    else:
        content = content[content.find('"') + 1 :] if content.find('"') > 0 else content
        last = content.rfind('"')
        content = content[:last] if 0 < last < len(content) - 1 else content
        for escaped, text in (("\\r\\n", "\n"), ("\\n", "\n"), ('\\"', '"'), ("\\\\", "\\")):
            content = content.replace(escaped, text)
    entries: list[tuple[str, str]] = []
    for line in content.split("\n"):
        if found := re.match(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2},\d{3} - ([A-Z]+) - (.*)$", line):
            entries.append((found[1], found[2]))
        elif entries:
            entries[-1] = (entries[-1][0], f"{entries[-1][1]}\n{line}")
    return entries
