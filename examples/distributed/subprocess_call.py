"""A subprocess: the context travels in its environment, as TRACEPARENT; the program that is called reads it there."""

import os
import subprocess
import sys

from carry import carried, taken_up

import agentops_otel
from agentops_otel import record_action, record_tool


@record_tool("weather")
def weather(city: str) -> str:
    return f"21 degrees in {city}"


def work(city: str) -> None:
    agentops_otel.init(service_name="weather command")
    with taken_up({name: os.environ.get(name.upper(), "") for name in ("traceparent", "tracestate")}):
        print(weather(city))


@record_action("call")
def call(city: str) -> str:
    environment = {name.upper(): value for name, value in carried().items()}
    command = [sys.executable, __file__, city]
    return subprocess.run(
        command, env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True, check=True
    ).stdout


def main() -> None:
    agentops_otel.init(service_name="subprocess")
    print(call("Oslo"), end="")


if __name__ == "__main__":
    work(sys.argv[1]) if sys.argv[1:] else main()
