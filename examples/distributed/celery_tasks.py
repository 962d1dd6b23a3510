"""Celery: signals put the context into every task's headers and take it up in the worker, whatever the task is.

Celery's own broker of files stands for Redis or RabbitMQ here. `pip install celery`
"""

import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from carry import taken_up
from opentelemetry.propagate import inject

import agentops_otel
from agentops_otel import record_action, record_tool

if find_spec("celery") is None:
    raise SystemExit("Celery is not installed: pip install celery")

from celery import Celery, signals

FOLDER = Path(os.environ.get("QUEUE_FOLDER") or tempfile.mkdtemp())
app = Celery("celery_tasks", broker="filesystem://", backend=f"file://{FOLDER}")
app.conf.broker_transport_options = {"data_folder_in": FOLDER, "data_folder_out": FOLDER, "control_folder": FOLDER}
running: dict[str, ExitStack] = {}


@signals.before_task_publish.connect
def write_down(headers: dict[str, Any], **_: object) -> None:
    inject(headers)


@signals.task_prerun.connect
def take_up(task_id: str, task: Any, **_: object) -> None:
    running[task_id] = ExitStack()
    running[task_id].enter_context(taken_up(vars(task.request)))


@signals.task_postrun.connect
def put_back(task_id: str, **_: object) -> None:
    running.pop(task_id).close()


@signals.worker_init.connect
def start(**_: object) -> None:
    agentops_otel.init(service_name="celery worker")


@app.task
@record_tool("weather")
def weather(city: str) -> str:
    return f"21 degrees in {city}"


@record_action("delegate")
def delegate(city: str) -> str:
    return str(weather.delay(city).get(timeout=60))


def main() -> None:
    agentops_otel.init(service_name="celery")
    worker = [sys.executable, "-m", "celery", "--quiet", "--app=celery_tasks", "worker", "--concurrency=1"]
    worker += ["--loglevel=ERROR", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    environment = {**os.environ, "QUEUE_FOLDER": str(FOLDER)}
    with subprocess.Popen(worker, cwd=Path(__file__).parent, env=environment) as process:
        try:
            print(delegate("Quito"))
        finally:
            process.terminate()  # it finishes what it has begun
    shutil.rmtree(FOLDER)


if __name__ == "__main__":
    main()
