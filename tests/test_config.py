"""Settings: what is taken from where, and what is refused."""
# ruff: noqa: E501 - the messages stand as they are read

import sys
from pathlib import Path

import pytest
from inline_snapshot import snapshot

import agentops_otel
from agentops_otel import config
from agentops_otel.config import Config, Destination

CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"


def only(found: Config) -> Destination:
    """The one destination there is."""
    (destination,) = found.destinations
    return destination


def refusal(**settings: object) -> str:
    """What `init()` would say of these settings."""
    with pytest.raises(agentops_otel.ConfigError) as refused:
        config.read_config(**settings)  # type: ignore[arg-type]  # wrong settings are the point

    return str(refused.value)


@pytest.mark.parametrize(
    ("endpoint", "protocol", "expected"),
    [
        ("http://c:4318", None, ("http://c:4318/v1/traces", "http/protobuf")),
        ("http://c:4318/", None, ("http://c:4318/v1/traces", "http/protobuf")),
        ("https://c/otlp", None, ("https://c/otlp/v1/traces", "http/protobuf")),
        ("https://c/x/v1/traces", None, ("https://c/x/v1/traces", "http/protobuf")),
        ("http://c:4317", None, ("http://c:4317", "grpc")),
        ("http://c:4317", "http/protobuf", ("http://c:4317/v1/traces", "http/protobuf")),
        ("https://c:443/ignored", "grpc", ("https://c:443", "grpc")),
        ("c:4317", "grpc", ("https://c:4317", "grpc")),
    ],
)
def test_endpoint_argument_is_a_base_url(endpoint: str, protocol: str | None, expected: tuple[str, str]) -> None:
    """The argument is a base that gets /v1/traces over HTTP; port 4317 means gRPC unless told otherwise."""
    destination = only(config.read_config(endpoint=endpoint, protocol=protocol))

    assert (destination.endpoint, destination.protocol) == expected


def test_traces_endpoint_variable_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """OTEL_EXPORTER_OTLP_TRACES_ENDPOINT wins over the base variable and gets no path of ours."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://base:4318")
    base = only(config.read_config()).endpoint
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://traces:4318/custom")

    assert (base, only(config.read_config()).endpoint) == ("http://base:4318/v1/traces", "http://traces:4318/custom")


def test_insecure_variable_decides_for_a_target_without_a_scheme(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gRPC target without a scheme is spoken to in the clear only when the INSECURE variable says so."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_INSECURE", "true")

    assert only(config.read_config(endpoint="c:4317", protocol="grpc")).endpoint == "http://c:4317"


def test_protocol_variable_alone_names_a_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    """OTEL_EXPORTER_OTLP_PROTOCOL without an endpoint means that protocol's port on localhost."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")

    assert only(config.read_config()).endpoint == "http://localhost:4317"


def test_nothing_configured_means_local(tmp_path: Path) -> None:
    """With nothing set up there is the collector that may answer on localhost, and a trace file."""
    found = config.read_config()

    assert only(found).probe
    assert only(found).endpoint == "http://localhost:4318/v1/traces"
    assert found.own_trace_file
    assert found.state_dir == tmp_path / "state" / "agentops_otel"
    assert not found.by_name


@pytest.mark.parametrize(
    ("exporters", "endpoints", "console", "others"),
    [
        ("none", [], False, ()),
        ("otlp", ["http://localhost:4318/v1/traces"], False, ()),
        ("console", [], True, ()),
        ("otlp, zipkin", ["http://localhost:4318/v1/traces"], False, ("zipkin",)),
    ],
)
def test_traces_exporter_variable_chooses(
    monkeypatch: pytest.MonkeyPatch, exporters: str, endpoints: list[str], console: bool, others: tuple[str, ...]
) -> None:
    """OTEL_TRACES_EXPORTER names what there is; nothing is added to it."""
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", exporters)

    found = config.read_config()

    assert [destination.endpoint for destination in found.destinations] == endpoints
    assert (found.console, found.exporters, found.own_trace_file) == (console, others, False)


def test_agentops_key_and_collector_are_two_destinations(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key goes to AgentOps, an endpoint to the collector, and the collector's headers stay with the collector."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-team=a%20b,x-other=c")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", __file__)
    found = config.read_config(api_key="key", endpoint="http://c:1")

    collector, hosted = found.destinations

    assert (collector.endpoint, dict(collector.headers)) == (
        "http://c:1/v1/traces",
        {"x-team": "a b", "x-other": "c"},
    )
    assert (hosted.endpoint, dict(hosted.headers)) == ("https://otlp.agentops.ai/v1/traces", {})
    assert hosted.agentops is not None
    assert (collector.certificate, hosted.certificate) == (Path(__file__), None)
    assert found.auto_start_session


def test_self_hosted_agentops_is_named_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """A self-hosted AgentOps has its own endpoints for keys, spans and pages; without that of spans none is sent."""
    monkeypatch.setenv("AGENTOPS_API_ENDPOINT", "http://api.example/")
    refused = refusal(api_key="key")
    monkeypatch.setenv("AGENTOPS_EXPORTER_ENDPOINT", "http://otlp.example:4317")
    monkeypatch.setenv("AGENTOPS_APP_URL", "http://app.example/")

    found = only(config.read_config(api_key="key"))

    assert "AGENTOPS_EXPORTER_ENDPOINT='' is not usable" in refused
    assert (found.endpoint, found.protocol) == ("http://otlp.example:4317", "grpc")
    assert found.agentops == config.AgentOps(
        api_key="key", api_endpoint="http://api.example", app_url="http://app.example"
    )


def test_protocol_with_a_key_alone_is_agentops_own() -> None:
    """With a key and no endpoint, the protocol says how to speak to AgentOps."""
    found = only(config.read_config(api_key="key", protocol="grpc"))

    assert (found.endpoint, found.protocol) == ("https://otlp.agentops.ai:4317", "grpc")


def test_secrets_are_in_no_repr() -> None:
    """Neither a key nor a header nor a password in a URL shows in the settings' repr."""
    found = config.read_config(
        api_key="hunter2-key", endpoint="http://user:hunter2@c:1/?k=hunter2", headers={"x-key": "hunter2"}
    )

    assert "hunter2" not in repr(found)


def test_otlp_variables_keep_their_meaning(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Time-out, compression and certificates come from the OTLP variables, the signal's own before the general one."""
    pem = tmp_path / "ca.pem"
    pem.touch()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "3")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "2.5")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", str(pem))

    found = only(config.read_config(endpoint="http://c:1"))

    assert (found.timeout_s, found.compression, found.certificate) == (2.5, "gzip", pem)


def test_zstd_is_for_the_collector_that_the_user_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    """The collector gets zstd, the hosted AgentOps gzip, which every OTLP server takes."""
    pytest.importorskip("zstandard")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd")

    found = config.read_config(endpoint="http://c:4318", api_key="key").destinations

    assert {(to.agentops is not None, to.compression) for to in found} == {(False, "zstd"), (True, "gzip")}


def test_zstd_without_its_package_or_over_grpc_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the setting and says what to install, or what gRPC has instead."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd")
    monkeypatch.setitem(sys.modules, "zstandard", None)

    assert [refusal(endpoint="http://c:4318"), refusal(endpoint="http://c:4317")] == snapshot(
        [
            "OTEL_EXPORTER_OTLP_COMPRESSION='zstd' is not usable: its package is not installed: pip install zstandard",
            "OTEL_EXPORTER_OTLP_COMPRESSION='zstd' is not usable: use one of none, gzip",
        ]
    )


@pytest.mark.parametrize(
    ("text", "captured"),
    [("NO_CONTENT", False), ("EVENT_ONLY", False), ("SPAN_ONLY", True), ("span_and_event", True), ("false", False)],
)
def test_content_variable_switches_content(monkeypatch: pytest.MonkeyPatch, text: str, captured: bool) -> None:
    """The conventions' variable switches content; the argument wins over it."""
    monkeypatch.setenv(CONTENT, text)

    assert config.read_config().capture_content is captured
    assert config.read_config(capture_content=not captured).capture_content is not captured


def test_wrong_arguments_are_named() -> None:
    """A wrong argument is refused with its name, its value with secrets masked, and what would be right."""
    said = [
        refusal(endpoint="localhost:4318"),
        refusal(endpoint="http://user:hunter2@c:port?key=hunter2"),
        refusal(headers={"x-key": "hunter2\n"}),
        refusal(headers="x-key hunter2", endpoint="http://c"),
        refusal(protocol="http/json", endpoint="http://c"),
        refusal(api_key="hunter2\n"),
        refusal(tags="billing"),
        refusal(durability="disk"),
        refusal(exit_timeout_s="soon"),
        refusal(exit_timeout_s=0),
        refusal(trace_file=""),
    ]

    assert "hunter2" not in "".join(said)
    assert said == snapshot(
        [
            "endpoint='localhost:4318' is not usable: give a URL such as http://localhost:4318",
            "endpoint='http://***@c:port?***' is not usable: give a URL such as http://localhost:4318",
            "headers='x-key: ***' is not usable: a header is one line of printable characters",
            "headers='***' is not usable: write name=value,name=value, with commas in a value as %2C",
            "protocol='http/json' is not usable: use http/protobuf or grpc",
            "api_key='***' is not usable: an AgentOps key is a UUID, without spaces or line breaks",
            "tags='billing' is not usable: give a list of strings, such as [\"billing\"]",
            'durability=\'disk\' is not usable: use "batch" or "span"',
            "exit_timeout_s='soon' is not usable: give a number of seconds greater than 0",
            "exit_timeout_s='0' is not usable: give a number of seconds greater than 0",
            "trace_file='' is not usable: give a path, or False for none",
        ]
    )


def test_wrong_variables_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong variable is refused with its name, its value and what would be right."""
    wrong = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "collector",
        "OTEL_EXPORTER_OTLP_TIMEOUT": "10s",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "zip",
        "OTEL_EXPORTER_OTLP_CERTIFICATE": "/no/such.pem",
        "OTEL_EXPORTER_OTLP_HEADERS": "hunter2",
        "OTEL_TRACES_EXPORTER": "none,otlp",
        "AGENTOPS_INSTRUMENT_LLM_CALLS": "perhaps",
        "AGENTOPS_API_ENDPOINT": "ftp://api",
        CONTENT: "some",
    }
    said = []

    for name, value in wrong.items():
        with monkeypatch.context() as patched:
            patched.setenv("AGENTOPS_API_KEY", "key")
            patched.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318")
            patched.setenv(name, value)
            said.append(refusal())

    assert said == snapshot(
        [
            "OTEL_EXPORTER_OTLP_ENDPOINT='collector' is not usable: give a URL such as http://localhost:4318",
            "OTEL_EXPORTER_OTLP_TIMEOUT='10s' is not usable: give a number of seconds greater than 0",
            "OTEL_EXPORTER_OTLP_COMPRESSION='zip' is not usable: use one of none, gzip, deflate, zstd",
            "OTEL_EXPORTER_OTLP_CERTIFICATE='/no/such.pem' is not usable: give the path of a PEM file that is there",
            "OTEL_EXPORTER_OTLP_HEADERS='***' is not usable: write name=value,name=value, with commas in a value as %2C",
            "OTEL_TRACES_EXPORTER='none,otlp' is not usable: none stands alone",
            "AGENTOPS_INSTRUMENT_LLM_CALLS='perhaps' is not usable: use true or false",
            "AGENTOPS_API_ENDPOINT='ftp://api' is not usable: give a URL such as http://localhost:4318",
            "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT='some' is not usable: use NO_CONTENT, SPAN_ONLY, EVENT_ONLY or SPAN_AND_EVENT",
        ]
    )


@pytest.mark.parametrize(
    ("said", "emit", "argument", "on_spans", "in_events"),
    [
        ("", "", None, True, None),
        ("no_content", "", None, False, None),
        ("SPAN_ONLY", "", None, True, None),
        ("EVENT_ONLY", "", None, False, True),
        ("SPAN_AND_EVENT", "", None, True, True),
        ("SPAN_AND_EVENT", "false", None, True, None),
        ("NO_CONTENT", "true", None, False, False),
        ("SPAN_ONLY", "true", None, True, False),
        ("SPAN_AND_EVENT", "", False, False, False),
        ("EVENT_ONLY", "", True, True, True),
    ],
)
def test_content_goes_where_the_conventions_switches_say(
    said: str, emit: str, argument: bool | None, on_spans: bool, in_events: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The argument has the last word on content, the variables on whether there are events."""
    monkeypatch.setenv(CONTENT, said)
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT", emit)

    found = config.read_config(capture_content=argument)

    assert (found.capture_content, found.event_content) == (on_spans, in_events)


def test_guest_sends_only_what_was_asked_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside a foreign provider, only what an argument or a key asks for is left."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://env:1")

    by_variable = config.read_config(api_key="key").as_guest()
    by_argument = config.read_config(endpoint="http://named:1", trace_file=True).as_guest()
    by_nobody = config.read_config().as_guest()

    assert [destination.agentops is not None for destination in by_variable.destinations] == [True]
    assert [destination.endpoint for destination in by_argument.destinations] == ["http://named:1/v1/traces"]
    assert by_argument.own_trace_file
    assert (by_nobody.destinations, by_nobody.own_trace_file, by_nobody.console) == ((), False, False)


def test_comma_lists_and_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    """Comma lists and flags of the environment are read with their spaces and their case forgiven."""
    monkeypatch.setenv("AGENTOPS_DEFAULT_TAGS", "a, b,,a")
    monkeypatch.setenv("AGENTOPS_AUTO_START_SESSION", "True")
    monkeypatch.setenv("OTEL_SDK_DISABLED", "TRUE")
    monkeypatch.setenv("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "openai, anthropic")

    found = config.read_config()

    assert (found.tags, found.auto_start_session, found.disabled) == (("a", "b"), True, True)
    assert found.disabled_instrumentations == {"openai", "anthropic"}
