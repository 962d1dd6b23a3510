"""`-p tests.alone`: each test in a child of the process that collected them, where none finds what another has left.

`make shuffled` uses it.
"""

import os
import pickle  # and not JSON: the reason of a skip is a tuple
import tempfile

import pytest
from _pytest.runner import runtestprotocol


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> bool:
    """Run it in the child, and report here what was said there."""
    hook, config = item.config.hook, item.config
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    with tempfile.TemporaryFile() as file:
        if not (pid := os.fork()):
            try:
                reports = runtestprotocol(item, log=False, nextitem=None)
                said = [hook.pytest_report_to_serializable(config=config, report=report) for report in reports]
                pickle.dump(said, file)
                file.flush()
            finally:
                os._exit(0)
        _, status = os.waitpid(pid, 0)
        file.seek(0)
        said = pickle.loads(file.read() or pickle.dumps([]))
    if not said:
        pytest.exit(f"{item.nodeid} has ended its process: {os.waitstatus_to_exitcode(status)}")
    for report in said:
        item.ihook.pytest_runtest_logreport(report=hook.pytest_report_from_serializable(config=config, data=report))
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True
