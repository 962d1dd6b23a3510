"""What only the SDK says that our spans follow: an older one takes other values, and keeps its resource over a fork."""

from importlib.metadata import version

import pytest

THIS_SDK = pytest.mark.skipif(
    version("opentelemetry-sdk").startswith(("1.42.", "1.43.", "1.44.")), reason="says what OpenTelemetry 1.45 says"
)
