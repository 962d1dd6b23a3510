"""A task in a worker of Celery's."""

from ask import ask
from celery import Celery
from celery.contrib.testing.worker import start_worker

app = Celery(broker="memory://", backend="cache+memory://")


@app.task
def answer():
    """The model's answer."""
    return ask()


if __name__ == "__main__":
    with start_worker(app, perform_ping_check=False):
        print(answer.delay().get(timeout=60))
