"""The tests of agentops_otel: each folder mirrors a room of the package."""

import os
import sys

# Where it is set, as in many containers, each program that a test starts compiles all that it imports.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
