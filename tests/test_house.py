"""The house as docs/house.md draws it: which room may import which, and who alone may do what."""

import ast
import inspect
import re
from collections import Counter
from collections.abc import Callable
from enum import Enum
from functools import cache
from graphlib import CycleError, TopologicalSorter
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot

import agentops_otel
from agentops_otel import clients, frameworks
from agentops_otel.clients import SPECS
from agentops_otel.export.drop_reason import DropReason
from agentops_otel.instrumentation import ClientSpec
from tests.program import ROOT

pytestmark = pytest.mark.no_cover

PACKAGE = ROOT / "agentops_otel"
FILES = sorted(PACKAGE.rglob("*.py"))

# The first block of docs/house.md: a line may import the lines below it; left of the bar spans are made, right of it
# they are sent and shown.
PICTURE = re.search(r"```\n(.*?)```", (ROOT / "docs/house.md").read_text(), re.DOTALL)
assert PICTURE
LINES = PICTURE[1].replace("__init__", "<package>").splitlines()
ROWS: list[set[str]] = [set(line.replace("|", " ").split()) for line in LINES]
MAKING = {room for line in LINES if "|" in line for room in line.partition("|")[0].split()}
SENDING = {room for line in LINES if "|" in line for room in line.partition("|")[2].split()}


def room(path: Path) -> str:
    """The room that a file belongs to: the first name below the package."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return "<package>" if parts == ("__init__",) else parts[0]


def row(name: str) -> int:
    """How far down the room is."""
    return next(number for number, rooms in enumerate(ROWS) if name in rooms)


def test_the_picture_has_every_room() -> None:
    """docs/house.md draws each room of the package once, and no other."""
    drawn = [name for names in ROWS for name in names]

    assert sorted(drawn) == sorted({room(path) for path in FILES})
    assert {"recording", "clients"} <= MAKING
    assert {"export", "view"} == SENDING


MODULES = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in FILES}


@cache
def tree(path: Path) -> ast.Module:
    """The file, parsed."""
    return ast.parse(path.read_text())


@cache
def imports(path: Path) -> set[str]:
    """The modules of the package that a file imports, wherever in it, for types too."""
    names: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    candidates = {name if name in MODULES else name.rpartition(".")[0] for name in names}
    return candidates & MODULES.keys()


def test_imports_point_downwards() -> None:
    """A room imports only rooms below it, and the half that makes spans knows nothing of the half that sends them."""
    pairs = [(path.name, room(path), room(MODULES[name])) for path in FILES for name in imports(path)]

    assert [one for one in pairs if one[1] != one[2] and row(one[2]) <= row(one[1])] == []
    assert [one for one in pairs if one[1] in MAKING and one[2] in SENDING] == []
    assert [one for one in pairs if one[1] in SENDING and one[2] in MAKING] == []
    assert len(pairs) > len(FILES)


def test_no_file_imports_itself_by_way_of_others() -> None:
    """There is no circle of imports, those for types and those in functions included."""
    imported = {name: imports(path) for name, path in MODULES.items()}

    assert any(imported.values())
    try:
        TopologicalSorter(imported).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_some_things_are_done_in_one_place() -> None:
    """Only environment.py reads the environment, only the guard swallows Exception, and nobody prints in passing."""
    nodes = [(path, node) for path in FILES for node in ast.walk(tree(path))]

    reads = {
        str(path.relative_to(PACKAGE))
        for path, node in nodes
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")
    }
    swallows = {
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path, node in nodes
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) == "Exception")
        and not any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
    }
    prints = {room(path) for path, node in nodes if isinstance(node, ast.Name) and node.id == "print"}

    # The startup module runs in processes that may not have the package.
    assert reads == {"environment.py", "startup/sitecustomize.py"}
    assert swallows == set()
    assert prints <= {"cli", "view"}


def test_what_we_log_is_under_one_name() -> None:
    """Programs silence us, and turn us up, by it; what the SDK would say of a span is under the SDK's names."""
    named = Counter(
        ast.unparse(node.args[0])
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "logging.getLogger"
    )

    assert {name for name, times in named.items() if times > 1} == {"'agentops_otel'"}
    assert sorted(named) == snapshot(
        ["'agentops_otel'", "'opentelemetry.attributes'", "'opentelemetry.sdk.trace'", "_name", "name"]
    )


NAMING_TASKWEAVER_MODULES = {"install.py", "builtin_tracing.py", "in_kernel.py", "sitecustomize.py", "environment.py"}
"""Files that name TaskWeaver's own modules and our patches of them, and make no span."""


def test_every_attribute_is_named_in_semconv() -> None:
    """No file but semconv.py spells a `gen_ai.`, `agentops.` or `taskweaver.` attribute."""
    spelled = {
        str(path.relative_to(PACKAGE)): node.value
        for path in FILES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.startswith(("gen_ai.", "agentops.", "taskweaver."))
        and not (node.value.startswith("taskweaver.") and path.name in NAMING_TASKWEAVER_MODULES)
        and path.name not in ("semconv.py", "agentops_names.py", "agentops_messages.py")
    }

    assert spelled == {}


def test_every_client_that_is_described_is_wrapped() -> None:
    """Each `ClientSpec` that a file of clients/ makes for itself is in SPECS."""
    files = [path for path in FILES if room(path) == "clients" and path.parent.name != "dialects"]
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in files]
    described = [
        f"{name}: {spec.name}"
        for name in names
        for value in vars(import_module(name)).values()
        for spec in (value if isinstance(value, tuple) else (value,))
        if isinstance(spec, ClientSpec) and spec not in SPECS
    ]

    assert len(names) > 15
    assert described == []


@pytest.mark.parametrize("described", [clients, frameworks], ids=lambda module: module.__name__)
def test_what_is_described_is_found_by_what_a_program_imports(described: Any) -> None:
    """A file is read when a program begins to import a package: one above each module that the file waits for."""
    waited = {
        (file, module)
        for file in set(described.FILES.values())
        for spec in described.specs_in(file)
        for module in getattr(spec, "listeners", (spec.module,))
    }
    missed = {
        (file, module)
        for file, module in waited
        if not any(f"{module}.".startswith(f"{package}.") and file == at for package, at in described.FILES.items())
    }

    assert len(waited) > len(described.FILES)
    assert missed == set()


def test_no_test_module_imports_another() -> None:
    """What tests share is in modules that have no tests: pytest would run those of an imported one twice."""
    tests = sorted((ROOT / "tests").rglob("*.py"))
    borrowed = [
        f"{path.relative_to(ROOT)}: {node.module}"
        for path in tests
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").rpartition(".")[2].startswith("test_")
    ]

    assert len(tests) > 100
    assert borrowed == []


def test_every_drop_reason_is_named_in_one_place() -> None:
    """No file of export/ but drop_reason.py spells a reason for which spans are dropped."""
    spelled = [
        f"{path.name}: {node.value}"
        for path in FILES
        if room(path) == "export" and path.name != "drop_reason.py"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Constant) and node.value in set(DropReason)
    ]

    assert spelled == []


def test_our_log_has_one_name() -> None:
    """A program that silences it, or wants more of it, names one logger; the others are those of libraries."""
    names = {
        ast.unparse(node.args[0])
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("getLogger", "logging.getLogger")
    }

    assert sorted(names) == snapshot(
        ["'agentops_otel'", "'opentelemetry.attributes'", "'opentelemetry.sdk.trace'", "_name", "name"]
    )


def test_a_dataclass_is_frozen_has_slots_and_is_made_by_names() -> None:
    """What may change, get attributes that it does not list, or be made by position, is named here."""
    written = {
        f"{path.relative_to(PACKAGE).as_posix()} {node.name}": ast.unparse(decorator)
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
        for decorator in node.decorator_list
        if ast.unparse(decorator).startswith("dataclass")
    }

    others = {name: how for name, how in written.items() if how != "dataclass(frozen=True, slots=True, kw_only=True)"}
    assert others == snapshot(
        {
            "doctor.py Finding": "dataclass(frozen=True, slots=True)",
            "export/encode.py Batch": "dataclass(frozen=True, slots=True)",
            "export/fallback_file.py FallbackFile": "dataclass(kw_only=True)",
            "export/outbox.py Entry": "dataclass(slots=True, eq=False)",
            "export/sink.py Sink": "dataclass(kw_only=True)",
            "export/spool.py Segment": "dataclass(slots=True, eq=False)",
            "export/spool.py RecordRef": "dataclass(frozen=True, slots=True, eq=False)",
            "instrumentation/call.py CallServices": "dataclass(frozen=True, slots=True)",
            "launcher/run.py Run": "dataclass(frozen=True, slots=True)",
            "one_trace.py OneTrace": "dataclass(frozen=True, slots=True)",
            "recording/events.py Event": "dataclass",
            "recording/events.py ActionEvent": "dataclass",
            "recording/events.py ToolEvent": "dataclass",
            "recording/events.py LLMEvent": "dataclass",
            "recording/events.py ErrorEvent": "dataclass",
            "recording/printed.py _Printed": "dataclass(slots=True)",
            "sdk/__init__.py _Running": "dataclass(slots=True)",
            "taskweaver/hooks.py _SessionState": "dataclass(slots=True)",
            "testing.py Capture": "dataclass(frozen=True, slots=True)",
            "tracing/processors.py Dispatch": "dataclass(slots=True, kw_only=True)",
            "view/live/briefs.py Run": "dataclass(slots=True)",
            "view/live/totals.py Step": "dataclass(slots=True, kw_only=True)",
            "view/printer.py Printed": "dataclass(frozen=True, slots=True)",
            "view/session_totals.py _Count": "dataclass(slots=True)",
            "view/tree.py Node": "dataclass(frozen=True, slots=True, kw_only=True, eq=False)",
        }
    )


def test_public_surface() -> None:
    """What the package offers is what it lists, and a change of it is seen here."""
    assert agentops_otel.__all__ == snapshot(
        [
            "ERROR",
            "SUCCESS",
            "UNSET",
            "ActionEvent",
            "ActionType",
            "AgentOps",
            "AgentOpsLogger",
            "Client",
            "ConfigError",
            "EndState",
            "ErrorEvent",
            "Event",
            "EventState",
            "LLMEvent",
            "Models",
            "Session",
            "SessionState",
            "Stats",
            "ToolEvent",
            "TraceState",
            "__version__",
            "add_tags",
            "agent",
            "configure",
            "create_agent",
            "end_all_sessions",
            "end_session",
            "end_trace",
            "flush",
            "get_api_key",
            "get_client",
            "get_session",
            "guardrail",
            "init",
            "instrument",
            "operation",
            "record",
            "record_action",
            "record_function",
            "record_tool",
            "session",
            "set_api_key",
            "set_parent_key",
            "set_tags",
            "shutdown",
            "start_session",
            "start_trace",
            "stats",
            "stop_instrumenting",
            "suppress",
            "task",
            "tool",
            "trace",
            "track_agent",
            "track_endpoint",
            "track_tool",
            "uninstrument",
            "update_trace_metadata",
            "workflow",
        ]
    )
    assert [name for name in agentops_otel.__all__ if not hasattr(agentops_otel, name)] == []


def test_public_words_and_defaults() -> None:
    """The words that programs compare, and what an argument is that is left out: alike on the module and the client."""
    offered = {name: getattr(agentops_otel, name) for name in agentops_otel.__all__}
    words = {
        name: {n: one.value for n, one in kind.__members__.items()}
        for name, kind in offered.items()
        if isinstance(kind, type) and issubclass(kind, Enum)
    }
    functions = {
        **offered,
        **{
            f"Client.{name}": getattr(agentops_otel.Client, name)
            for name in dir(agentops_otel.Client)
            if name[0] != "_"
        },
    }
    defaults = {
        name: defaults_of(function)
        for name, function in functions.items()
        if inspect.isfunction(function) and name != "init"
    }

    assert words == snapshot(
        {
            "ActionType": {"ACTION": "action", "LLM": "llm", "API": "api", "SCREENSHOT": "screenshot", "TOOL": "tool"},
            "EndState": {"SUCCESS": "Success", "FAIL": "Fail", "INDETERMINATE": "Indeterminate"},
            "EventState": {"SUCCESS": "Success", "FAIL": "Fail", "INDETERMINATE": "Indeterminate"},
            "Models": {
                "GPT_3_5_TURBO": "gpt-3.5-turbo",
                "GPT_3_5_TURBO_0301": "gpt-3.5-turbo-0301",
                "GPT_3_5_TURBO_0613": "gpt-3.5-turbo-0613",
                "GPT_3_5_TURBO_16K": "gpt-3.5-turbo-16k",
                "GPT_3_5_TURBO_16K_0613": "gpt-3.5-turbo-16k-0613",
                "GPT_4_0314": "gpt-4-0314",
                "GPT_4": "gpt-4",
                "GPT_4_32K": "gpt-4-32k",
                "GPT_4_32K_0314": "gpt-4-32k-0314",
                "GPT_4_0613": "gpt-4-0613",
                "TEXT_EMBEDDING_ADA_002": "text-embedding-ada-002",
            },
            "SessionState": {"SUCCESS": "Success", "FAIL": "Fail", "INDETERMINATE": "Indeterminate"},
            "TraceState": {"SUCCESS": "Success", "ERROR": "Fail", "FAILURE": "Fail", "UNSET": "Indeterminate"},
        }
    )
    assert {name: found for name, found in defaults.items() if found} == snapshot(
        {
            "create_agent": {"agent_id": None, "session": None},
            "end_all_sessions": {"end_state": "Indeterminate"},
            "end_session": {"end_state": "Indeterminate", "rating": None, "end_state_reason": None},
            "end_trace": {"trace_context": None, "end_state": "Success"},
            "flush": {"timeout_s": 10.0},
            "shutdown": {"timeout_s": None},
            "start_session": {"tags": None, "name": "session", "session_id": None},
            "start_trace": {"trace_name": "session", "tags": None},
            "update_trace_metadata": {"prefix": "trace.metadata"},
            "Client.agent": {"name": None, "tags": None, "version": None},
            "Client.create_agent": {"agent_id": None, "session": None},
            "Client.end_all_sessions": {"end_state": "Indeterminate"},
            "Client.end_session": {"end_state": "Indeterminate", "rating": None, "end_state_reason": None},
            "Client.end_trace": {"trace_context": None, "end_state": "Success"},
            "Client.flush": {"timeout_s": 10.0},
            "Client.guardrail": {"name": None, "tags": None, "version": None, "spec": None},
            "Client.operation": {"name": None, "tags": None, "version": None},
            "Client.record_action": {"event_type": None, "tags": None},
            "Client.record_function": {"event_type": None, "tags": None},
            "Client.record_tool": {"tool_name": None, "tags": None},
            "Client.session": {"name": None, "tags": None, "version": None},
            "Client.shutdown": {"timeout_s": None},
            "Client.start_session": {"tags": None, "name": "session", "session_id": None},
            "Client.start_trace": {"trace_name": "session", "tags": None},
            "Client.task": {"name": None, "tags": None, "version": None},
            "Client.template": {"tags": None, "more": None},
            "Client.tool": {"name": None, "tags": None, "version": None, "cost": None},
            "Client.trace": {"name": None, "tags": None, "version": None},
            "Client.track_agent": {"name": None},
            "Client.track_endpoint": {
                "name": None,
                "tags": None,
                "version": None,
                "capture_request": True,
                "capture_response": True,
            },
            "Client.track_tool": {"tool_name": None, "tags": None},
            "Client.update_trace_metadata": {"prefix": "trace.metadata"},
            "Client.workflow": {"name": None, "tags": None, "version": None},
        }
    )


def defaults_of(function: Callable[..., object]) -> dict[str, object]:
    """The defaults of its arguments."""
    parameters = inspect.signature(function).parameters.values()
    return {each.name: each.default for each in parameters if each.default is not each.empty}


def test_every_public_name_is_explained() -> None:
    """Every public function and class has a docstring."""
    silent = [
        name
        for name in agentops_otel.__all__
        if callable(getattr(agentops_otel, name)) and not getattr(agentops_otel, name).__doc__
    ]

    assert silent == []


def test_every_module_says_what_it_owns() -> None:
    """Every file begins with a docstring."""
    assert [str(path) for path in FILES if not ast.get_docstring(ast.parse(path.read_text()))] == []


def test_documented_import_paths_work() -> None:
    """The modules that users import besides the package are there."""
    for name in ("testing", "instrumentation", "semconv"):
        assert import_module(f"agentops_otel.{name}").__doc__


NAMING = [ROOT / "CONTRIBUTING.md", ROOT / "docs/decisions.md", ROOT / "docs/house.md"]
NAMED = re.compile(r"`([\w/]+\.py)`(?:\s\(|:\s)?((?:`[\w.]+`(?:,\s)?)*)")


def definitions(path: Path) -> set[str]:
    """The functions, classes, methods (`Class.method`) and constants that a file defines."""
    names = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            names |= {f"{node.name}.{inner.name}" for inner in node.body if isinstance(inner, ast.FunctionDef)}
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        names |= {target.id for target in targets if isinstance(target, ast.Name)}
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):
            names |= {name.id for name in node.targets[0].elts if isinstance(name, ast.Name)}
        if isinstance(node, ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names}
    return names


@pytest.mark.parametrize("page", NAMING, ids=[page.name for page in NAMING])
def test_pages_name_files_and_functions_that_exist(page: Path) -> None:
    """Each file, and each function or class named behind it, is there."""
    named = NAMED.findall(page.read_text())
    paths = {file: next((base / file for base in (PACKAGE, ROOT) if (base / file).exists()), None) for file, _ in named}
    wrong = [
        f"{file}: {name}"
        for file, names in named
        if (path := paths[file])
        for name in re.findall(r"[\w.]+", names)
        if name not in definitions(path)
    ]

    assert named
    assert [file for file, path in paths.items() if path is None] == []
    assert wrong == []
