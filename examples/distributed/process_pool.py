"""multiprocessing, forked and spawned: the context travels as an argument.

A forked worker has the tracing of its parent, and a spawned one begins anew: `initializer` starts it. A worker's own
idea of a current span is that of the moment it was made, not of the call, so the context is passed either way.
"""

import multiprocessing
from collections.abc import Mapping

from carry import carried, taken_up

import agentops_otel
from agentops_otel import record_action, record_tool


@record_tool("weather")
def weather(city: str) -> str:
    return f"21 degrees in {city}"


def work(carrier: Mapping[str, str], city: str) -> str:
    with taken_up(carrier):
        return weather(city)


def start() -> None:
    agentops_otel.init(service_name="pool")


@record_action("gather")
def gather(method: str, *cities: str) -> list[str]:
    with multiprocessing.get_context(method).Pool(2, initializer=start) as pool:
        answers = pool.starmap(work, [(carried(), city) for city in cities])
        pool.close()  # unlike the end of `with`, it lets the workers deliver their spans
        pool.join()
    return answers


def main() -> None:
    start()
    for method in ("fork", "spawn"):
        print(method, *gather(method, "Lima", "Bern"))


if __name__ == "__main__":
    main()
