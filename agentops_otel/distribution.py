"""The name under which this package is distributed, and the other project whose package has the same import name."""

import logging
from functools import cache
from importlib import metadata
from pathlib import Path

NAME = "agentops-otel-bridge"
OTHER = "agentops-otel"
"""Another project on PyPI. Its package is also called `agentops_otel`, so pip writes its files over ours."""
MEND = f"pip uninstall {OTHER}, then install {NAME} again"

_logger = logging.getLogger("agentops_otel")


def clash() -> str | None:
    """A message if the other project is installed in the folder of this package, otherwise None."""
    folder = Path(__file__).parent.parent
    if next(folder.glob("agentops?otel-*-info"), None) is None:  # metadata reads the whole folder, at each import
        return None
    other = next(iter(metadata.distributions(name=OTHER, path=[str(folder)])), None)
    if other is None:
        return None
    return f"{OTHER} {other.version} is installed in the same folder as {NAME}: each overwrites the other"


@cache
def warn_of_clash() -> None:
    """Log the clash once, with how to mend it."""
    if text := clash():
        _logger.warning("%s; %s", text, MEND)
