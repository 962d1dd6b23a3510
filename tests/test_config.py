"""Settings: what is taken from where, and what is refused."""

import pytest

import agentops_otel
from agentops_otel import config


def test_endpoint_argument_is_a_base_url() -> None:
    """The argument gets /v1/traces, as OTEL_EXPORTER_OTLP_ENDPOINT does, and keeps it if it is there."""
    found = [config.read(endpoint=url).destinations[0].endpoint for url in ("http://c:4318", "http://c/x/v1/traces")]

    assert found == ["http://c:4318/v1/traces", "http://c/x/v1/traces"]


def test_wrong_endpoint_is_named() -> None:
    """An endpoint that is no URL is refused with the setting, the value and what would be right."""
    with pytest.raises(agentops_otel.ConfigError) as refused:
        config.read(endpoint="localhost:4318")

    assert str(refused.value) == ("endpoint='localhost:4318' is not usable: give a URL such as http://localhost:4318")
