"""The import hook: a function is called each time a module is loaded."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from agentops_otel.wrapping.import_hook import on_import

NAME = "imported_by_a_test"


@pytest.fixture(autouse=True)
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A module that can be imported."""
    path = tmp_path / f"{NAME}.py"
    path.write_text("value = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield path
    sys.modules.pop(NAME, None)


@pytest.fixture
def imported() -> Iterator[list[ModuleType]]:
    """The modules that the hook was called with."""
    modules: list[ModuleType] = []
    remove = on_import(NAME, modules.append)
    yield modules
    remove()


def test_each_import_is_reported(imported: list[ModuleType]) -> None:
    """The first, a reload, and one after the module was removed; not one that finds the module loaded."""
    first = importlib.import_module(NAME)
    importlib.import_module(NAME)
    assert imported == [first]

    importlib.reload(first)
    assert imported == [first, first]

    del sys.modules[NAME]
    second = importlib.import_module(NAME)
    assert imported == [first, first, second]
    assert second is not first


def test_an_imported_module_is_reported_at_once() -> None:
    """As one that comes later."""
    first = importlib.import_module(NAME)
    modules: list[ModuleType] = []

    remove = on_import(NAME, modules.append)
    remove()

    assert modules == [first]


def test_the_module_has_its_own_loader(module: Path, imported: list[ModuleType]) -> None:
    """What reads sources and data files asks it."""
    loaded = importlib.import_module(NAME)

    assert type(loaded.__loader__).__module__ != on_import.__module__
    assert loaded.__spec__ is not None
    assert loaded.__spec__.loader is loaded.__loader__


def test_nothing_stays_behind() -> None:
    """Once the last callback is taken back the finder is gone."""
    finders = list(sys.meta_path)
    remove = on_import(NAME, lambda module: None)
    assert sys.meta_path != finders

    remove()

    assert sys.meta_path == finders


def test_a_module_that_fails_is_not_reported(module: Path, imported: list[ModuleType]) -> None:
    """The error is its own."""
    module.write_text("raise LookupError('of the module')")

    with pytest.raises(LookupError, match="of the module"):
        importlib.import_module(NAME)

    assert imported == []
