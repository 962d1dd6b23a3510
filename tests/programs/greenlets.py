"""Patched by gevent or eventlet after `init()`, before or after the first span: `greenlets.py LIBRARY WHEN`."""

import sys
from importlib import import_module

from tests.programs.leaving import make, start

LIBRARY, WHEN = sys.argv[1:]

start(exit_timeout_s=5)
if WHEN == "after spans":
    make(5)
if LIBRARY == "gevent":
    import_module("gevent.monkey").patch_all()
else:
    import_module("eventlet").monkey_patch()
make(5 if WHEN == "after spans" else 10)
import_module(LIBRARY).sleep(0.3)  # gevent's or eventlet's hub runs, and with it our greenlets
make(5)
