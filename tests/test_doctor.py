"""The doctor names what is wrong, on real sockets, and says what to do."""

import re
import shutil
import socket
import ssl
import subprocess
import time
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
from agentops_otel.config import AgentOps, Config, Destination, read_config
from agentops_otel.doctor import Finding, _endpoint, _frameworks, _listening, _patched, _provider, _versions, examine
from agentops_otel.export import otlp_json
from agentops_otel.export.trace_directory import DIRECTORY
from agentops_otel.version import VERSION
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


KEY = "check headers=, OTEL_EXPORTER_OTLP_HEADERS, or the key"
ELSE = "something else listens there; collectors take traces by HTTP at /v1/traces, port 4318"
OTHER = "something else listens there, or the collector wants another protocol="
PORTS = "does it speak this protocol? gRPC is on 4317, HTTP on 4318"
LATE = "it does not answer: is it the right port, is it overloaded?"
LOG = "see the collector's log"


@pytest.mark.parametrize(
    ("answer", "said", "advice"),
    [
        (Answer(status=400), "did not take a span: 400", OTHER),
        (Answer(status=401), "did not take a span: 401", KEY),
        (Answer(status=403), "did not take a span: 403", KEY),
        (Answer(status=404), "did not take a span: 404", ELSE),
        (Answer(status=405), "did not take a span: 405", ELSE),
        (Answer(status=415), "did not take a span: 415", OTHER),
        (Answer(status=503), "did not take a span: 503", LOG),
        (Answer(status=308), "did not take a span: 308 (a redirect is not followed: name the new endpoint)", LOG),
        (Answer(reset="early"), "did not take a span: the connection broke", PORTS),
        (Answer(hang=True), "did not take a span: no answer in time", LATE),
        (Answer(rejected=1, message="quota"), "answered, and refused the span (quota)", LOG),
        (Answer(rejected=1), "answered, and refused the span", LOG),
    ],
)
def test_an_answer_that_is_no_yes_is_wrong(answer: Answer, said: str, advice: str) -> None:
    """Each refusal names the status and what to do."""
    with OtlpSink() as sink:
        sink.answer(answer, times=1)

        found = last(Destination(endpoint=endpoint(sink), timeout_s=0.5 if answer.hang else 10.0))

    assert found == f"wrong: http://127.0.0.1:PORT/v1/traces {said}\n{advice}"


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("UNAUTHENTICATED", KEY),
        ("PERMISSION_DENIED", KEY),
        ("UNIMPLEMENTED", "what listens there takes no OTLP by gRPC: use protocol=http/protobuf, port 4318"),
        ("UNAVAILABLE", PORTS),
        ("DEADLINE_EXCEEDED", LATE),
        ("INVALID_ARGUMENT", OTHER),
        ("INTERNAL", LOG),
    ],
)
def test_a_grpc_status_that_is_no_yes_is_wrong(code: str, advice: str) -> None:
    """GRPC's statuses have their advice too."""
    with OtlpSink("grpc") as sink:
        sink.answer(Answer(code=code), times=1)

        found = last(Destination(endpoint=endpoint(sink), protocol="grpc"))

    assert re.sub(r" \(.*\)\n", "\n", found) == f"wrong: http://127.0.0.1:PORT did not take a span: {code}\n{advice}"


def test_what_is_said_of_a_collector_that_nobody_named_is_no_fault_of_it() -> None:
    """The local file is enough: a refusal is a note."""
    with OtlpSink() as sink:
        sink.answer(Answer(status=503), times=1)

        assert last(Destination(endpoint=endpoint(sink), probe=True)) == (
            "note: http://127.0.0.1:PORT/v1/traces did not take a span: 503; nobody named a collector, so that is no "
            f"fault\n{LOG}"
        )


def test_the_time_that_a_span_took_is_in_milliseconds() -> None:
    """Of the request alone."""
    with OtlpSink() as sink:
        sink.answer(Answer(after_s=0.3), times=1)
        begun = time.monotonic()

        findings = list(examine(Config(destinations=(Destination(endpoint=endpoint(sink)),))))

        taken_ms = 1e3 * (time.monotonic() - begun)
    (ms,) = (float(found[1]) for one in findings if (found := re.search(r"accepted in (\d+) ms$", one.text)))
    assert 299 <= ms <= taken_ms


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
    said = last(Destination(endpoint="https://no.invalid/v1/traces"))

    assert said.startswith("wrong: no.invalid is no known host (")
    assert said.endswith(")\ncheck the name of the host")


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
        (
            Destination(endpoint="http://127.0.0.1:4317/v1/traces"),
            ["note: 4317 is where collectors speak gRPC\nuse port 4318, or protocol=grpc"],
        ),
        (
            Destination(endpoint="http://127.0.0.1:4318", protocol="grpc"),
            ["note: 4318 is where collectors speak HTTP\nuse port 4317, or protocol=http/protobuf"],
        ),
        (
            Destination(endpoint="http://127.0.0.1:4318/"),
            [
                "note: the path is '/'; collectors take traces at /v1/traces\nOTEL_EXPORTER_OTLP_TRACES_ENDPOINT is "
                "used as it is: write the path, or use OTEL_EXPORTER_OTLP_ENDPOINT"
            ],
        ),
        (Destination(endpoint="http://127.0.0.1:4317", protocol="grpc"), []),
        (Destination(endpoint="http://127.0.0.1:4318/v1/traces"), []),
        (Destination(endpoint="http://127.0.0.1:4319", agentops=AgentOps(api_key="k")), []),
    ],
)
def test_the_traps_of_an_endpoint_are_told(destination: Destination, said: list[str]) -> None:
    """Ports and paths that are mixed up, whether or not somebody listens."""
    assert [line for line in lines(_endpoint(destination)) if line.startswith("note")] == said


@pytest.mark.parametrize(("scheme", "port"), [("http", 80), ("https", 443)])
def test_a_place_without_a_port_has_that_of_its_scheme(scheme: str, port: int) -> None:
    """The names of the headers are told, and where it is looked at."""
    to = Destination(endpoint=f"{scheme}://127.0.0.1/v1/traces", headers={"x-b": "1", "authorization": "2"})

    said = [finding.text for finding in examine(Config(destinations=(to,)))]

    assert f"spans go to {scheme}://127.0.0.1/v1/traces by http/protobuf with authorization, x-b" in said
    assert any(text.startswith((f"nobody listens on 127.0.0.1:{port}", f"127.0.0.1:{port} takes")) for text in said)


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


def test_metrics_go_to_agentops_with_the_token_of_its_key() -> None:
    """As the spans do: without one it takes nothing."""
    with AgentOpsBackend() as backend:
        spans = backend.destination
        metrics = replace(spans, endpoint=spans.endpoint.replace("traces", "metrics"), signal="metrics")

        (line,) = (line for line in lines(examine(Config(metrics=(metrics,)))) if "metrics go to" in line)

        assert backend.rejected == 0
    assert line.startswith("ok: ")


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

        told = lines(examine(Config(metrics=(metrics,))))
        (line,) = (line for line in told if "metrics go to" in line)

        assert [received.path for received in sink.received] == ["/v1/metrics"]
    assert any("unset OTEL_METRICS_EXPORTER to send none" in other for other in told) is (status != 200)
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


@pytest.mark.parametrize(
    ("sampler", "argument", "said"),
    [
        ("always_on", "", None),
        ("parentbased_always_on", "", None),
        ("always_off", "", "wrong: no trace is kept: OTEL_TRACES_SAMPLER=always_off"),
        ("always_off", "1", "wrong: no trace is kept: OTEL_TRACES_SAMPLER=always_off"),
        ("parentbased_always_off", "", "wrong: no trace is kept: OTEL_TRACES_SAMPLER=parentbased_always_off"),
        ("traceidratio", "", "note: not every trace is kept: OTEL_TRACES_SAMPLER=traceidratio with 1.0"),
        ("traceidratio", "0.5", "note: not every trace is kept: OTEL_TRACES_SAMPLER=traceidratio with 0.5"),
        ("traceidratio", "0", "wrong: no trace is kept: OTEL_TRACES_SAMPLER=traceidratio with 0"),
        (
            "parentbased_traceidratio",
            "0.0",
            "wrong: no trace is kept: OTEL_TRACES_SAMPLER=parentbased_traceidratio with 0.0",
        ),
    ],
)
def test_a_sampler_that_leaves_traces_out_is_told(
    sampler: str, argument: str, said: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that keeps none is why nothing arrives."""
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", sampler)
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", argument)

    found = [line for line in lines(examine(Config())) if "OTEL_TRACES_SAMPLER" in line]

    assert found == ([f"{said}\nunset it to keep all"] if said else [])


def test_what_to_do_about_a_switch_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is anything to do."""
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "none")
    monkeypatch.setenv("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "openai, anthropic")
    monkeypatch.setenv("AGENTOPS_DEFAULT_TAGS", "a")
    monkeypatch.setenv("AGENTOPS_CONSOLE", "0")

    said = [finding for finding in examine(replace(read_config(), disabled=True)) if "provider" not in finding.text]

    assert said[1:] == [
        Finding("ok", "settings from the environment: AGENTOPS_DEFAULT_TAGS, AGENTOPS_CONSOLE"),
        Finding("wrong", "tracing is off: OTEL_SDK_DISABLED=true", "unset OTEL_SDK_DISABLED"),
        Finding("note", "nothing is exported: OTEL_TRACES_EXPORTER=none", "unset it, or name an endpoint="),
        Finding("note", "some clients are left alone: OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=anthropic,openai"),
        Finding("ok", "prompts, arguments and results are captured and redacted"),
    ]


def test_without_variables_the_settings_are_the_defaults() -> None:
    """Said first, after the versions, which begin with ours."""
    versions, settings = list(examine(Config()))[:2]

    ours = r"agentops_otel [\d.]+\w*; opentelemetry ([\w-]+ [\w.]+, )*sdk [\w.]+(, [\w-]+ [\w.]+)*"
    assert (versions.level, bool(re.fullmatch(ours, versions.text))) == ("ok", True)
    assert settings == Finding(
        "ok", "settings from the environment: none; all are the defaults, or arguments of init()"
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

    assert found == [
        Finding(
            "ok",
            f"agentops_otel {VERSION}; opentelemetry instrumentation 0.48b0, sdk 1.45.2, semantic-conventions 0.66b2",
        ),
        Finding(
            "note",
            "opentelemetry-instrumentation 0.48b0 was made for opentelemetry-semantic-conventions 0.48b0; 0.66b2 is "
            "installed",
            "install versions that belong together: pip install --upgrade opentelemetry-instrumentation "
            "opentelemetry-semantic-conventions",
        ),
    ]


def test_the_frameworks_that_are_installed_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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

    monkeypatch.syspath_prepend(tmp_path)
    (told,) = (line for line in lines(examine(Config(destinations=()))) if "agent frameworks that are traced" in line)
    assert "crewai 1.15.0" in told


@pytest.mark.parametrize(
    ("distribution", "told"),
    [
        ("openai-agents", True),
        ("pydantic-ai", True),
        ("pydantic-ai-slim", True),
        ("llama-index-core", True),
        ("langchain-core", True),
        ("langchain", True),
        ("langchain-openai", False),
    ],
)
def test_a_framework_is_known_by_the_package_that_has_its_code(distribution: str, told: bool, tmp_path: Path) -> None:
    """Some have it in one with a longer name."""
    (tmp_path / f"{distribution}-1.2.dist-info").mkdir()
    (tmp_path / f"{distribution}-1.2.dist-info" / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n"
    )
    installed = {dist.name: dist for dist in metadata.distributions(path=[str(tmp_path)])}

    assert [f"{distribution} 1.2" in line for line in lines(_frameworks(Config(), installed))] == [True] * told


def test_what_is_patched_twice_is_told() -> None:
    """Two packages, or one and ourselves, under the same name."""
    group = "opentelemetry_instrumentor"
    points = [
        metadata.EntryPoint("openai", "theirs:X", group),
        metadata.EntryPoint("flask", "a:X", group),
        metadata.EntryPoint("requests", "a:X", group),
        metadata.EntryPoint("requests", "b:X", group),
    ]

    assert list(_patched(points)) == [
        Finding(
            "note",
            f"{name} is patched by {who}: under opentelemetry-instrument twice a call",
            "uninstall all but one, or init(instrument_llm_calls=False)",
        )
        for name, who in (("openai", "agentops-otel-bridge and by theirs:X"), ("requests", "a:X and by b:X"))
    ]


class Foreign(trace.TracerProvider):
    """A vendor's provider."""

    def get_tracer(self, *args: object, **kwargs: object) -> trace.Tracer:
        """Give a tracer that records nothing."""
        return trace.NoOpTracer()


@pytest.mark.parametrize(
    ("provider", "level", "said"),
    [
        (trace.ProxyTracerProvider(), "ok", "no tracer provider is set in this process: init() sets one of its own"),
        (
            TracerProvider(shutdown_on_exit=False),
            "note",
            "a tracer provider is there already (opentelemetry.sdk.trace.TracerProvider): init() adds to it, and "
            "exports only to destinations that it is given by name",
        ),
        (
            Foreign(),
            "note",
            "a tracer provider is there already (tests.test_doctor.Foreign), which takes no span processors: spans go "
            "to one of our own beside it",
        ),
    ],
)
def test_the_owner_of_the_provider_is_told(
    provider: trace.TracerProvider, level: Literal["ok", "note"], said: str
) -> None:
    """Whose provider spans are made with decides where they go."""
    assert _provider(provider) == Finding(level, said)


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


def test_the_directory_of_own_trace_files_is_tried(tmp_path: Path) -> None:
    """Where a process makes its own; where there is to be none, nothing is said."""
    none, own = Config(state_dir=tmp_path), Config(state_dir=tmp_path, own_trace_file=True)

    said = [[finding for finding in examine(config) if "trace file" in finding.text] for config in (none, own)]

    assert said == [[], [Finding("ok", f"trace files are written in {tmp_path / DIRECTORY}")]]


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
