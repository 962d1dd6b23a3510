"""What the AgentOps API and its dashboard make of a span: a reader written after what they are known to read.

`show` answers only what would be seen: a missing key is an empty place on the page.
"""

import json
from collections.abc import Mapping

from opentelemetry.trace import Status, StatusCode

Tree = dict[str, object]

SUFFIXES = ("session", "agent", "operation", "task", "workflow", "tool")
TOKENS = ("prompt_tokens", "completion_tokens", "cache_read_input_tokens", "reasoning_tokens")
SPAN_TYPES = {"gen_ai": "request", "agent": "agent", "tool": "tool"}


def show(name: str, attributes: Mapping[str, object], status: Status) -> dict[str, object]:
    """The span as the pages have it."""
    tree = nested({key: stored(value) for key, value in attributes.items()})
    seen: dict[str, object] = {
        "name": name,
        "kind": _kind(name, tree),
        "type": _span_type(tree),
        "outcome": {StatusCode.OK: "success", StatusCode.ERROR: "fail"}.get(status.status_code, "indeterminate"),
        "counts as": [what for what, key in (("llm call", "gen_ai"), ("tool call", "tool")) if key in tree],
        "tags": json.loads(str(attributes_of(tree, "agentops", "tags") or "null")),
        **(_llm_panel(tree) if "gen_ai" in tree else {}),
        **_step_panel(name, tree, status),
    }
    if name.endswith(".agent") and attributes_of(tree, "agent", "id"):
        seen["agent card"] = {key: attributes_of(tree, "agent", key) for key in ("id", "role")}
    return {key: value for key, value in seen.items() if value not in (None, [], {})}


def stored(value: object) -> str:
    """A value as the storage keeps it: text, arrays as JSON."""
    if isinstance(value, tuple | list):
        return json.dumps(list(value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def nested(attributes: Mapping[str, str]) -> Tree:
    """Flat names as a tree; `a.0.b` makes a list. What collides is lost, as it is there."""
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


def attributes_of(tree: object, *keys: str) -> object:
    """The value at the keys; None where the way ends."""
    for key in keys:
        tree = tree.get(key) if isinstance(tree, dict) else None
    return tree


def _kind(name: str, tree: Tree) -> object:
    for suffix in SUFFIXES:
        if name.endswith(f".{suffix}"):
            return suffix
    if "gen_ai" in tree:
        return "llm"
    return attributes_of(tree, "agentops", "span", "kind") or "other"


def _span_type(tree: object) -> str:
    for key, value in tree.items() if isinstance(tree, dict) else ():
        found = SPAN_TYPES.get(key) or _span_type(value)
        if found != "other":
            return found
    return "other"


def _llm_panel(tree: Tree) -> dict[str, object]:
    usage = attributes_of(tree, "gen_ai", "usage") or {}
    assert isinstance(usage, dict)
    tokens = {key: int(usage.get(key) or 0) for key in TOKENS}
    return {
        "system": attributes_of(tree, "gen_ai", "system"),
        "model": attributes_of(tree, "gen_ai", "response", "model")
        or attributes_of(tree, "gen_ai", "request", "model"),
        "tokens": {**tokens, "total": int(usage.get("total_tokens") or sum(tokens.values()))},
        "cost": usage.get("total_cost"),
        "prompts": _prompts(attributes_of(tree, "gen_ai", "prompt")),
        "completions": _completions(attributes_of(tree, "gen_ai", "completion")),
    }


def _prompts(prompts: object) -> list[str]:
    if not isinstance(prompts, list):
        return [f"user: {prompts}"] if prompts else []
    return [f"{p.get('role', 'user')}: {p['content']}" for p in prompts if isinstance(p, dict) and "content" in p]


def _completions(completions: object) -> list[str]:
    said = []
    for completion in completions if isinstance(completions, list) else ():
        if isinstance(calls := completion.get("tool_calls"), list):
            if completion.get("content"):
                said.append(f"{completion.get('role', 'assistant')}: {completion['content']}")
            said += [f"calls {c.get('name')} with {json.loads(c.get('arguments') or 'null')}" for c in calls]
        else:
            # It takes the first value of the object, whatever its key.
            said.append(f"assistant: {next(iter(completion.values()))}")
    return said


def _step_panel(name: str, tree: Tree, status: Status) -> dict[str, object]:
    entity = attributes_of(tree, "agentops", "entity") or {}
    assert isinstance(entity, dict)
    if "tool" in tree:
        about = {key: attributes_of(tree, "tool", key) for key in ("name", "parameters", "result", "status")}
        error = attributes_of(tree, "error", "message") or status.description
        return {"tool": {key: value for key, value in {**about, "error": error}.items() if value}}
    if not entity:
        return {}
    given = json.loads(str(entity.get("input", "{}")))
    return {
        "step": {
            "name": attributes_of(tree, "operation", "name") or name,
            "args": given.get("args", []),
            "kwargs": given.get("kwargs", {}),
            "output": entity.get("output"),
        }
    }
