"""Decorated functions of a main program in other processes: dill and cloudpickle pickle them by value."""

import re
from pathlib import Path
from typing import Any

import pytest

from agentops_otel.testing import capture
from tests.program import run

MADE = """
import functools
import {pickler}
import agentops_otel

client = agentops_otel.init(console=False, trace_file=False, spool_dir=False, instrument_llm_calls=False)

def made(kind, decorate):
    @decorate
    def function(n):
        return n - 1

    @decorate
    def generator(n):
        yield n

    @decorate
    async def coroutine(n):
        return n

    def closure(more):
        @decorate
        def inner(n):
            return n + more
        return inner

    class Plain:
        @decorate
        def method(self, n):
            return n

        @decorate
        @classmethod
        def of_class(cls, n):
            return n

    @decorate
    class Decorated:
        def turn(self, n):
            return n

    functions = [function, generator, coroutine, closure(2), decorate(lambda n: n), Plain().method, Plain.of_class]
    return [*functions, Decorated().turn, decorate(functools.partial(function))]

both = made("module", agentops_otel.agent) + made("client", client.agent)
print({pickler}.dumps(both, **{options}).hex())
"""


def called(function: Any) -> object:
    """The result of a call, whatever the function is."""
    result = function(1)
    if hasattr(result, "send") and hasattr(result, "cr_code"):
        with pytest.raises(StopIteration) as stopped:
            result.send(None)
        return stopped.value.value
    return list(result) if hasattr(result, "send") else result


@pytest.mark.parametrize(
    ("pickler", "options"),
    [("dill", {}), ("dill", {"recurse": True}), ("cloudpickle", {})],
    ids=["dill", "dill-recurse", "cloudpickle"],
)
def test_a_function_of_the_main_program_is_pickled_by_value(pickler: str, options: dict[str, object]) -> None:
    """Functions, closures, lambdas and methods: each makes its span in the process that loads it."""
    there = pytest.importorskip(pickler)
    program = MADE.format(pickler=pickler, options=options)
    functions = there.loads(bytes.fromhex(run(program).stdout))

    with capture() as captured:
        results = [called(function) for function in functions]

    assert results == [0, [1], 1, 3, 1, 1, 1, 1, 0] * 2
    names = [span.name for span in sorted(captured.spans, key=lambda span: span.start_time or 0)]
    assert (
        names
        == [
            *("invoke_agent function", "invoke_agent generator", "invoke_agent coroutine"),
            *("invoke_agent inner", "invoke_agent <lambda>", "invoke_agent method", "invoke_agent of_class"),
            *("invoke_agent Decorated", "invoke_agent function", "invoke_agent function"),
        ]
        * 2
    )


POOL = """
import os
import agentops_otel
from multiprocess import get_context

agentops_otel.init(console=False, spool_dir=False, trace_file=os.environ["TRACE_FILE"], instrument_llm_calls=False)

def run():
    @agentops_otel.tool
    def square(n):
        return n * n

    with get_context("fork").Pool(1) as pool:
        return pool.map(square, [1, 2]), pool.map(agentops_otel.tool(name="double")(lambda n: 2 * n), [3])

print(run())
"""


def test_a_pool_of_multiprocess(tmp_path: Path) -> None:
    """What multiprocess's workers record is kept, though the pool kills them once it has their results."""
    pytest.importorskip("multiprocess")
    file = tmp_path / "trace.jsonl"

    finished = run(POOL, TRACE_FILE=str(file))

    assert finished.stdout.split("\n")[0] == "([1, 4], [6])"
    assert sorted(re.findall('"name": ?"(execute_tool [a-z]+)"', file.read_text())) == [
        "execute_tool double",
        "execute_tool square",
        "execute_tool square",
    ]
