"""The doctor names what is wrong, on real sockets, and says what to do."""

import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Literal

import pytest
from click.testing import CliRunner
from inline_snapshot import snapshot
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from agentops_otel.cli import commands
from agentops_otel.config import Config, Destination, read_config
from agentops_otel.doctor import Finding, _frameworks, _listening, _patched, _provider, _versions, examine
from agentops_otel.export import otlp_json
from agentops_otel.view.live import LiveView, Store
from tests.loopback.agentops_backend import AgentOpsBackend
from tests.loopback.otlp_sink import Answer, OtlpSink
from tests.view.requests import request

Protocol = Literal["http/protobuf", "grpc"]


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port on which nobody listens, kept from others."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def told(destination: Destination, tags: tuple[str, ...] = ()) -> list[str]:
    """What the doctor says of a destination."""
    return lines(list(examine(Config(destinations=(destination,), tags=tags)))[3:-1])


def lines(findings: Iterable[Finding]) -> list[str]:
    """Each finding on a line, without the numbers that change."""
    said = (f"{finding.level}: {finding.text}{finding.advice and chr(10)}{finding.advice}" for finding in findings)
    return [re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", re.sub(r"in \d+ ms", "in N ms", line)) for line in said]


def last(destination: Destination) -> str:
    """The last thing that the doctor says of a destination."""
    return told(destination)[-1]


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_a_collector_that_works_gets_one_span(protocol: Protocol, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real span is sent, accepted and counted once, and header values stay secret."""
    monkeypatch.setenv("OTEL_SERVICE_NAME", "mine")
    with OtlpSink(protocol) as sink:
        destination = Destination(endpoint=endpoint(sink), protocol=protocol, headers={"x-key": "s3cret"})

        said = told(destination)

        assert list(sink.spans) == ["agentops-otel doctor"]
        span = sink.spans["agentops-otel doctor"]
        assert 0 < span.start_time_unix_nano == span.end_time_unix_nano
        assert sink.resources[span.span_id]["service.name"] == "mine"
        [scope] = [scope.scope.name for of in sink.received[0].request.resource_spans for scope in of.scope_spans]
        assert scope == "agentops_otel"
        assert sink.received[0].headers["x-key"] == "s3cret"
    assert "s3cret" not in "".join(said)
    assert [line for line in said if not line.startswith("note: localhost is")][-1].startswith(
        "ok: a span was sent to "
    )


def test_a_span_is_read_back_where_it_can_be_seen(closed_port: int) -> None:
    """From `agentops-otel view`, which says of a trace that it is there, and nothing else."""
    store = Store(None, otlp_json)
    with LiveView(store, otlp_json, port=0, otlp_port=0) as live:
        to = Destination(endpoint=f"http://127.0.0.1:{live.otlp_port}/v1/traces", protocol="http/protobuf")

        said = list(examine(Config(destinations=(to,)), jaeger_port=closed_port))
        unknown = request(live.otlp_port, "GET", f"/v1/traces/{'f' * 32}")
        other = request(live.otlp_port, "GET", "/v1/traces/")

    assert "the span was read back from agentops-otel view" in [finding.text for finding in said]
    assert (unknown[0], unknown[2]) == (404, b"")
    assert other[0] == 405
    store.close()


def endpoint(sink: OtlpSink) -> str:
    """The sink by its address, so that a host with two addresses does not matter."""
    return sink.endpoint.replace("localhost", "127.0.0.1")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(status=401), "check headers="),
        (Answer(status=404), "something else listens there"),
        (Answer(status=400), "the collector wants another protocol="),
        (Answer(status=503), "see the collector's log"),
        (Answer(rejected=1, message="quota"), "answered, and refused the span (quota)"),
    ],
)
def test_an_answer_that_is_no_yes_is_wrong(answer: Answer, said: str) -> None:
    """Each refusal names the status and what to do."""
    with OtlpSink() as sink:
        sink.answer(answer, times=1)

        found = last(Destination(endpoint=endpoint(sink)))

    assert (found.startswith("wrong: http://127.0.0.1:PORT"), said in found) == (True, True)


@pytest.mark.parametrize(
    ("code", "said"), [("UNAUTHENTICATED", "check headers="), ("UNIMPLEMENTED", "use protocol=http")]
)
def test_a_grpc_status_that_is_no_yes_is_wrong(code: str, said: str) -> None:
    """GRPC's statuses have their advice too."""
    with OtlpSink("grpc") as sink:
        sink.answer(Answer(code=code), times=1)

        found = last(Destination(endpoint=endpoint(sink), protocol="grpc"))

    assert (f"did not take a span: {code}" in found, said in found) == (True, True)


def test_grpc_spoken_to_an_http_port_is_told() -> None:
    """The two protocols of OTLP are told apart."""
    with OtlpSink() as sink:
        found = last(Destination(endpoint=endpoint(sink).removesuffix("/v1/traces"), protocol="grpc"))

    assert found.startswith("wrong")
    assert "gRPC is on 4317, HTTP on 4318" in found


def test_nobody_listening_is_wrong(closed_port: int) -> None:
    """No connection: the address is named, and no span is tried."""
    assert told(Destination(endpoint=f"http://127.0.0.1:{closed_port}/v1/traces")) == snapshot(
        [
            "ok: spans go to http://127.0.0.1:PORT/v1/traces by http/protobuf",
            """\
wrong: nobody listens on 127.0.0.1:PORT: 127.0.0.1 (Connection refused)
start a collector there, or name another: endpoint=, OTEL_EXPORTER_OTLP_ENDPOINT\
""",
        ]
    )


def test_a_collector_that_nobody_named_may_be_missing(closed_port: int) -> None:
    """Without an endpoint the local file is enough, so nothing is wrong."""
    found = last(Destination(endpoint=f"http://127.0.0.1:{closed_port}/v1/traces", probe=True))

    assert (found.startswith("note"), "nobody named a collector" in found) == (True, True)


def test_a_host_without_an_address_is_wrong() -> None:
    """A name that does not resolve is told as such."""
    assert "no.invalid is no known host" in last(Destination(endpoint="https://no.invalid/v1/traces"))


def test_an_address_where_nobody_listens_is_told() -> None:
    """The name localhost may mean two addresses of which one is served."""
    refusals = {"127.0.0.1": None, "::1": "Connection refused"}

    found = _listening(Destination(endpoint="http://localhost:4318/v1/traces"), "localhost:4318", refusals)

    assert lines(found) == snapshot(
        [
            """\
note: localhost:4318 is also ::1 (Connection refused)
write 127.0.0.1 to be sure\
""",
            "ok: localhost:4318 takes connections",
        ]
    )


@pytest.mark.parametrize(
    ("destination", "said"),
    [
        (Destination(endpoint="http://127.0.0.1:4317/v1/traces"), "4317 is where collectors speak gRPC"),
        (Destination(endpoint="http://127.0.0.1:4318", protocol="grpc"), "4318 is where collectors speak HTTP"),
        (Destination(endpoint="http://127.0.0.1:4318/"), "the path is '/'; collectors take traces at /v1/traces"),
    ],
)
def test_the_traps_of_an_endpoint_are_told(destination: Destination, said: str) -> None:
    """Ports and paths that are mixed up, whether or not somebody listens."""
    assert any(said in line for line in told(destination))


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate for 127.0.0.1 signed by itself, and the server's side of it."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl")
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
    subprocess.run(
        ["openssl", *command.split(), "-keyout", key, "-out", cert], check=True, capture_output=True, timeout=60
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(cert, key)
    return cert, server


def test_a_certificate_is_trusted_or_told(certificate: tuple[Path, ssl.SSLContext]) -> None:
    """TLS is looked at before the span is sent, with the authority that was named."""
    cert, server = certificate
    with OtlpSink(tls=server) as sink:
        trusted = told(Destination(endpoint=endpoint(sink), certificate=cert))
        stranger = told(Destination(endpoint=endpoint(sink)))

    assert trusted[1:] == snapshot(
        [
            "ok: 127.0.0.1:PORT takes connections",
            "ok: TLSv1.3 with a trusted certificate",
            "ok: a span was sent to https://127.0.0.1:PORT/v1/traces and accepted in N ms",
        ]
    )
    assert stranger[1:] == snapshot(
        [
            "ok: 127.0.0.1:PORT takes connections",
            """\
wrong: TLS with 127.0.0.1:PORT failed: self-signed certificate
name its authority: OTEL_EXPORTER_OTLP_CERTIFICATE=ca.pem; or http:// if it speaks no TLS\
""",
        ]
    )


def test_a_tls_port_that_says_nothing_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes the connection, and no handshake follows: told as TLS that failed, and no span is tried."""
    monkeypatch.setattr("agentops_otel.doctor.TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        said = told(Destination(endpoint=f"https://127.0.0.1:{silent.getsockname()[1]}/v1/traces"))

    assert said[1:] == snapshot(
        [
            "ok: 127.0.0.1:PORT takes connections",
            """\
wrong: TLS with 127.0.0.1:PORT failed: no answer in time
name its authority: OTEL_EXPORTER_OTLP_CERTIFICATE=ca.pem; or http:// if it speaks no TLS\
""",
        ]
    )


def test_a_client_certificate_that_cannot_be_read_is_told(
    certificate: tuple[Path, ssl.SSLContext], tmp_path: Path
) -> None:
    """A key that is none stops at TLS."""
    cert, server = certificate
    (tmp_path / "bad.pem").write_text("no key")
    with OtlpSink(tls=server) as sink:
        found = last(
            Destination(
                endpoint=endpoint(sink), certificate=cert, client_certificate=tmp_path / "bad.pem", client_key=cert
            )
        )

    assert found.startswith("wrong: TLS with 127.0.0.1:PORT failed")


def test_an_agentops_key_is_exchanged_before_the_span() -> None:
    """A known key sends a span; an unknown one is told, and not shown."""
    with AgentOpsBackend() as backend:
        known = backend.destination
        assert known.agentops is not None
        unknown = replace(known, agentops=replace(known.agentops, api_key="99999999-2222-4333-8444-555555555555"))

        accepted, refused = last(known), last(unknown)

    assert accepted.startswith("ok: AgentOps lists it as")
    assert refused.startswith("wrong: AgentOps gave no token for the API key\ncheck AGENTOPS_API_KEY")


def without_trace_id(text: str) -> str:
    """The text without the id of the doctor's own trace."""
    return re.sub(r"[0-9a-f]{32}", "ID", text)


def test_a_span_is_read_back_from_agentops() -> None:
    """What the list will say of it is told, however long AgentOps takes to show it."""
    with AgentOpsBackend() as backend:
        backend.shown_after = 1
        sent, shown = told(backend.destination, tags=("team", "nightly"))[-2:]

    assert sent.startswith("ok: a span was sent to ")
    assert backend.lookups == 2
    assert without_trace_id(shown) == snapshot(
        "ok: AgentOps lists it as 'agentops-otel doctor', tagged team, nightly, with status OK: see http://app.agentops.test/sessions?trace_id=ID"
    )


def test_a_destination_is_waited_for_as_long_as_it_may_take() -> None:
    """The time that its requests have is the doctor's too."""
    with OtlpSink() as sink:
        sink.answer(Answer(after_s=1.5))

        assert last(Destination(endpoint=endpoint(sink), timeout_s=0.2)).startswith("wrong: ")


def test_an_account_that_may_not_read_is_told_where_to_look() -> None:
    """That a plan has no API is no fault: the span was taken."""
    with AgentOpsBackend() as backend:
        backend.reads_are_forbidden = True
        said = last(backend.destination)

    assert without_trace_id(said) == snapshot("""\
note: AgentOps took the span; its API does not show traces to this key (answered 403)
see http://app.agentops.test/sessions?trace_id=ID\
""")


def test_a_span_that_agentops_does_not_show_is_told() -> None:
    """It is asked for some seconds, with pauses, and then the page is named."""
    with AgentOpsBackend() as backend:
        backend.shown_after = 9
        said = lines(examine(Config(destinations=(backend.destination,)), read_back_s=0.1))[-2]

        assert backend.lookups <= 2

    assert without_trace_id(said) == snapshot("""\
note: AgentOps took the span, and does not show it yet
see http://app.agentops.test/sessions?trace_id=ID\
""")


@pytest.mark.parametrize(
    ("status", "said"), [(200, "ok: {}, which takes them"), (404, "wrong: {}, which did not take")]
)
def test_where_metrics_go_is_told(status: int, said: str) -> None:
    """A request without metrics is sent there, by the way that a program's metrics take."""
    with OtlpSink() as sink:
        sink.decide = lambda received: Answer(status=status if received.metrics is not None else 200)
        metrics = Destination(endpoint=endpoint(sink).replace("traces", "metrics"), signal="metrics")

        (line,) = (line for line in lines(examine(Config(metrics=(metrics,)))) if "metrics go to" in line)

        assert [received.path for received in sink.received] == ["/v1/metrics"]
    assert line.startswith(
        said.format(f"metrics go to {metrics.display_url} by http/protobuf").replace(
            "127.0.0.1:" + str(sink.port), "127.0.0.1:PORT"
        )
    )


def test_switches_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was turned off by a variable is named with it."""
    for name, value in {
        "OTEL_SDK_DISABLED": "true",
        "OTEL_TRACES_EXPORTER": "none",
        "OTEL_CONFIG_FILE": "otel.yaml",
        "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
        "OTEL_TRACES_SAMPLER_ARG": "0.1",
        "AGENTOPS_INSTRUMENT_LLM_CALLS": "false",
        "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "openai",
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "NO_CONTENT",
    }.items():
        monkeypatch.setenv(name, value)

    said = [
        f"{finding.level}: {finding.text}"
        for finding in examine(read_config())
        if "tracer provider" not in finding.text
    ]

    assert said[2:] == snapshot(
        [
            "wrong: tracing is off: OTEL_SDK_DISABLED=true",
            "note: nothing is exported: OTEL_TRACES_EXPORTER=none",
            "note: OTEL_CONFIG_FILE=otel.yaml says where spans go: init() adds no place of its own",
            "note: not every trace is kept: OTEL_TRACES_SAMPLER=parentbased_traceidratio with 0.1",
            "note: LLM clients are left alone: AGENTOPS_INSTRUMENT_LLM_CALLS=false",
            "note: some clients are left alone: OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=openai",
            "ok: prompts, arguments and results are not captured",
        ]
    )


def test_versions_that_do_not_belong_together_are_told(tmp_path: Path) -> None:
    """A beta package made for another SDK is named with what it wants."""
    for name, version, wants in (
        ("opentelemetry-sdk", "1.45.2", ["opentelemetry-semantic-conventions==0.66b2"]),
        ("opentelemetry-semantic-conventions", "0.66b2", []),
        (
            "opentelemetry-instrumentation",
            "0.48b0",
            ["opentelemetry-semantic-conventions (==0.48b0)", "absent==1", 'extra-one==2; extra == "x"', "wrapt>=1"],
        ),
    ):
        folder = tmp_path / f"{name}-{version}.dist-info"
        folder.mkdir()
        required = "".join(f"Requires-Dist: {want}\n" for want in wants)
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{required}")
    installed = {dist.name: dist for dist in metadata.distributions(path=[str(tmp_path)])}

    found = list(_versions(installed))

    assert [finding.level for finding in found] == ["ok", "note"]
    assert found[1].text.split(" for ")[1] == "opentelemetry-semantic-conventions 0.48b0; 0.66b2 is installed"
    assert found[1].advice.endswith("--upgrade opentelemetry-instrumentation opentelemetry-semantic-conventions")


def test_the_frameworks_that_are_installed_are_told(tmp_path: Path) -> None:
    """Agent frameworks that are installed are named, with whether they are traced."""
    for name, version in (("crewai", "1.15.0"), ("langchain-core", "1.5.2"), ("flask", "3.1")):
        (tmp_path / f"{name}-{version}.dist-info").mkdir()
        (tmp_path / f"{name}-{version}.dist-info" / "METADATA").write_text(f"Name: {name}\nVersion: {version}\n")
    installed = {dist.name: dist for dist in metadata.distributions(path=[str(tmp_path)])}
    off = Config(instrument_frameworks=False)
    some = Config(disabled_instrumentations=frozenset({"crewai"}))

    assert lines(_frameworks(Config(), installed)) == [
        "ok: agent frameworks that are traced when they are imported: crewai 1.15.0, langchain-core 1.5.2"
    ]
    assert lines(_frameworks(off, installed)) == [
        "note: agent frameworks that are left alone: crewai 1.15.0, langchain-core 1.5.2"
    ]
    assert lines(_frameworks(some, installed)) == [
        "ok: agent frameworks that are traced when they are imported: langchain-core 1.5.2",
        "note: agent frameworks that are left alone: crewai 1.15.0",
    ]
    assert lines(_frameworks(Config(), {})) == []


def test_what_is_patched_twice_is_told() -> None:
    """Two packages, or one and ourselves, under the same name."""
    group = "opentelemetry_instrumentor"
    points = [
        metadata.EntryPoint("openai", "theirs:X", group),
        metadata.EntryPoint("flask", "a:X", group),
        metadata.EntryPoint("requests", "a:X", group),
        metadata.EntryPoint("requests", "b:X", group),
    ]

    said = [finding.text.split(":")[0] for finding in _patched(points)]

    assert len(said) == 2


class Foreign(trace.TracerProvider):
    """A vendor's provider."""

    def get_tracer(self, *args: object, **kwargs: object) -> trace.Tracer:
        """Give a tracer that records nothing."""
        return trace.NoOpTracer()


@pytest.mark.parametrize(
    ("provider", "level", "said"),
    [
        (trace.ProxyTracerProvider(), "ok", "init() sets one of its own"),
        (TracerProvider(shutdown_on_exit=False), "note", "init() adds to it"),
        (Foreign(), "note", "takes no span processors"),
    ],
)
def test_the_owner_of_the_provider_is_told(provider: trace.TracerProvider, level: str, said: str) -> None:
    """Whose provider spans are made with decides where they go."""
    found = _provider(provider)

    assert (found.level, said in found.text) == (level, True)


def test_a_directory_for_trace_files_is_tried(tmp_path: Path) -> None:
    """A file is written and taken away again; where none can be, that is wrong."""
    (tmp_path / "in the way").touch()
    good, bad = (Config(trace_file=tmp_path / name / "t.jsonl") for name in ("new", "in the way"))

    said = [[finding for finding in examine(config) if "trace file" in finding.text] for config in (good, bad)]

    assert said == [
        [Finding("ok", f"trace files are written in {tmp_path / 'new'}")],
        [Finding("wrong", f"no trace file can be written in {tmp_path / 'in the way'}", "name another: trace_file=")],
    ]
    assert list((tmp_path / "new").iterdir()) == []


@pytest.mark.parametrize(
    ("environment", "code", "said"),
    [
        ({"OTEL_TRACES_EXPORTER": "none"}, 0, "nothing is exported"),
        ({"OTEL_SDK_DISABLED": "true", "OTEL_TRACES_EXPORTER": "none"}, 1, "tracing is off"),
        ({"OTEL_TRACES_SAMPLER": "always_off", "OTEL_TRACES_EXPORTER": "none"}, 1, "no trace is kept"),
        (
            {
                "OTEL_TRACES_SAMPLER": "traceidratio",
                "OTEL_TRACES_SAMPLER_ARG": "0",
                "OTEL_TRACES_EXPORTER": "none",
            },
            1,
            "no trace is kept",
        ),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "no url"}, 1, "is not usable"),
    ],
)
def test_the_exit_code_says_whether_spans_arrive(environment: dict[str, str], code: int, said: str) -> None:
    """The command prints what was found and fails when something is wrong."""
    done = CliRunner(env=environment).invoke(commands, ["doctor"])

    assert (done.exit_code, said in done.output) == (code, True)
