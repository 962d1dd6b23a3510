"""A Celery application with one task, over a broker of files in the folder BROKER. Run by tests/test_servers.py."""

import os

from celery import Celery  # type: ignore[import-untyped]
from celery.signals import worker_process_init  # type: ignore[import-untyped]

import agentops_otel
from tests.programs.leaving import start

folder = os.environ["BROKER"]
app = Celery(
    "tasks",
    broker="filesystem://",
    broker_transport_options={
        **{"data_folder_in": folder, "data_folder_out": folder, "control_folder": folder},
        "polling_interval": 0.05,
    },
    worker_max_tasks_per_child=5,
    broker_connection_retry_on_startup=False,
)


@worker_process_init.connect(weak=False)  # type: ignore[untyped-decorator]  # celery has no types
def begin(**_: object) -> None:
    start(exit_timeout_s=30)


@app.task  # type: ignore[untyped-decorator]  # celery has no types
@agentops_otel.record_action("task")
def task() -> None: ...
