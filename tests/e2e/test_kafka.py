"""Agents, gateways, a real Kafka and a real Jaeger: `deploy/kubernetes-kafka/` on one machine.

Only where KAFKA_JARS names the folder with Kafka's jars (`libs` of a release, or what Maven copies of
`org.apache.kafka:kafka_2.13:3.9.1`) and `java` is on PATH.
"""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.e2e.collector_spans import DECIDED, SECRET
from tests.e2e.gateways import KAFKA, KUBERNETES, TRACES, make_traces, total
from tests.e2e.servers import WAIT_S, Collector, Jaeger, eventually, free_ports

JARS = os.environ.get("KAFKA_JARS", "")
pytestmark = pytest.mark.skipif(not JARS or shutil.which("java") is None, reason="no Kafka: KAFKA_JARS and java")
PROPERTIES = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={folder}/logs
num.partitions=4
offsets.topic.replication.factor=1
message.max.bytes=4000000
"""


class Broker:
    """A Kafka of one node; started by `running`, as often as one likes."""

    def __init__(self, folder: Path) -> None:
        self.port, controller = free_ports(2)
        self._properties = folder / "server.properties"
        self._properties.write_text(PROPERTIES.format(port=self.port, controller=controller, folder=folder))
        self._java = ["java", "-Xmx512m", "-cp", f"{JARS}/*"]
        identity = uuid.uuid4().hex[:22]
        command = [*self._java, "kafka.tools.StorageTool", "format", "-t", identity, "-c", str(self._properties)]
        subprocess.run(command, check=True, capture_output=True, timeout=120)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Listening when entered, killed when left."""
        command = [*self._java, "kafka.Kafka", str(self._properties)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                eventually(self._listens, "Kafka's port")
                yield
            finally:
                process.kill()

    def _listens(self) -> bool:
        with socket.create_connection(("127.0.0.1", self.port), WAIT_S):
            return True


def test_agents_gateways_kafka_jaeger(tmp_path: Path) -> None:
    """What the gateways keep is in Jaeger, whole and masked; what they kept while Kafka was dead follows."""

    def folder() -> Path:
        return Path(tempfile.mkdtemp(dir=tmp_path))

    broker = Broker(folder())
    brokers = {"KAFKA_BROKERS": f"[127.0.0.1:{broker.port}]"}
    with ExitStack() as running:
        settings = {"OTELCOL_KEEP_PERCENT": "0", "OTELCOL_EXPORTERS": "[kafka]", **brokers}
        gateways = [
            running.enter_context(Collector(folder(), settings, overlay=KUBERNETES / "gateway.yaml")) for _ in range(2)
        ]
        names = [f"127.0.0.1:{gateway.grpc_port}" for gateway in gateways]
        shared = {"GATEWAYS": json.dumps({"static": {"hostnames": names}})}
        agents = [
            running.enter_context(Collector(folder(), shared, overlay=KUBERNETES / "agent.yaml")) for _ in range(2)
        ]
        with broker.running():
            failed = make_traces(agents, gateways)
            settings = {**brokers, "JAEGER_LISTEN_HOST": "127.0.0.1"}
            with Jaeger(folder(), settings, config=KAFKA / "jaeger.yaml") as jaeger:
                first = jaeger.traces("crew", 2 * len(failed))
        later = make_traces(agents, gateways, before=TRACES)
        eventually(lambda: total(gateways, DECIDED) == 2 * TRACES, "every decision")
        # To the end: a gateway that is stopped tries to get rid of what it has.
        running.enter_context(broker.running())
        with Jaeger(folder(), settings, config=KAFKA / "jaeger.yaml") as jaeger:
            second = jaeger.traces("crew", 2 * len(later))

    assert first.keys() == failed
    assert later <= second.keys() <= failed | later
    assert {len(spans) for spans in [*first.values(), *second.values()]} == {2}
    assert SECRET not in json.dumps([first, second])
