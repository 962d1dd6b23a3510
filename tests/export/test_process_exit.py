"""The ends of processes that are seen, and what is called at each: by programs that say what they are told."""

import sys
from pathlib import Path

import pytest

from tests.program import needs, run

PRELUDE = """
import atexit, os, sys, threading
from agentops_otel.export.process_exit import ProcessExit
from agentops_otel.wrapping.import_hook import on_import

def say(what):
    os.write(1, f"{what}\\n".encode())

class Says:
    def shutdown(self): say("shutdown")
    def flush(self): say("flush")
    def persist(self): say("persist")
    def deliver_at_once(self): say("at once")

exits = ProcessExit(Says(), on_import)
"""


def said(program: str) -> list[str]:
    """The lines of the program, after the prelude."""
    return run(PRELUDE + program).stdout.splitlines()


def test_at_exit_it_is_shut_down_once_and_before_what_registered_earlier() -> None:
    """However often `init()` is called."""
    program = """
exits.watch()
atexit.register(say, "the program's own")
exits.watch()
say("ends")
"""
    assert said(program) == ["ends", "shutdown", "the program's own"]


def test_what_begins_when_the_main_thread_has_ended_delivers_at_once() -> None:
    """Nothing that is registered then is called."""
    program = """
def late():
    threading.main_thread().join()
    exits.watch()

threading.Thread(target=late).start()
"""
    assert said(program)[0] == "at once"


FAMILIES = ("multiprocessing", "multiprocess")
CHILD = """
import {family}, {family}.reduction, {family}.util
{watch}
def work(busy, daemon):
    say("works")
    if busy:
        threading.Thread(target=threading.main_thread().join, daemon=daemon).start()
    say(type({family}.reduction.ForkingPickler.dumps("result")).__name__)
    {family}.util.Finalize(None, say, ("finalizer",), exitpriority=0)

child = {family}.get_context("fork").Process(target=work, args=({busy}, {daemon}))
child.start()
child.join()
say("parent")
"""


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("earlier", [True, False], ids=["before", "after"])
def test_a_child_is_shut_down_when_it_leaves_and_puts_on_disk_what_its_parent_may_end(
    family: str, earlier: bool
) -> None:
    """What the program has registered goes before us. The parent does neither, but at its own end.

    The family was imported before `init()`, or after it.
    """
    needs(family)
    program = CHILD.format(family=family, watch="exits.watch()", busy=False, daemon=False)
    if not earlier:
        program = "exits.watch()\n" + program.replace("exits.watch()\n", "")

    assert said(program) == ["works", "persist", "memoryview", "finalizer", "shutdown", "parent", "shutdown"]


@pytest.mark.parametrize(
    ("daemon", "end"),
    # Python 3.13 waits for the threads first.
    [(False, "at once" if sys.version_info < (3, 13) else "shutdown"), (True, "shutdown")],
)
def test_a_child_whose_threads_go_on_delivers_each_span_from_then_on(daemon: bool, end: str) -> None:
    """It waits for them, and calls nothing after; for a daemon it does not."""
    program = CHILD.format(family="multiprocessing", watch="exits.watch()", busy=True, daemon=daemon)

    assert said(program) == ["works", "persist", "memoryview", "finalizer", end, "parent", "shutdown"]


def test_children_of_children_and_those_that_begin_anew_are_seen_too() -> None:
    """Each once, though a child that calls `init()` too is told twice that it is one."""
    program = """
import multiprocessing
exits.watch()
fork = multiprocessing.get_context("fork")

def work(name, *below):
    exits.watch()
    say(name)
    for each in below:
        child = fork.Process(target=work, args=(each,))
        child.start()
        child.join()

child = fork.Process(target=work, args=("child", "grandchild"))
child.start()
child.join()
say("parent")
"""
    assert said(program) == ["child", "grandchild", "shutdown", "shutdown", "parent", "shutdown"]


SPAWNED = """
if __name__ in ("__main__", "__mp_main__") and sys.argv[1] == "anew":
    exits.watch()

def work():
    say("works")
    if sys.argv[1] == "in it":
        exits.watch()
    multiprocessing.reduction.ForkingPickler.dumps("result")

import multiprocessing.reduction
if __name__ == "__main__":
    child = multiprocessing.get_context("spawn").Process(target=work)
    child.start()
    child.join()
"""


@pytest.mark.parametrize("when", ["anew", "in it"])
def test_a_child_that_starts_anew_is_one_while_its_main_module_is_imported_and_after(when: str, tmp_path: Path) -> None:
    """It has no parent process yet, when its main module calls `init()`."""
    file = tmp_path / "program.py"
    file.write_text(PRELUDE + SPAWNED)
    program = f"""
import runpy, sys
sys.argv[:] = [{str(file)!r}, {when!r}]
runpy.run_path({str(file)!r}, run_name="__main__")
"""
    # Some versions of Python call the handlers of atexit too.
    assert run(program).stdout.splitlines()[:3] == ["works", "persist", "shutdown"]


def test_a_child_of_celerys_worker_is_shut_down_when_it_is_recycled() -> None:
    """By Celery's own signal, which keeps what is to be called."""
    needs("celery")
    program = """
import gc
exits.watch()
exits.watch()
from celery import signals
gc.collect()
signals.worker_process_shutdown.send(sender=None, pid=1, exitcode=0)
say("ends")
"""
    assert said(program) == ["shutdown", "ends", "shutdown"]


def test_uvicorns_server_is_flushed_when_it_is_shut_down_and_fails_as_without_us() -> None:
    """It dies by the signal that asked it to end."""
    needs("uvicorn")
    program = """
import asyncio
exits.watch()
import uvicorn
server = uvicorn.Server(uvicorn.Config(app=print))
try:
    asyncio.run(server.shutdown())  # it was never started
except AttributeError:
    say("failed")
"""
    assert said(program) == ["flush", "failed", "shutdown"]


def test_a_server_of_another_uvicorn_is_left_alone() -> None:
    """One that has no such method."""
    program = """
from types import ModuleType, SimpleNamespace
module = ModuleType("uvicorn.server")
module.Server = SimpleNamespace()
sys.modules["uvicorn.server"] = module
exits.watch()
say(vars(module.Server))
"""
    assert said(program) == ["{}", "shutdown"]
