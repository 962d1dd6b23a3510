"""What an environment gets is pinned, with digests, and fits what pyproject.toml asks for."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.environments.bill import bill
from tests.environments.install import LOCKS, ROOT, wanted
from tests.environments.lock import BESIDE_TEST, WITH_US

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]


@pytest.mark.parametrize("name", sorted({*WITH_US, *BESIDE_TEST}))
def test_a_lock_has_all_that_its_group_asks_for(name: str) -> None:
    """Every requirement of the group, and of ours, has a version that it allows; after another, `make lock`."""
    text = (LOCKS / f"{name}.txt").read_text()
    pins = dict(re.findall(r"^([a-z0-9-]+)==([^ ]+)", text, re.MULTILINE))
    asked = [Requirement(one) for one in (*(PROJECT if name in WITH_US else ()), *wanted(name)) if "git+" not in one]

    assert pins
    assert {one.name for one in asked if canonicalize_name(one.name) not in pins} == set()
    assert {one.name for one in asked if not one.specifier.contains(pins[canonicalize_name(one.name)])} == set()
    assert text.count("==") <= text.count("--hash=sha256:")
    assert "://" not in text


def test_the_bill_of_materials_has_each_dependency_with_version_licence_and_digest() -> None:
    """And what those bring: each that is named has its component, and every component a digest of the lock."""
    components = {one["name"]: one for one in bill()["components"]}  # type: ignore[attr-defined]

    asked = {canonicalize_name(Requirement(one).name) for one in PROJECT}
    assert asked <= components.keys()
    assert {"protobuf", "requests", "urllib3"} <= components.keys()
    assert [name for name, one in components.items() if not one["licenses"]] == []
    text = (LOCKS / "test.txt").read_text()
    for name, one in components.items():
        if f"\n{name}=={one['version']} " in text:
            assert one["hashes"], name
