"""`python -m tests.environments.bill`: the bill of materials of a release, as CycloneDX: what an installation brings.

The package contains no other's code. Listed is each distribution that it depends on, with its version and licence in
this environment, and the digests of `locks/test.txt`.
"""

import json
import re
import sys
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from agentops_otel.distribution import NAME
from agentops_otel.version import VERSION

LOCK = Path(__file__).parents[2] / "locks" / "test.txt"


def bill() -> dict[str, object]:
    """The bill, as CycloneDX 1.6 has it."""
    needed = needs(NAME)
    names = sorted({NAME, *needed, *(name for of in needed.values() for name in of)} - {NAME})
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": component(NAME, VERSION, "Apache-2.0", [])},
        "components": [_of_installed(name) for name in names],
        "dependencies": [
            {"ref": reference(name, VERSION if name == NAME else metadata.version(name)),
             "dependsOn": [reference(other, metadata.version(other)) for other in sorted(others)]}
            for name, others in sorted(needed.items())
        ],
    }  # fmt: skip


def needs(name: str) -> dict[str, set[str]]:
    """What each distribution needs to be installed, from the one named on."""
    found: dict[str, set[str]] = {}
    asked = [name]
    while asked:
        if (name := asked.pop()) not in found:
            wanted = map(Requirement, metadata.requires(name) or ())
            found[name] = {
                canonicalize_name(one.name) for one in wanted if not one.marker or one.marker.evaluate({"extra": ""})
            }
            asked += found[name]
    return found


def component(name: str, version: str, licence: str | None, digests: list[str]) -> dict[str, object]:
    """One distribution of the bill."""
    return {
        "type": "library",
        "bom-ref": reference(name, version),
        "name": name,
        "version": version,
        "purl": reference(name, version),
        "licenses": [{"license": {"name": licence}}] if licence else [],
        "hashes": [{"alg": "SHA-256", "content": digest} for digest in digests],
    }


def reference(name: str, version: str) -> str:
    """The package's URL."""
    return f"pkg:pypi/{name}@{version}"


def _of_installed(name: str) -> dict[str, object]:
    about = metadata.metadata(name)
    classified = [line.rpartition(" :: ")[2] for line in about.get_all("Classifier") or () if "License ::" in line]
    named = [*(about.get_all("License-Expression") or ()), *classified, *(about.get_all("License") or ())]
    licence = next(iter(named), None)
    version = metadata.version(name)
    locked = re.search(
        rf"^{re.escape(name)}=={re.escape(version)}((?: \\\n    --hash=sha256:\w+)*)", LOCK.read_text(), re.M
    )
    return component(name, version, licence, re.findall(r"sha256:(\w+)", locked[1]) if locked else [])


if __name__ == "__main__":
    json.dump(bill(), sys.stdout, indent=2)
