"""Makes spans and ends in the way that it is told: `leaving.py WAY`. Run by tests/test_leaving.py.

COLLECTOR, PROTOCOL and SPOOL say where spans go; SETTINGS has further settings of `init()` as JSON.
"""

import asyncio
import atexit
import concurrent.futures.thread
import json
import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Any

import agentops_otel


def start(**settings: Any) -> agentops_otel.Client:
    """`init()` as the environment says."""
    protocol = os.environ.get("PROTOCOL", "http/protobuf")
    where = {"endpoint": os.environ["COLLECTOR"], "protocol": protocol} if "COLLECTOR" in os.environ else {}
    more = json.loads(os.environ.get("SETTINGS", "{}"))
    return agentops_otel.init(
        **{**where, "spool_dir": os.environ["SPOOL"], "console": False, "exit_timeout_s": 20, **settings, **more}
    )


@agentops_otel.record_action("work")
def work() -> None: ...


def make(number: int = 10) -> None:
    for _ in range(number):
        work()


def the_end() -> None:
    start()
    make()


def one_call() -> None:
    start()
    work()


def sys_exit() -> None:
    start()
    make()
    sys.exit(3)


def exception() -> None:
    start()
    make()
    raise ValueError("the program's own")


def interrupted() -> None:
    start()
    make()
    os.kill(os.getpid(), signal.SIGINT)
    signal.pause()


def terminated_and_handled() -> None:
    start()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    make()
    os.kill(os.getpid(), signal.SIGTERM)
    signal.pause()


def os_exit() -> None:
    start(durability="span")
    make()
    os._exit(0)


def an_executor_is_busy() -> None:
    """Its thread has work when the main thread has ended, and makes the first span then."""
    start()

    def late() -> None:
        while not concurrent.futures.thread._shutdown:
            os.sched_yield()
        make()

    ThreadPoolExecutor(1).submit(late)


def a_thread_is_busy() -> None:
    start()
    make(5)

    def late() -> None:
        threading.main_thread().join()
        make(5)

    threading.Thread(target=late).start()


def asyncio_cancelled() -> None:
    start()

    async def sleep() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            work()

    async def main() -> None:
        tasks = [asyncio.create_task(sleep()) for _ in range(10)]
        await asyncio.sleep(0)
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.gather(*tasks)

    asyncio.run(main())


def a_daemon_goes_on() -> None:
    start()
    made = threading.Event()

    def on_and_on() -> None:
        make()
        while True:
            work()
            made.set()

    threading.Thread(target=on_and_on, daemon=True).start()
    made.wait()


def init_at_exit() -> None:
    def late() -> None:
        start()
        make()

    atexit.register(late)


def a_span_at_exit() -> None:
    """Made by a handler that was registered after ours, which runs before it."""
    start()
    atexit.register(make)


def account_at_exit() -> None:
    """Read by a handler that was registered before ours, which runs after it."""
    atexit.register(lambda: print(agentops_otel.stats().sent))
    start()
    make()


def forked_with_a_session() -> None:
    """The session is its process's alone to end, and so are spans that waited at the fork."""
    start()
    agentops_otel.start_session(name="of the parent")
    make(4)
    pid = os.fork()
    make(2)
    if pid:
        os.waitpid(pid, 0)
        work()


def a_subinterpreter() -> None:
    """One that shares the lock, as our dependencies need; ended before the main one."""
    code = (
        f"import sys; sys.path[:] = {sys.path}; sys.argv = ['']; from tests.programs.leaving import the_end; the_end()"
    )
    if sys.version_info >= (3, 13):
        interpreters = import_module("_interpreters")
        inner = interpreters.create("legacy")
    else:
        interpreters = import_module("_xxsubinterpreters")
        inner = interpreters.create(isolated=False)
    failed = interpreters.run_string(inner, code)
    interpreters.destroy(inner)
    sys.exit(failed)


if __name__ == "__main__":
    globals()[sys.argv[1]]()
