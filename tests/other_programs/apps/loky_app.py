"""Two functions that give tasks to the same lasting processes of loky's: a trace each."""

from ask import ask
from loky import get_reusable_executor

import agentops_otel


@agentops_otel.workflow(name="whole")
def whole():
    """Two calls in two processes."""
    return list(get_reusable_executor(max_workers=2).map(ask, range(2)))


if __name__ == "__main__":
    print(whole(), whole())
