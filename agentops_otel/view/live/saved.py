"""Runs as one HTML file: the page with its scripts, style and data in it. It opens from disk, without a network."""

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from html import escape
from importlib.resources import files
from itertools import chain
from string import Template
from typing import Any

import orjson

from agentops_otel.view.live.facts import LISTS
from agentops_otel.view.live.store import Store, day
from agentops_otel.view.live.wanted import Filter

LIMIT_BYTES = 64 * 1024 * 1024
"""The most that the spans of one file may take: more makes a browser slow."""
_IMPORT = re.compile(r'^import (?:\* as (\w+)|(\{[^}]*\})) from "\./([\w.]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?function\*?|const) (\w+)", re.MULTILINE)
_DATA = "<the data>"
_PAGE = Template("""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src '$script_hash'; \
style-src '$style_hash'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>$title</title>
<style>$style</style>
</head>
<body>$body<script type="application/json" id="saved">$data</script>
<script type="module">$script</script>
</body>
</html>
""")


def page(store: Store, *, title: str, trace: str | None = None) -> bytes:
    """The file, as `parts` has it, in one."""
    return b"".join(parts(store, title=title, trace=trace))


def parts(store: Store, *, title: str, trace: str | None = None) -> Iterator[bytes]:
    """The file, span by span: a run may be larger than the memory.

    Args:
        store: What it shows: all of it, newest first.
        title: Of the page.
        trace: The only run that is wanted.

    Raises:
        KeyError: There is no such run.
    """
    wanted = Filter(trace=trace or "")
    runs = store.runs(wanted, limit=None)
    if trace is not None and not runs:
        raise KeyError(trace)
    style, script, index = _read("style.css"), bundle(), _read("index.html")
    text = _PAGE.substitute(
        title=escape(title.encode("utf-8", "replace").decode()),
        style=style,
        style_hash=_hash(style),
        script=script,
        script_hash=_hash(script),
        data=_DATA,
        body=index.partition("<body>")[2].partition("</body>")[0],
    )
    before, _, after = text.partition(_DATA)
    return chain([before.encode()], _data(store, wanted, runs), [after.encode()])


def _data(store: Store, wanted: Filter, runs: Sequence[Mapping[str, Any]]) -> Iterator[bytes]:
    # The day as it was where it was saved: by it the totals are made.
    yield b'{"list":' + _json([{**run, "day": day(run["start"])} for run in runs]) + b',"runs":{'
    for place, run in enumerate(runs):
        about = _json({name: value for name, value in run.items() if name != "spans"}).removesuffix(b"}")
        yield (b"," if place else b"") + _json(run["trace"]) + b":" + about + b',"spans":['
        for number, span in enumerate(store.spans(run["trace"])):
            yield (b"," if number else b"") + _json(span)
        yield b"]}"
    yield b'},"choices":' + _json(_choices(runs)) + b',"totals":' + _json(store.totals(wanted)) + b"}"


def _json(value: object) -> bytes:
    # So that nothing recorded ends the element that it is in.
    return orjson.dumps(value, default=str).replace(b"<", b"\\u003c")


def _choices(runs: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """The filter values of these runs alone: a file that is passed on must not reveal other runs."""
    lists = {name: sorted({value for run in runs for value in run[name]}) for name in LISTS}
    return {**lists, "services": sorted({run["service"] for run in runs})}


def bundle(first: str = "main.js") -> str:
    """The scripts as one module: browsers load none from disk. Each is a block, whose exports the later ones take."""
    order: dict[str, str] = {}
    _collect(first, order)
    return "const modules = {};\n" + "".join(order.values())


def _collect(name: str, order: dict[str, str]) -> None:
    if name in order:
        return
    code = _read(name)
    for match in _IMPORT.finditer(code):
        _collect(match[3], order)
    exports = ", ".join(match[2] for match in _EXPORT.finditer(code))
    code = _EXPORT.sub(r"\1 \2", _IMPORT.sub(_taken, code))
    order[name] = f'{{\n{code}\nmodules["{name}"] = {{ {exports} }};\n}}\n'


def _taken(match: re.Match[str]) -> str:
    return f'const {match[1] or match[2]} = modules["{match[3]}"];\n'


def _read(name: str) -> str:
    return files("agentops_otel.view.live").joinpath("page", name).read_text("utf-8")


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
