"""Settings: what is taken from where, and what is refused."""
# ruff: noqa: E501 - the messages stand as they are read

import dataclasses
import html
import inspect
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot
from opentelemetry.sdk.trace import SpanProcessor

import agentops_otel
from agentops_otel import config, environment
from agentops_otel.config import Config, Destination
from agentops_otel.settings import OPTIONS
from tests.program import ROOT, run

PEMS = (Path(__file__), ROOT / "README.md")
CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"


def only(found: Config) -> Destination:
    """The one destination there is."""
    (destination,) = found.destinations
    return destination


def test_a_config_of_nothing_is_what_init_reads_where_nothing_is_said() -> None:
    """But for what `init()` looks for: where the spans go, and a place for those that cannot go."""
    made, read = Config(), config.read_config()
    differing = [
        field.name for field in dataclasses.fields(Config) if getattr(made, field.name) != getattr(read, field.name)
    ]

    assert differing == ["destinations", "own_trace_file", "spool_dir"]
    assert only(config.read_config(endpoint="http://collector:4318")) == Destination(
        endpoint="http://collector:4318/v1/traces", protocol="http/protobuf"
    )


@pytest.mark.parametrize(
    ("variables", "proxy"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "http://one:1"}, "http://one:1"),
        ({"https_proxy": "http://one:1", "all_proxy": "http://two:2"}, "http://one:1"),
        ({"ALL_PROXY": "http://two:2", "HTTP_PROXY": "http://three:3"}, "http://two:2"),
        ({"HTTPS_PROXY": "http://one:1", "NO_PROXY": "elsewhere,collector.example"}, None),
    ],
)
def test_a_collector_is_reached_by_the_proxy_that_the_environment_names(
    variables: dict[str, str], proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By that of its scheme, or that of all; one on this machine by none."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert only(config.read_config(endpoint="https://collector.example:4318")).proxy == proxy
    assert only(config.read_config(endpoint="https://127.0.0.1:4318")).proxy is None


def refusal(**settings: object) -> str:
    """What `init()` would say of these settings."""
    with pytest.raises(agentops_otel.ConfigError) as refused:
        config.read_config(**settings)

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


@pytest.mark.parametrize(
    ("protocol", "endpoint"), [("grpc", "http://localhost:4317"), ("http/protobuf", "http://localhost:4318/v1/traces")]
)
def test_a_protocol_alone_names_a_collector(protocol: str, endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an endpoint, by argument or variable, it means that protocol's port on localhost."""
    by_argument = only(config.read_config(protocol=protocol))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
    by_variable = only(config.read_config())

    assert [(to.endpoint, to.probe) for to in (by_argument, by_variable)] == [(endpoint, False)] * 2


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
        ("otlp, otlp_proto_http", ["http://localhost:4318/v1/traces"], False, ("otlp_proto_http",)),
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


def test_the_variable_of_a_protocol_speaks_of_a_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not of AgentOps, to which it may say what it likes."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")
    found = only(config.read_config(api_key="key"))

    assert (found.endpoint, found.protocol) == ("https://otlp.agentops.ai/v1/traces", "http/protobuf")


def test_secrets_are_in_no_repr() -> None:
    """Neither a key nor a header nor a password in a URL shows in the settings' repr."""
    found = config.read_config(
        api_key="hunter2-key", endpoint="http://user:hunter2@c:1/?k=hunter2", headers={"x-key": "hunter2"}
    )

    assert "hunter2" not in repr(found)
    assert [to.agentops and repr(to.agentops) for to in found.destinations] == [
        None,
        "AgentOps(api_endpoint='https://api.agentops.ai', app_url='https://app.agentops.ai')",
    ]


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


@pytest.mark.parametrize(
    ("variable", "text", "endpoint"),
    [
        ("ENDPOINT", "http://c:1/prefix/", "http://c:1/prefix/v1/traces"),
        ("ENDPOINT", "http://c:1/prefix//", "http://c:1/prefix/v1/traces"),
        ("ENDPOINT", "http://c:1/prefix/v1/traces", "http://c:1/prefix/v1/traces"),
        ("ENDPOINT", "http://c:1/?a=b", "http://c:1/v1/traces?a=b"),
        ("ENDPOINT", " http://c:1 ", "http://c:1/v1/traces"),
        ("ENDPOINT", "http://[::1]:1", "http://[::1]:1/v1/traces"),
        ("ENDPOINT", "http://c:4317/prefix", "http://c:4317"),
        ("TRACES_ENDPOINT", "http://c:1", "http://c:1/"),
        ("TRACES_ENDPOINT", "http://c:1/prefix/", "http://c:1/prefix/"),
    ],
)
def test_prefixes_and_slashes_of_an_endpoint(
    monkeypatch: pytest.MonkeyPatch, variable: str, text: str, endpoint: str
) -> None:
    """A base gets the path once; the signal's own variable is taken as it is; gRPC has no path."""
    monkeypatch.setenv(f"OTEL_EXPORTER_OTLP_{variable}", text)

    found = only(config.read_config())

    assert found.endpoint == endpoint
    assert found.display_url == endpoint.partition("?")[0]


@pytest.mark.parametrize(
    ("text", "headers"),
    [
        ("a=b=c", {"a": "b=c"}),
        ("Authorization=Basic%20YTpi%3D%3D", {"authorization": "Basic YTpi=="}),
        ("authorization=Basic YTpi==", {"authorization": "Basic YTpi=="}),
        ("a=b%2Cc,d=e", {"a": "b,c", "d": "e"}),
        ("A=1, B = 2 ,", {"a": "1", "b": "2"}),
        ("a=", {"a": ""}),
        ("a=100%", {"a": "100%"}),
        ("a=%zz", {"a": "%zz"}),
        ("a=1,a=2", {"a": "2"}),
    ],
)
def test_values_of_headers_with_signs_of_their_own(
    monkeypatch: pytest.MonkeyPatch, text: str, headers: dict[str, str]
) -> None:
    """Equals signs, percent signs and commas, by variable and by argument."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", text)

    assert dict(only(config.read_config(endpoint="http://c:1")).headers) == headers
    assert dict(only(config.read_config(endpoint="http://c:1", headers=text)).headers) == headers


@pytest.mark.parametrize(
    ("text", "seconds"), [("10", 10.0), ("2.5", 2.5), (" 3 ", 3.0), ("1e3", 1000.0), ("10000", 10_000.0)]
)
def test_numbers_as_other_sdks_write_them(monkeypatch: pytest.MonkeyPatch, text: str, seconds: float) -> None:
    """`OTEL_EXPORTER_OTLP_TIMEOUT` is in seconds, whole or not."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", text)

    assert only(config.read_config(endpoint="http://c:1")).timeout_s == seconds


@pytest.mark.parametrize("text", ["0", "-1", "10s", "nan", "inf", "1_0x"])
def test_a_number_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """With its variable, and what would be right."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", text)

    with pytest.raises(agentops_otel.ConfigError, match=r"^OTEL_EXPORTER_OTLP_TIMEOUT=.* is not usable: give a number"):
        config.read_config(endpoint="http://c:1")


def test_zstd_is_for_the_collector_that_the_user_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    """The collector gets zstd, the hosted AgentOps gzip, which every OTLP server takes."""
    pytest.importorskip("zstandard")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd")

    found = config.read_config(endpoint="http://c:4318", api_key="key").destinations

    assert {(to.agentops is not None, to.compression) for to in found} == {(False, "zstd"), (True, "gzip")}


@pytest.mark.parametrize(
    ("said", "hosted"), [("none", "none"), ("gzip", "gzip"), ("deflate", "deflate"), (None, "none")]
)
def test_a_compression_that_every_server_takes_is_for_the_hosted_agentops_too(
    monkeypatch: pytest.MonkeyPatch, said: str | None, hosted: str
) -> None:
    """What the variable says; without it none."""
    if said:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", said)

    assert [to.compression for to in config.read_config(endpoint="http://c:4318", api_key="key").destinations] == [
        hosted,
        hosted,
    ]


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
        refusal(durability="span", spool_dir=False),
        refusal(exit_timeout_s="soon"),
        refusal(exit_timeout_s=0),
        refusal(trace_file=""),
        refusal(api_key="key", exporter_endpoint="otlp"),
        refusal(api_key="key", app_url="app"),
        refusal(api_key="key", api_endpoint="api"),
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
            "durability='disk' is not usable: use batch or span",
            'spool_dir=False is not usable: durability="span" needs the disk; give a directory, or leave it out',
            "exit_timeout_s='soon' is not usable: give a number of seconds greater than 0",
            "exit_timeout_s=0 is not usable: give a number of seconds greater than 0",
            "trace_file='' is not usable: give a path, or False for none",
            "exporter_endpoint='otlp' is not usable: give a URL such as http://localhost:4318",
            "app_url='app' is not usable: give a URL such as http://localhost:4318",
            "api_endpoint='api' is not usable: give a URL such as http://localhost:4318",
        ]
    )


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("api_key", 5), ("endpoint", 5), ("endpoint", ""), ("headers", 5), ("headers", ["a=b"]), ("protocol", 5),
        ("service_name", 5), ("service_name", ""), ("tags", 5), ("tags", [5]), ("tags", ["a", 5]), ("tags", {"a": 1}),
        ("capture_content", "perhaps"), ("capture_content", 2), ("capture_content", []), ("redact", "x"), ("redact", 5),
        ("redact", "no.such:function"), ("redact", ".:x"), ("redact", "os:no_such"), ("instrument_llm_calls", "perhaps"),
        ("instrument_taskweaver", 5), ("instrument_frameworks", 5), ("propagate_threads", "x"),
        ("auto_start_session", "x"), ("tracer_provider", 1),
        ("span_processors", 5), ("span_processors", [1]), ("span_processors", [SpanProcessor(), 1]), ("console", "perhaps"), ("trace_file", 5), ("trace_file", b"x"),
        ("spool_dir", 5), ("spool_dir", ""), ("durability", "disk"), ("durability", 5), ("exit_timeout_s", "soon"),
        ("exit_timeout_s", True), ("exit_timeout_s", []), ("upload_logs", "x"), ("upload_logs", 5), ("upload_metrics", "x"),
        ("trace_name", 5),
    ],
)  # fmt: skip
def test_a_wrong_type_or_word_of_each_argument_is_named(argument: str, value: object) -> None:
    """`init()` refuses it at once, with the argument's name and what would be right."""
    with pytest.raises(agentops_otel.ConfigError, match=f"^{argument}=.* is not usable: (give|use) "):
        agentops_otel.init(**{argument: value})  # type: ignore[arg-type]  # wrong settings are the point

    assert {option.name for option in OPTIONS} - {name for name, _ in _cases_of_wrong_arguments()} == set()


def _cases_of_wrong_arguments() -> list[tuple[str, object]]:
    (mark,) = test_a_wrong_type_or_word_of_each_argument_is_named.pytestmark  # type: ignore[attr-defined]  # pytest's
    return list(mark.args[1])


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("no", False),
        ("False", False),
        ("0", False),
        ("off", False),
        (0, False),
        ("yes", True),
        ("TRUE", True),
        (1, True),
    ],
)
def test_a_word_for_true_or_false_means_what_it_says(
    word: object, meant: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `os.environ.get` gives it to an argument, and in a variable."""
    by_argument = config.read_config(
        capture_content=word, instrument_llm_calls=word, propagate_threads=word, console=word, trace_file=word
    )
    monkeypatch.setenv(CONTENT, str(word))
    monkeypatch.setenv("AGENTOPS_INSTRUMENT_LLM_CALLS", str(word))
    monkeypatch.setenv("AGENTOPS_TRACE_FILE", str(word))
    by_variable = config.read_config()

    assert [found.capture_content for found in (by_argument, by_variable)] == [meant, meant]
    assert [found.instrument_llm_calls for found in (by_argument, by_variable)] == [meant, meant]
    assert [found.own_trace_file for found in (by_argument, by_variable)] == [meant, meant]
    assert (by_argument.propagate_threads, by_argument.console) == (meant, meant)


def test_an_argument_wins_over_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each argument that has a variable, also where it is the default."""
    monkeypatch.setenv("AGENTOPS_INSTRUMENT_LLM_CALLS", "false")
    monkeypatch.setenv("AGENTOPS_AUTO_START_SESSION", "true")
    monkeypatch.setenv("AGENTOPS_DURABILITY", "span")
    monkeypatch.setenv("AGENTOPS_EXIT_TIMEOUT_S", "9")
    monkeypatch.setenv("AGENTOPS_SPOOL_DIR", "/variable")
    monkeypatch.setenv("AGENTOPS_TRACE_FILE", "/variable.jsonl")
    monkeypatch.setenv("AGENTOPS_REDACT", "html:escape")
    monkeypatch.setenv("AGENTOPS_DEFAULT_TAGS", "variable")

    by_variable = config.read_config()
    by_argument = agentops_otel.init(
        instrument_llm_calls=True, auto_start_session=False, durability="batch", exit_timeout_s=2.0, spool_dir=False,
        trace_file=False, redact=_mask, tags=["argument"], console=False,
    ).config  # fmt: skip

    assert [
        (c.instrument_llm_calls, c.auto_start_session, c.durability, c.exit_timeout_s, c.spool_dir, c.trace_file,
         c.redact, c.tags)
        for c in (by_variable, by_argument)
    ] == [
        (False, True, "span", 9.0, Path("/variable"), Path("/variable.jsonl"), html.escape, ("variable",)),
        (True, False, "batch", 2.0, None, None, _mask, ("argument",)),
    ]  # fmt: skip


def _mask(name: str, text: str) -> str | None:
    return text


@pytest.mark.parametrize(("place", "why"), [("json:nothing", "no attribute 'nothing'"), ("no_such:x", "no_such")])
def test_a_place_where_no_function_is_says_what_is_missing(place: str, why: str) -> None:
    """As Python says it."""
    with pytest.raises(agentops_otel.ConfigError, match=f"or its place as package.module:function .*{why}"):
        config.read_config(redact=place)


@pytest.mark.parametrize("place", ["r:mask", "redacting.rules:mask", "_r2:mask"])
def test_the_place_of_a_function_is_a_module_of_any_name(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a package too; what stands there is used, whatever else the module has."""
    file = tmp_path / f"{place.partition(':')[0].replace('.', '/')}.py"
    file.parent.mkdir(exist_ok=True)
    file.write_text("text = 'no function'\ndef mask(name, text): return name + text")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("AGENTOPS_REDACT", place)
    before = set(sys.modules)

    redact = config.read_config().redact
    wrong = refusal(redact=f"{place.partition(':')[0]}:text")
    for module in set(sys.modules) - before:
        del sys.modules[module]

    assert redact is not None
    assert redact("a", "b") == "ab"
    assert wrong.endswith(
        "is not usable: give a function (attribute name, text) -> text or None, or its place as package.module:function"
    )


def test_a_misspelled_argument_is_told_the_nearest() -> None:
    """The error says what was meant."""
    with pytest.raises(
        TypeError, match="unexpected keyword argument 'capture_contents'; did you mean 'capture_content'"
    ):
        agentops_otel.init(capture_contents=False)  # type: ignore[call-arg]  # wrong on purpose
    with pytest.raises(TypeError, match="unexpected keyword argument 'end_point'; did you mean 'endpoint'"):
        config.read_config(end_point="http://c:4318")


def test_a_setting_is_said_once() -> None:
    """The rows of settings, `init()`'s signature and docstring, `Config` and the page of settings are the same."""
    parameters = list(inspect.signature(agentops_otel.init).parameters.values())
    explained = " ".join((agentops_otel.init.__doc__ or "").split())
    page = (ROOT / "docs/settings.md").read_text()
    in_config = {name for name in Config.__dataclass_fields__} | {"api_key", "endpoint", "headers", "protocol"}

    assert [parameter.name for parameter in parameters[:-1]] == [option.name for option in OPTIONS]
    assert {option.name for option in OPTIONS} <= in_config
    for option, parameter in zip(OPTIONS, parameters, strict=False):
        variables = ", ".join(f"`{name}`" for name in option.variables)
        own_section = explained.partition(f" {option.name}: ")[2][:400]
        assert parameter.default == (None if option.variables else option.default), option.name
        assert own_section.startswith(option.sentence), option.name
        assert not option.variables or f"Default: `{option.variables[-1]}`" in own_section, option.name
        assert f"\n| `{option.name}` | {variables} | {option.shown_default} |\n" in page


def test_an_exporter_that_nobody_installed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """With an unknown word in OTEL_TRACES_EXPORTER nothing would be exported, in silence."""
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "otpl")

    assert refusal() == "OTEL_TRACES_EXPORTER='otpl' is not usable: no such exporter is installed; did you mean otlp?"


def test_wrong_variables_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong variable is refused with its name, its value and what would be right."""
    wrong = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "collector",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json",
        "OTEL_EXPORTER_OTLP_TIMEOUT": "10s",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "zip",
        "OTEL_EXPORTER_OTLP_CERTIFICATE": "/no/such.pem",
        "OTEL_EXPORTER_OTLP_HEADERS": "hunter2",
        "OTEL_TRACES_EXPORTER": "none,otlp",
        "AGENTOPS_INSTRUMENT_LLM_CALLS": "perhaps",
        "AGENTOPS_TRUST_CALLERS": "perhaps",
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
            "OTEL_EXPORTER_OTLP_PROTOCOL='http/json' is not usable: use http/protobuf or grpc",
            "OTEL_EXPORTER_OTLP_TIMEOUT='10s' is not usable: give a number of seconds greater than 0",
            "OTEL_EXPORTER_OTLP_COMPRESSION='zip' is not usable: use one of none, gzip, deflate, zstd",
            "OTEL_EXPORTER_OTLP_CERTIFICATE='/no/such.pem' is not usable: give the path of a PEM file that is there",
            "OTEL_EXPORTER_OTLP_HEADERS='***' is not usable: write name=value,name=value, with commas in a value as %2C",
            "OTEL_TRACES_EXPORTER='none,otlp' is not usable: none stands alone",
            "AGENTOPS_INSTRUMENT_LLM_CALLS='perhaps' is not usable: use true or false",
            "AGENTOPS_TRUST_CALLERS='perhaps' is not usable: use true or false",
            "AGENTOPS_API_ENDPOINT='ftp://api' is not usable: give a URL such as http://localhost:4318",
            "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT='some' is not usable: use NO_CONTENT, SPAN_ONLY, EVENT_ONLY or SPAN_AND_EVENT, or true or false",
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


@pytest.mark.parametrize(
    ("shell", "other", "is_notebook"),
    [
        (SimpleNamespace(kernel=1), "json", True),
        (SimpleNamespace(), "json", False),
        (None, "json", False),
        (SimpleNamespace(kernel=1), "taskweaver.ces.runtime.executor", False),
    ],
)
def test_a_notebook_is_told_by_its_kernel(
    shell: object, other: str, is_notebook: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """IPython in a terminal has none, and that of TaskWeaver has no cells of the user's."""
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setitem(sys.modules, other, sys.modules.get(other, SimpleNamespace()))

    assert environment.notebook_shell() is (shell if is_notebook else None)


@pytest.mark.parametrize("name", ["trace_file", "console"])
def test_guest_writes_only_where_it_was_asked_by_name(name: str) -> None:
    """The exporters of the environment are the other provider's."""
    asked = config.Config(exporters=("theirs",), own_trace_file=True, console=True, by_name=frozenset({name}))

    found = asked.as_guest()

    assert (found.exporters, found.own_trace_file, found.console) == ((), name == "trace_file", name == "console")


@pytest.mark.parametrize(
    ("protocol", "endpoint", "of_metrics"),
    [
        ("grpc", "http://c:4317", "http://c:4317"),
        ("http/protobuf", "http://c:4317/v1/traces", "http://c:4317/v1/metrics"),
    ],
)
def test_metrics_go_as_the_spans_do(
    monkeypatch: pytest.MonkeyPatch, protocol: str, endpoint: str, of_metrics: str
) -> None:
    """By the protocol that the variable of the spans names, whatever the port means by itself."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", endpoint)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", protocol)

    found = config.read_config(upload_metrics=True)

    assert [(place.protocol, place.endpoint) for place in found.metrics] == [(protocol, of_metrics)]


@pytest.mark.parametrize(
    ("variables", "trusts", "follows_mcp"),
    [
        ({}, False, True),
        ({"AGENTOPS_TRUST_CALLERS": "true"}, True, True),
        ({"AGENTOPS_TRUST_CALLERS": "false"}, False, False),
        ({"OTEL_TRACES_SAMPLER": "parentbased_always_on"}, True, True),
        ({"OTEL_TRACES_SAMPLER": "always_on", "AGENTOPS_TRUST_CALLERS": "false"}, True, False),
    ],
)
def test_whose_traces_are_followed(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], *, trusts: bool, follows_mcp: bool
) -> None:
    """No web caller's but by the switch or a sampler of one's own; an MCP client's until the switch is off."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    found = config.read_config()

    assert (found.trust_callers, found.follow_mcp) == (trusts, follows_mcp)


@pytest.mark.parametrize(
    ("given", "by_name"),
    [
        ({"endpoint": "http://c:4318"}, {"endpoint"}),
        ({"api_key": "00000000-0000-4000-8000-000000000000"}, {"api_key"}),
        ({"trace_file": "t.jsonl"}, {"trace_file"}),
        ({"console": True}, {"console"}),
        ({"console": False, "trace_file": False}, set()),
    ],
)
def test_what_was_asked_for_by_its_name_is_known(given: dict[str, object], by_name: set[str]) -> None:
    """A guest sends nothing else."""
    assert config.read_config(**given).by_name == by_name


def test_comma_lists_and_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    """Comma lists and flags of the environment are read with their spaces and their case forgiven."""
    monkeypatch.setenv("AGENTOPS_DEFAULT_TAGS", "a, b,,a")
    monkeypatch.setenv("AGENTOPS_AUTO_START_SESSION", "True")
    monkeypatch.setenv("OTEL_SDK_DISABLED", "TRUE")
    monkeypatch.setenv("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "openai, anthropic")

    found = config.read_config()

    assert (found.tags, found.auto_start_session, found.disabled) == (("a", "b"), True, True)
    assert found.disabled_instrumentations == {"openai", "anthropic"}


@pytest.mark.parametrize("read", ["argument", "variable"])
@pytest.mark.parametrize(("text", "right"), [("86400", True), ("86400.1", False), ("0.001", True), ("0", False)])
def test_a_duration_is_more_than_nothing_and_a_day_at_most(
    text: str, right: bool, read: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That of the exit, and that of a request."""
    named = {"exit_timeout_s": text} if read == "argument" else {}
    if read == "variable":
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", text)

    if right:
        found = config.read_config(endpoint="http://c:4318", **named)
        assert float(text) in (found.exit_timeout_s, only(found).timeout_s)
    else:
        assert refusal(endpoint="http://c:4318", **named).endswith("give a number of seconds greater than 0")


OF_A_SIGNAL: dict[str, tuple[str, str, Callable[[Destination], object], object, object, object]] = {
    "HEADERS": ("x=own", "x=general", lambda to: dict(to.headers), {"x": "own"}, {"x": "general"}, {}),
    "TIMEOUT": ("3", "4", lambda to: to.timeout_s, 3.0, 4.0, 10.0),
    "COMPRESSION": ("gzip", "deflate", lambda to: to.compression, "gzip", "deflate", "none"),
    "PROTOCOL": ("grpc", "http/protobuf", lambda to: to.protocol, "grpc", "http/protobuf", "http/protobuf"),
    "CERTIFICATE": (__file__, str(ROOT / "README.md"), lambda to: to.certificate, *PEMS, None),
    "CLIENT_CERTIFICATE": (__file__, str(ROOT / "README.md"), lambda to: to.client_certificate, *PEMS, None),
    "CLIENT_KEY": (__file__, str(ROOT / "README.md"), lambda to: to.client_key, *PEMS, None),
}
"""Variable -> its words for one signal and for all, what they decide, and what that is then, and without them."""


@pytest.mark.parametrize("name", OF_A_SIGNAL)
@pytest.mark.parametrize("signal", ["traces", "metrics"])
def test_a_variable_of_a_signal_wins_over_that_of_all(name: str, signal: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each OTLP variable, for spans and for metrics, at an endpoint that is named for all."""
    own, general, decided, owns, generals, default = OF_A_SIGNAL[name]
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318")

    def found() -> object:
        read = config.read_config(upload_metrics=True)
        (to,) = read.destinations if signal == "traces" else read.metrics
        return decided(to)

    without = found()
    monkeypatch.setenv(f"OTEL_EXPORTER_OTLP_{name}", general)
    by_general = found()
    monkeypatch.setenv(f"OTEL_EXPORTER_OTLP_{signal.upper()}_{name}", own)

    assert (without, by_general, found()) == (default, generals, owns)


@pytest.mark.parametrize(
    ("signal", "variables", "endpoint"),
    [
        ("traces", {}, "https://c:4317"),
        ("traces", {"OTEL_EXPORTER_OTLP_INSECURE": "True"}, "http://c:4317"),
        (
            "traces",
            {"OTEL_EXPORTER_OTLP_INSECURE": "true", "OTEL_EXPORTER_OTLP_TRACES_INSECURE": "no"},
            "https://c:4317",
        ),
        ("traces", {"OTEL_EXPORTER_OTLP_METRICS_INSECURE": "true"}, "https://c:4317"),
        ("metrics", {"OTEL_EXPORTER_OTLP_METRICS_INSECURE": "true"}, "http://c:4317"),
    ],
)
def test_a_target_without_a_scheme_is_spoken_to_in_the_clear_where_that_is_said(
    signal: str, variables: dict[str, str], endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of its signal, or of all."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    found = config.read_config(endpoint="c:4317", protocol="grpc", upload_metrics=True)
    (to,) = found.destinations if signal == "traces" else found.metrics

    assert to.endpoint == endpoint


@pytest.mark.parametrize(
    ("given", "variables", "places"),
    [
        ({}, {}, [("http://localhost:4318/v1/metrics", True)]),
        ({"endpoint": "http://c:4318"}, {}, [("http://c:4318/v1/metrics", False)]),
        ({"endpoint": "http://c:4318/x/v1/traces"}, {}, [("http://c:4318/x/v1/metrics", False)]),
        ({}, {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:1/own"}, [("http://localhost:4318/v1/metrics", True)]),
        ({}, {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:1/x/v1/traces"}, [("http://c:1/x/v1/metrics", False)]),
        ({}, {"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://m:1/own"}, [("http://m:1/own", False)]),
        ({}, {"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://m:1"}, [("http://m:1/", False)]),
        ({}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://m:1/x/"}, [("http://m:1/x/v1/metrics", False)]),
        ({"endpoint": "http://c:4317"}, {}, [("http://c:4317", False)]),
        ({"api_key": "key"}, {}, [("https://otlp.agentops.ai/v1/metrics", False)]),
        ({"api_key": "key", "protocol": "grpc"}, {}, [("https://otlp.agentops.ai:4317", False)]),
        (
            {"api_key": "key", "endpoint": "http://c:4318"}, {},
            [("http://c:4318/v1/metrics", False), ("https://otlp.agentops.ai/v1/metrics", False)],
        ),
        (
            {"api_key": "key"}, {"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://m:1/own"},
            [("http://m:1/own", False), ("https://otlp.agentops.ai/v1/metrics", False)],
        ),
        ({"trace_file": "t.jsonl"}, {}, [("http://localhost:4318/v1/metrics", True)]),
        ({"upload_metrics": False}, {}, []),
    ],
)  # fmt: skip
def test_where_metrics_go(
    given: dict[str, object], variables: dict[str, str], places: list[tuple[str, bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the spans do, but that the variables of metrics speak of the collector's; whether one has to answer first."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    found = config.read_config(**{"upload_metrics": True, **given})

    assert [(to.endpoint, to.probe) for to in found.metrics] == places
    assert {to.signal for to in found.metrics} <= {"metrics"}
    assert {to.signal for to in found.destinations} <= {"traces"}


def test_what_spans_are_sent_with_is_for_metrics_too_unless_theirs_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Headers and certificates of a collector whose place is known by that for spans."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://c:4318/v1/traces")
    for name in ("CERTIFICATE", "CLIENT_CERTIFICATE", "CLIENT_KEY"):
        monkeypatch.setenv(f"OTEL_EXPORTER_OTLP_TRACES_{name}", __file__)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "x=spans")

    (as_spans,) = config.read_config(upload_metrics=True).metrics
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_HEADERS", "x=metrics")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_CLIENT_KEY", str(ROOT / "README.md"))
    (own,) = config.read_config(upload_metrics=True).metrics
    (given,) = config.read_config(upload_metrics=True, headers={"x": "given"}).metrics

    assert [
        (dict(to.headers), to.certificate, to.client_certificate, to.client_key) for to in (as_spans, own, given)
    ] == [
        ({"x": "spans"}, Path(__file__), Path(__file__), Path(__file__)),
        ({"x": "metrics"}, Path(__file__), Path(__file__), ROOT / "README.md"),
        ({"x": "given"}, Path(__file__), Path(__file__), ROOT / "README.md"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("variables", "seconds"),
    [({}, 60.0), ({"OTEL_METRIC_EXPORT_INTERVAL": "1500"}, 1.5), ({"OTEL_METRIC_EXPORT_INTERVAL": "1"}, 0.001)],
)
def test_metrics_are_collected_as_often_as_the_variable_says(
    variables: dict[str, str], seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In milliseconds; it is not looked at where there are none."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert config.read_config(upload_metrics=True).metrics_interval_s == seconds
    assert config.read_config().metrics_interval_s == 60.0


@pytest.mark.parametrize(
    ("variable", "word", "right"),
    [
        ("OTEL_METRIC_EXPORT_INTERVAL", "0", "give a number of milliseconds greater than 0"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "1.5", "give a number of milliseconds greater than 0"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "1234567890", "give a number of milliseconds greater than 0"),
        (
            "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "deltas", "use cumulative, delta or lowmemory",
        ),
        (
            "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", "exponential",
            "use explicit_bucket_histogram or base2_exponential_bucket_histogram",
        ),
    ],
)  # fmt: skip
def test_a_wrong_word_about_metrics_is_named_where_there_are_any(
    variable: str, word: str, right: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be said by OpenTelemetry in the middle of the program."""
    monkeypatch.setenv(variable, word)

    assert refusal(upload_metrics=True) == f"{variable}={word!r} is not usable: {right}"
    assert config.read_config().metrics == ()


@pytest.mark.parametrize(
    ("variable", "word"),
    [
        *(("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", word) for word in ("Cumulative", "DELTA", "lowmemory")),
        ("OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", "explicit_bucket_histogram"),
        ("OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", "base2_exponential_bucket_histogram"),
    ],
)
def test_the_words_that_opentelemetry_knows_about_metrics_are_right(
    variable: str, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In any case."""
    monkeypatch.setenv(variable, word)

    assert len(config.read_config(upload_metrics=True).metrics) == 1


@pytest.mark.parametrize(
    ("words", "sent"),
    [
        ("otlp", True), ("none", False), ("console", False), ("prometheus", False), ("console,otlp", True),
        ("prometheus, none", False),
    ],
)  # fmt: skip
def test_metrics_are_sent_where_otlp_is_among_the_exporters(
    words: str, sent: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are for whom they name, installed or not."""
    monkeypatch.setenv("OTEL_METRICS_EXPORTER", words)

    assert config.read_config().upload_metrics is sent


def test_an_unknown_exporter_of_metrics_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first of them, and what would be right; one that is installed for spans alone is none."""
    monkeypatch.setenv("OTEL_METRICS_EXPORTER", "otlp,otlp_proto_http")
    assert config.read_config().upload_metrics

    for words, unknown in (("otlp,otpl,x", "otpl"), ("agentops", "agentops")):
        monkeypatch.setenv("OTEL_METRICS_EXPORTER", words)

        assert refusal() == (
            f"OTEL_METRICS_EXPORTER='{unknown}' is not usable: use otlp, none or the name of an installed exporter"
        )


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("otpl", "did you mean otlp?"),
        ("consol", "did you mean console?"),
        ("non", "did you mean none?"),
        ("agentop", "did you mean agentops?"),
        ("xyz", "use otlp, console, none or the name of an installed exporter"),
    ],
)
def test_an_unknown_exporter_of_spans_is_told_what_is_near(
    name: str, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else what there is."""
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", name)

    assert refusal() == f"OTEL_TRACES_EXPORTER='{name}' is not usable: no such exporter is installed; {advice}"


@pytest.mark.parametrize(
    ("given", "variables", "destinations", "own_file", "spare"),
    [
        ({}, {}, 1, True, False),
        ({}, {"OTEL_CONFIG_FILE": "otel.yaml"}, 0, False, False),
        ({}, {"OTEL_TRACES_EXPORTER": "none"}, 0, False, False),
        ({"api_key": "key"}, {}, 1, False, True),
        ({"api_key": "key", "trace_file": False}, {}, 1, False, False),
        ({"api_key": "key", "trace_file": True}, {}, 1, True, False),
        ({"api_key": "key", "endpoint": "http://c:4318"}, {}, 2, False, False),
        ({"endpoint": "http://c:4318"}, {}, 1, False, False),
        ({"endpoint": "http://c:4318", "trace_file": True}, {}, 1, True, False),
        ({"endpoint": "http://c:4318"}, {"OTEL_TRACES_EXPORTER": "none"}, 1, False, False),
        ({"api_key": "key"}, {"OTEL_TRACES_EXPORTER": "none"}, 1, False, True),
        ({}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_TRACES_EXPORTER": "console"}, 0, False, False),
        ({}, {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "AGENTOPS_API_KEY": "key"}, 1, False, True),
        ({"trace_file": False}, {}, 1, False, False),
    ],
)
def test_where_spans_go_besides(
    given: dict[str, object],
    variables: dict[str, str],
    destinations: int,
    own_file: bool,
    spare: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A file of the process's own where nothing else is set up, and one to spare where AgentOps is all there is."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    found = config.read_config(**given)

    assert (len(found.destinations), found.own_trace_file, found.spare_trace_file) == (destinations, own_file, spare)


@pytest.mark.parametrize(
    ("variables", "by_name", "exporters"),
    [
        ({"AGENTOPS_API_KEY": "key"}, {"api_key"}, ()),
        ({"AGENTOPS_API_KEY": "key", "OTEL_TRACES_EXPORTER": "agentops"}, set(), ()),
        ({"AGENTOPS_API_KEY": "key", "OTEL_TRACES_EXPORTER": "console"}, {"api_key"}, ()),
        ({"OTEL_TRACES_EXPORTER": "otlp_proto_http,console"}, set(), ("otlp_proto_http",)),
        ({"AGENTOPS_TRACE_FILE": "true", "AGENTOPS_CONSOLE": "true"}, {"trace_file"}, ()),
    ],
)
def test_what_a_variable_of_ours_names_is_asked_for_by_name(
    variables: dict[str, str],
    by_name: set[str],
    exporters: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not the key of an account whose exporter the provider's owner has: each span would be sent twice."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    found = config.read_config()

    assert (set(found.by_name), found.exporters) == (by_name, exporters)


def test_printed_text_is_uploaded_where_there_is_an_account_and_content(monkeypatch: pytest.MonkeyPatch) -> None:
    """If that is asked for: an argument without an account is refused; a variable is for the programs that have one."""
    assert not config.read_config(api_key="key").upload_logs
    monkeypatch.setenv("AGENTOPS_UPLOAD_LOGS", "true")

    assert config.read_config(api_key="key").upload_logs
    assert not config.read_config(api_key="key", upload_logs=False).upload_logs
    assert not config.read_config(api_key="key", capture_content=False).upload_logs
    assert not config.read_config().upload_logs
    assert refusal(upload_logs=True) == (
        "upload_logs=True is not usable: what is printed goes to an AgentOps account: give api_key too"
    )


@pytest.mark.parametrize(
    ("key", "session"),
    [({}, False), ({"api_key": "key"}, True), ({"api_key": "key", "auto_start_session": False}, False)],
)
def test_a_session_starts_by_itself_where_there_is_an_account(key: dict[str, object], session: bool) -> None:
    """Its name is AgentOps', or a session's."""
    found = config.read_config(**key)

    assert (found.auto_start_session, found.session_name, found.session_id) == (session, "session", None)


def test_the_name_of_a_session_that_starts_by_itself_may_be_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """AgentOps' own; and its other variables are the account's."""
    monkeypatch.setenv("AGENTOPS_TRACE_NAME", "nightly")
    monkeypatch.setenv("OTEL_SEMCONV_STABILITY_OPT_IN", "gen_ai_latest_experimental, http")

    found = config.read_config()

    assert found.session_name == "nightly"
    assert found.semconv_opt_in == {"gen_ai_latest_experimental", "http"}


@pytest.mark.parametrize(("value", "meant"), [("~/t.jsonl", Path("/me/t.jsonl")), (Path("t.jsonl"), Path("t.jsonl"))])
def test_a_path_may_begin_at_home(value: str | Path, meant: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As text or as a path."""
    monkeypatch.setenv("HOME", "/me")

    assert config.read_config(trace_file=value).trace_file == meant
    assert config.read_config(spool_dir=value).spool_dir == meant


@pytest.mark.parametrize("tags", [["a", "b", "a"], ("a", "b"), {"a": 1, "b": 2}.keys(), frozenset({"a"}), {"a"}])
def test_tags_are_a_list_of_any_kind(tags: object) -> None:
    """Each once, in their order."""
    if isinstance(tags, list | tuple | set | frozenset):
        assert config.read_config(tags=tags).tags == tuple(dict.fromkeys(tags))
    else:
        assert refusal(tags=tags).endswith('give a list of strings, such as ["billing"]')


@pytest.mark.parametrize(
    "headers",
    [
        {"": "a"},
        {"a b": "c"},
        {"a": "é"},
        {"a": "b\x7f"},
        {"a": 5},
        {"é": "a"},
        {"a": "x\ty"},
        "=a",
        "a b=c",
    ],
)
def test_a_header_that_no_request_can_have_is_refused(headers: object) -> None:
    """Its value is not said."""
    assert refusal(headers=headers, endpoint="http://c:4318").endswith(
        ": ***' is not usable: a header is one line of printable characters"
    )


def test_the_name_of_a_header_is_in_lower_case_and_may_have_any_sign_of_a_token() -> None:
    """By HTTP's own definition."""
    name = "AZaz09!#$%&'*+-.^_`|~"

    assert dict(only(config.read_config(endpoint="http://c:4318", headers={f" {name} ": "v w"})).headers) == {
        name.lower(): "v w"
    }


@pytest.mark.parametrize(
    "url",
    [
        "http://c d:1",
        "http://c:1/a\tb",
        "http://",
        "c",
        "ftp://c",
        "http://c:70000",
        "http://c:x",
        "http:///p",
        "\x1fhttp://c",
    ],
)
def test_what_is_no_url_is_refused(url: str) -> None:
    """It is said how one looks."""
    assert refusal(endpoint=url).endswith("is not usable: give a URL such as http://localhost:4318")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("x" * 19, "x" * 19),
        ("x" * 20, "***"),
        ("a-b_9" * 4, "***"),
        ("http://me:pw@c/p?key=1#f", "http://***@c/p?***"),
        ("//me@c", "//***@c"),
        ("a@b", "a@b"),
        ("what?", "what?***"),
    ],
)
def test_what_may_be_secret_in_a_message_is_masked(text: str, shown: str) -> None:
    """User and password, query, and words as long as a key."""
    assert environment.masked(text) == shown


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("localhost", True), ("LOCALHOST", True), ("localhost.", True), ("a.localhost", True), ("127.0.0.1", True),
        ("127.9.9.9", True), ("::1", True), ("0.0.0.0", False), ("10.0.0.1", False), ("localhost.example", False),
        ("notlocalhost", False), ("", False),
    ],
)  # fmt: skip
def test_which_hosts_are_this_machine(host: str, here: bool) -> None:
    """By name or address; to these no proxy is asked."""
    assert environment.is_loopback(host) is here


@pytest.mark.parametrize("word", ["true", "1", "yes", "on", "TRUE", "false", "0", "no", "off", "Off"])
def test_each_word_for_true_or_false_is_known(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a variable, in any case."""
    monkeypatch.setenv("AGENTOPS_TRUST_CALLERS", word)
    monkeypatch.setenv("AGENTOPS_CONSOLE", word)
    found = config.read_config()

    assert found.trust_callers is found.follow_mcp is found.console is (word.lower() in ("true", "1", "yes", "on"))


def test_a_destination_is_shown_without_what_may_be_secret() -> None:
    """Its address and protocol; IPv6 in brackets, the port where one is named."""
    shown = [
        repr(Destination(endpoint=endpoint, headers={"x": "secret"}))
        for endpoint in ("http://u:p@c:1/p?q=1", "https://c/p", "http://[::1]:4318/v1/traces")
    ]

    assert shown == [
        "Destination('http://c:1/p', 'http/protobuf')",
        "Destination('https://c/p', 'http/protobuf')",
        "Destination('http://[::1]:4318/v1/traces', 'http/protobuf')",
    ]


def test_the_page_of_a_trace_is_below_the_dashboard() -> None:
    """AgentOps' own, or that which is named, with or without a slash."""
    hosted, own = config.AgentOps(api_key="k"), config.AgentOps(api_key="k", app_url="http://a.example/")

    assert [one.session_url("0f") for one in (hosted, own)] == [
        "https://app.agentops.ai/sessions?trace_id=0f",
        "http://a.example/sessions?trace_id=0f",
    ]
    assert hosted.api_endpoint == "https://api.agentops.ai"


def test_settings_that_differ_are_named_without_their_values() -> None:
    """In the order of the settings."""
    assert Config(tags=("a",)).differences(Config(console=True)) == ["tags", "console"]
    assert Config().differences(Config()) == []


@pytest.mark.parametrize("key", ["", "two words", "schlüssel", "a\tb", "\x7f"])
def test_a_key_that_is_none_is_refused_and_not_shown(key: str) -> None:
    """Before anything is asked of AgentOps."""
    assert refusal(api_key=key) == (
        "api_key='***' is not usable: an AgentOps key is a UUID, without spaces or line breaks"
    )


def test_the_collector_that_is_looked_for_is_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Never behind a proxy, whose localhost is another one."""
    monkeypatch.setenv("http_proxy", "http://proxy.invalid:3128")

    (local,) = config.read_config().destinations

    assert (local.probe, local.proxy) == (True, None)


def test_nothing_is_looked_for_where_a_destination_or_a_file_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By argument or variable; `trace_file=True` names none."""
    monkeypatch.chdir(tmp_path)
    by_argument = config.read_config(trace_file="t.jsonl")
    by_endpoint = config.read_config(endpoint="http://named:4318")
    any_file = config.read_config(trace_file=True)
    monkeypatch.setenv("AGENTOPS_TRACE_FILE", "t.jsonl")
    by_variable = config.read_config()

    probed = [
        any(destination.probe for destination in found.destinations)
        for found in (by_argument, by_variable, by_endpoint, any_file)
    ]
    assert probed == [False, False, False, True]


def test_without_a_home_nothing_is_kept_and_the_program_goes_on(tmp_path: Path) -> None:
    """A user id without an entry in passwd, no HOME, or a relative one: one line, no trace file, no error."""
    program = """
        import pwd

        def getpwuid(uid):
            raise KeyError(uid)

        pwd.getpwuid = getpwuid
        import agentops_otel

        agentops_otel.init(console=False)

        @agentops_otel.record_action("work")
        def work(): ...

        work()
        agentops_otel.flush(5)
        """
    for home in (None, "relative"):
        program_without = program if home else "import os; del os.environ['HOME']\n" + textwrap.dedent(program)

        done = run(program_without, cwd=tmp_path, PYTHONPATH=str(ROOT), XDG_STATE_HOME="", HOME=home or "")

        assert done.stderr.count("no trace file at") == 1, done.stderr
        assert "Traceback" not in done.stderr
        assert list(tmp_path.iterdir()) == [tmp_path / "state"] or not list(tmp_path.iterdir())


VARIABLES = sorted(
    {variable for option in OPTIONS for variable in option.variables}
    | {
        *("OTEL_METRIC_EXPORT_INTERVAL", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_HEADERS"),
        *("OTEL_TRACES_EXPORTER", "OTEL_SDK_DISABLED", "OTEL_TRACES_SAMPLER", "OTEL_CONFIG_FILE"),
        *("OTEL_EXPORTER_OTLP_TIMEOUT", "OTEL_EXPORTER_OTLP_COMPRESSION", "OTEL_EXPORTER_OTLP_INSECURE"),
        *("OTEL_EXPORTER_OTLP_CERTIFICATE", "OTEL_EXPORTER_OTLP_CLIENT_KEY", "OTEL_RESOURCE_ATTRIBUTES"),
        *("AGENTOPS_TRUST_CALLERS", "AGENTOPS_API_ENDPOINT", "AGENTOPS_APP_URL", "AGENTOPS_EXPORTER_ENDPOINT"),
        *("HTTP_PROXY", "https_proxy", "all_proxy", "no_proxy", "XDG_STATE_HOME", "HOME"),
    }
)
KEY = "ghp_" + "k3y" * 12
WORDS = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=40) | st.lists(
    st.sampled_from(
        ["http", "https", "://", "u:", KEY, "@", "[::1]", "host", ":", "4317", "/", "?a=", "#", "%", "%zz", ",", "=",
         "1e400", "-1", "nan", "true", "otlp", "grpc", " ", "\n", "..", "é", "."]
    ),
    max_size=8,
).map("".join)  # fmt: skip


@settings(max_examples=settings().max_examples * 3)
@given(variables=st.dictionaries(st.sampled_from(VARIABLES), WORDS, min_size=1, max_size=3))
def test_any_text_in_variables_is_a_setting_or_a_config_error_that_names_one(variables: dict[str, str]) -> None:
    """And a key that is in it is in no message."""
    with pytest.MonkeyPatch.context() as environment:
        for name, text in variables.items():
            environment.setenv(name, text)
        said = None
        try:
            config.read_config()
        except agentops_otel.ConfigError as error:
            said = str(error)

    assert said is None or any(name in said for name in variables)
    assert said is None or KEY not in said


@pytest.mark.parametrize(
    "wrong", [{"console": KEY}, {"service_name": [KEY]}, {"protocol": KEY}, {"tags": {"a": KEY}}, {"trace_file": [KEY]}]
)
def test_a_key_that_is_given_as_another_setting_is_masked(wrong: dict[str, object]) -> None:
    """Who mixes up two arguments does not print the key."""
    assert KEY not in refusal(**wrong)
