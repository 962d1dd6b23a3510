"""The import hook: a function is called each time a module is loaded."""

import importlib
import importlib.util
import sys
import threading
import time
from collections.abc import Callable, Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import pytest

from agentops_otel import guard
from agentops_otel.wrapping import import_hook
from agentops_otel.wrapping.import_hook import before_import, on_import
from tests.program import run

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
    """Once the last callback is taken back the finder is gone; `init()` has some that stay."""
    run("""
        import sys

        from agentops_otel.wrapping.import_hook import before_import, on_import

        finders = list(sys.meta_path)
        removes = [on_import("late", print), before_import("late", print), before_import("other", print)]
        assert sys.meta_path != finders
        for remove in removes:
            assert sys.meta_path != finders
            remove()
        assert sys.meta_path == finders
        """)


def test_a_module_that_fails_is_not_reported(module: Path, imported: list[ModuleType]) -> None:
    """The error is its own."""
    module.write_text("raise LookupError('of the module')")

    with pytest.raises(LookupError, match="of the module"):
        importlib.import_module(NAME)

    assert imported == []


def test_the_beginning_of_an_import_is_reported_once(module: Path) -> None:
    """Before the module runs, so that a function that is registered then hears of this import; not by a reload."""
    told: list[object] = []
    removes: list[Callable[[], object]] = []

    def begins() -> None:
        told.append(NAME in sys.modules)
        removes.append(on_import(NAME, lambda imported: told.append(imported.value)))

    stop = before_import(NAME, begins)
    importlib.reload(importlib.import_module(NAME))
    for remove in (*removes, stop):
        remove()

    assert told == [False, 1, 1]


def test_the_beginning_of_an_import_that_is_past() -> None:
    """It is reported at once."""
    importlib.import_module(NAME)
    told: list[str] = []

    before_import(NAME, lambda: told.append("begun"))()

    assert told == ["begun"]


def test_a_beginning_that_is_taken_back_is_not_reported() -> None:
    """As `init()` does with a client that is shut down."""
    told: list[str] = []

    before_import(NAME, lambda: told.append("begun"))()
    importlib.import_module(NAME)

    assert told == []


def test_a_fault_when_an_import_begins_does_not_reach_the_program(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The module is imported all the same."""
    monkeypatch.setattr(guard, "reraise", False)
    monkeypatch.setattr(guard, "_reported", set())

    def fail() -> None:
        raise RuntimeError("a fault")

    before_import(NAME, fail)

    assert importlib.import_module(NAME).value == 1
    assert "that the import of imported_by_a_test begins" in caplog.text


def test_who_looks_for_a_module_gets_its_loader() -> None:
    """While we wait for its import: the type and the attributes are those of the loader that will run it."""
    plain = importlib.util.find_spec(NAME)
    remove = on_import(NAME, lambda module: None)
    waiting = importlib.util.find_spec(NAME)
    remove()

    assert plain is not None
    assert waiting is not None
    assert plain.loader is not None
    assert isinstance(waiting.loader, type(plain.loader))
    assert vars(plain.loader).items() <= {name: getattr(waiting.loader, name) for name in vars(plain.loader)}.items()


def test_an_import_that_begins_while_a_function_is_registered_is_reported() -> None:
    """By another thread: whoever sees the other first."""
    told: list[str] = []
    thread = threading.Thread(target=before_import, args=(NAME, lambda: told.append("begun")))
    with import_hook._lock:  # it is about to register
        thread.start()
        while sys._current_frames()[thread.ident or 0].f_code.co_name != "_register":
            time.sleep(0)
        importlib.import_module(NAME)
    thread.join(60)

    assert told == ["begun"]


def test_a_fault_about_an_import_that_is_past_does_not_reach_the_program(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """`init()` goes on."""
    monkeypatch.setattr(guard, "reraise", False)
    monkeypatch.setattr(guard, "_reported", set())
    importlib.import_module(NAME)

    def fail() -> None:
        raise RuntimeError("a fault")

    before_import(NAME, fail)()

    assert "that the import of imported_by_a_test begins" in caplog.text


class Searching:
    """Finds the module with all finders, as wrapt's does, which is not asked again meanwhile."""

    asked = False

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """What the others find."""
        if name != NAME or self.asked:
            return None
        self.asked = True
        try:
            return importlib.util.find_spec(name)
        finally:
            self.asked = False


@pytest.mark.parametrize("kind", [Searching, object])
def test_an_import_is_reported_once_whatever_finders_there_are(kind: type, imported: list[ModuleType]) -> None:
    """One that searches with all others, and one of old that Python does not ask any more."""
    sys.meta_path.insert(1, other := kind())  # behind ours
    try:
        first = importlib.import_module(NAME)
        again = importlib.reload(first)
    finally:
        sys.meta_path.remove(other)

    assert imported == [first, again]


def test_a_folder_of_modules_is_imported_as_without_us(module: Path, imported: list[ModuleType]) -> None:
    """It has nothing that runs, so nothing is reported."""
    module.rename(module.with_suffix(".later"))
    module.with_suffix("").mkdir()
    assert len(importlib.import_module(NAME).__path__) == 1
    assert imported == []


def test_a_module_that_is_not_there_is_missed_as_without_us(module: Path, imported: list[ModuleType]) -> None:
    """By Python's own error."""
    module.unlink()

    with pytest.raises(ModuleNotFoundError) as raised:
        importlib.import_module(NAME)

    assert (raised.value.name, imported) == (NAME, [])
