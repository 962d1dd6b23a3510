"""A queue: each message has its sender's context with it, and the worker takes up one after the other."""

import multiprocessing
from typing import Any

from carry import carried, taken_up

import agentops_otel
from agentops_otel import record_action, record_tool


@record_tool("weather")
def weather(city: str) -> str:
    return f"21 degrees in {city}"


def work(questions: Any, answers: Any) -> None:
    agentops_otel.init(service_name="queue worker")
    for message in iter(questions.get, None):
        with taken_up(message["headers"]):
            answers.put(weather(message["city"]))


@record_action("send")
def send(questions: Any, city: str) -> None:
    questions.put({"headers": carried(), "city": city})


def main() -> None:
    agentops_otel.init(service_name="queue")
    context = multiprocessing.get_context("spawn")
    questions, answers = context.Queue(), context.Queue()
    worker = context.Process(target=work, args=(questions, answers))
    worker.start()
    for city in ("Kyiv", "Doha"):
        send(questions, city)
        print(answers.get(timeout=60))
    questions.put(None)
    worker.join()


if __name__ == "__main__":
    main()
