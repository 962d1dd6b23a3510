"""Applying specs when a client is imported, before or after, and taking them off again."""

import functools
import importlib
import logging
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import openai
import pytest
import wrapt
from opentelemetry.context import set_value
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

import agentops_otel
from agentops_otel import guard
from agentops_otel.clients import SPECS
from agentops_otel.instrumentation import ClientSpec, Operation, install
from agentops_otel.tracing import SUPPRESS_KEY, attached, suppressed
from tests.clients.capture import Captured, capture
from tests.clients.openai_calls import ASKED, sync_client
from tests.loopback.llm_server import LlmServer
from tests.loopback.openai_server import answer, completion
from tests.program import WARNINGS

SCRIPT = """
import sys
{first}
from agentops_otel.clients import SPECS
from agentops_otel.instrumentation import install
installation = install(SPECS, lambda: None)
assert ("openai" in sys.modules) is {imported}
install(SPECS, lambda: None).uninstall()
{second}
from openai import OpenAI
assert "request" in vars(OpenAI)
installation.uninstall()
assert "request" not in vars(OpenAI)
"""


@pytest.mark.parametrize(
    ("first", "second", "imported"),
    [("import openai", "", True), ("", "import openai", False)],
    ids=["after", "before"],
)
def test_clients_are_wrapped_whenever_they_are_imported(first: str, second: str, imported: bool) -> None:
    """A client is wrapped at once when it is there, else when the program imports it; nobody imports it for us."""
    script = SCRIPT.format(first=first, second=second, imported=imported)

    done = subprocess.run([sys.executable, *WARNINGS, "-c", script], capture_output=True, text=True, timeout=60)

    assert (done.returncode, done.stderr) == (0, "")


def test_uninstalled_before_the_import_leaves_the_client_alone() -> None:
    """A post-import hook of ours that fires too late does nothing."""
    script = """
from agentops_otel.clients import SPECS
from agentops_otel.instrumentation import install
install(SPECS, lambda: None).uninstall()
from openai import OpenAI
assert "request" not in vars(OpenAI)
"""

    done = subprocess.run([sys.executable, *WARNINGS, "-c", script], capture_output=True, text=True, timeout=60)

    assert (done.returncode, done.stderr) == (0, "")


def by_wrapper(asks: Any) -> Any:
    """As OpenTelemetry's do it."""

    def wrapper(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        return wrapped(*args, **kwargs)

    wrapper.__module__ = "opentelemetry.instrumentation.openai.patch"
    return wrapt.FunctionWrapper(asks, wrapper)


def by_function(asks: Any) -> Any:
    """As Sentry, MLflow and Logfire do it."""
    module = {"__name__": "sentry_sdk.integrations.openai", "asks": asks, "wraps": functools.wraps}
    exec("@wraps(asks)\ndef patched(*args, **kwargs):\n    return asks(*args, **kwargs)", module)
    return module["patched"]


@pytest.fixture(params=[by_wrapper, by_function])
def other(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Puts another instrumentation on the client."""
    owner = openai.resources.chat.completions.Completions
    return lambda: monkeypatch.setattr(owner, "create", request.param(vars(owner)["create"]))


def ours(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What we have logged: a processor of another test, which ends late, may say something too."""
    return [record.getMessage() for record in caplog.records if record.name == "agentops_otel"]


@pytest.mark.parametrize("first", [True, False], ids=["before", "after"])
def test_another_instrumentation_is_noticed_once(
    first: bool, other: Callable[[], None], server: LlmServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever came first, one warning names the other and says how to choose. Where ours keeps still there is none."""
    server.answer(answer(completion(), stream=False), times=3)
    if first:
        other()

    with caplog.at_level(logging.WARNING, "agentops_otel"), capture() as captured, sync_client(server) as client:
        if not first:
            other()
        with agentops_otel.suppress():
            client.chat.completions.create(**ASKED)
        assert first == bool(ours(caplog))
        for _ in range(2):
            client.chat.completions.create(**ASKED)

    (message,) = ours(caplog)
    assert "openai is instrumented by " in message
    assert ".openai" in message.partition("instrumented by ")[2]
    assert "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=openai" in message
    assert len(captured.spans) == 2


def test_a_mock_in_a_methods_place_is_no_instrumentation(caplog: pytest.LogCaptureFixture) -> None:
    """A program's own tests hear nothing of ours."""
    with mock.patch.object(openai.resources.chat.completions.Completions, "create") as create, capture() as captured:
        openai.OpenAI(api_key="key").chat.completions.create(**ASKED)

    create.assert_called_once()
    assert (caplog.messages, captured.spans) == ([], ())


class Model:
    """A client of nobody's."""

    def ask(self, question: str) -> str:
        """Answer."""
        return question.upper()


def test_what_someone_wrapped_over_us_stays_when_we_go() -> None:
    """Only our own wrapper is taken off; under another one it passes calls through."""
    operation = Operation(name="chat", methods=("Model.ask", "Model.gone"))
    spec = ClientSpec(name="model", module=__name__, operations=(operation,), provider="model")
    installation = install([spec], lambda: None)
    ours = vars(Model)["ask"]

    wrapt.wrap_function_wrapper(Model, "ask", lambda wrapped, instance, args, kwargs: wrapped(*args, **kwargs) + "!")
    installation.uninstall()

    assert vars(Model)["ask"].__wrapped__ is ours
    assert Model().ask("what") == "WHAT!"


def test_an_import_that_ends_after_the_end_is_not_wrapped(captured: Captured) -> None:
    """Another thread may be importing the client while ours takes the wrappers off; a second end changes nothing."""
    spec = ClientSpec(
        name="model", module=__name__, operations=(Operation(name="chat", methods=("Model.ask",)),), provider="model"
    )
    found = vars(Model)["ask"]
    installation = install([spec], lambda: captured.recorder)
    while_on = set(installation.wrapped)

    installation.uninstall()
    installation.apply(sys.modules[__name__])
    is_found, wrapped = vars(Model)["ask"] is found, set(installation.wrapped)
    installation.uninstall()

    assert (is_found, while_on, wrapped) == (True, {__name__}, set())
    assert vars(Model)["ask"] is found


def test_another_instrumentation_is_looked_for_at_the_import_and_at_the_first_call_of_a_method(
    captured: Captured,
) -> None:
    """Not at each call, which would take longer then."""
    looked: list[ModuleType] = []

    def look(module: ModuleType) -> None:
        looked.append(module)

    ask = Operation(name="chat", methods=("Asking.ask", "Asking.ask_twice"))
    spec = ClientSpec(name="asking", module=__name__, operations=(ask,), provider="asking", builtin_tracing=look)
    installation = install([spec], lambda: captured.recorder)

    found = []
    for call in (Asking().ask, Asking().ask, Asking().ask_twice, Asking().ask_twice):
        found.append(len(looked))
        call("m")
    installation.uninstall()

    assert (found, len(looked)) == ([1, 2, 2, 3], 3)


class Fixed(type):
    """A class that lets nobody change it."""

    def __setattr__(cls, name: str, value: object) -> None:
        raise TypeError(name)


class Stubborn(metaclass=Fixed):
    """Such a class."""

    def ask(self, question: str) -> str:
        """Answer."""
        return question


class Willing:
    """Any other."""

    def ask(self, question: str) -> str:
        """Answer."""
        return question


def test_a_method_that_cannot_be_wrapped_costs_the_others_nothing(
    captured: Captured, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fault is told once, by the method's name, and every other method has its span."""
    monkeypatch.setattr(guard, "reraise", False)
    operation = Operation(name="chat", methods=("Stubborn.ask", "Willing.ask"))
    spec = ClientSpec(name="asking", module=__name__, operations=(operation,), provider="model")

    found = vars(Willing)["ask"]
    with caplog.at_level(logging.WARNING, "agentops_otel"):
        installation = install([spec], lambda: captured.recorder)
    said = [Stubborn().ask("what"), Willing().ask("what")]
    installation.uninstall()

    assert said == ["what", "what"]
    assert [span.name for span in captured.spans] == ["chat"]
    assert [message for message in caplog.messages if "wrapping asking's Stubborn.ask" in message]
    assert vars(Willing)["ask"] is found


def test_every_spec_names_methods_that_exist() -> None:
    """A client that renames its methods is found out here, not by its users."""
    missing = []
    for spec in SPECS:
        module = sys.modules.get(spec.module)
        for operation in spec.operations if module is not None else ():
            for places in operation.methods:
                found: Any = None
                for path in places.split("|"):
                    found = module
                    for name in path.split("."):
                        found = getattr(found, name, None)
                    if found is not None:
                        break
                if found is None:
                    missing.append(f"{spec.name}: {places}")

    assert missing == []


class _Resource:
    """What a client and its parts are."""


class Maker(_Resource):
    """A client whose part is of a class of its own each time."""

    def __init__(self) -> None:
        class Part(_Resource):
            def ask(self, model: str) -> str:
                return f"from {model}"

        self.part = Part()


def test_classes_that_a_client_makes_anew_are_wrapped_each() -> None:
    """One made before, one made while the wrappers are on, and a method that was taken: one span each, then none."""
    methods = (
        "Maker.__init__.<locals>.Part.ask",
        "Maker.__init__.<locals>.Part.gone",
        "Gone.__init__.<locals>.Part.ask",
    )
    ask = Operation(name="chat", methods=methods, request={"gen_ai.request.model": "model"})
    spec = ClientSpec(name="maker", module=__name__, operations=(ask,), provider="maker")
    before, begin = Maker(), Maker.__init__
    taken = before.part.ask
    found = vars(type(before.part))["ask"]

    with capture(conventional=False) as captured:
        installation = install([spec], lambda: captured.recorder)
        begin(later := Maker.__new__(Maker))
        assert [asked("m") for asked in (taken, before.part.ask, Maker().part.ask, later.part.ask)] == ["from m"] * 4
        installation.uninstall()
        assert [asked("m") for asked in (taken, later.part.ask, Maker().part.ask)] == ["from m"] * 3

    assert [span.name for span in captured.spans] == ["chat m"] * 4
    assert vars(type(before.part))["ask"] is found
    assert Maker.__init__ is begin


CLIENT = """
class Client:
    def ask(self, model):
        return "from " + model

def ask(model):
    return "from " + model
"""


def test_a_client_that_is_loaded_again_is_traced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reloaded, or removed and imported anew: each call has one span, also of an object from before; then none."""
    (tmp_path / "client_loaded_again.py").write_text(CLIENT)
    monkeypatch.syspath_prepend(tmp_path)
    ask = Operation(name="chat", methods=("Client.ask", "ask"), request={"gen_ai.request.model": "model"})
    spec = ClientSpec(name="again", module="client_loaded_again", operations=(ask,), provider="again")

    with capture(conventional=False) as captured:
        installation = install([spec], lambda: captured.recorder)
        module = importlib.import_module("client_loaded_again")
        asked = [module.Client().ask, module.ask]
        asked += [importlib.reload(module).Client().ask, module.ask]
        del sys.modules["client_loaded_again"]
        module = importlib.import_module("client_loaded_again")
        asked += [module.Client().ask, module.ask]
        assert [each("m") for each in asked] == ["from m"] * 6
        installation.uninstall()
        assert [each("m") for each in asked] == ["from m"] * 6

    assert [span.name for span in captured.spans] == ["chat m"] * 6
    del sys.modules["client_loaded_again"]


def test_a_copy_of_a_client_under_another_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It works as it did, without spans; one that was imported under its own name keeps them whatever it is called."""
    (tmp_path / "client_of_two_names.py").write_text(CLIENT)
    monkeypatch.syspath_prepend(tmp_path)
    ask = Operation(name="chat", methods=("Client.ask",), request={"gen_ai.request.model": "model"})
    spec = ClientSpec(name="two", module="client_of_two_names", operations=(ask,), provider="two")

    with capture(conventional=False) as captured:
        installation = install([spec], lambda: captured.recorder)
        first = importlib.import_module("client_of_two_names")
        path = spec_from_file_location("vendored_copy", tmp_path / "client_of_two_names.py")
        assert path is not None
        assert path.loader is not None
        copied = module_from_spec(path)
        path.loader.exec_module(copied)
        assert copied.Client().ask("m") == "from m"
        assert list(captured.spans) == []
        sys.modules["first_under_another_name"] = sys.modules.pop("client_of_two_names")
        second = importlib.import_module("client_of_two_names")
        assert [module.Client().ask("m") for module in (first, second)] == ["from m", "from m"]
        installation.uninstall()

    assert [span.name for span in captured.spans] == ["chat m"] * 2
    for name in ("first_under_another_name", "client_of_two_names"):
        del sys.modules[name]


def test_a_call_without_a_span_says_why(captured: Captured, caplog: pytest.LogCaptureFixture) -> None:
    """One DEBUG line: suppressed, nested, no operation matches, sampled out."""
    ask = Operation(name="chat", methods=("Asking.ask",), matches=lambda asked: asked["model"] != "other")
    outer = Operation(name="chat", methods=("Asking.ask_twice",))
    spec = ClientSpec(name="asking", module=__name__, operations=(ask, outer), provider="asking")
    unsampled = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False).get_tracer("test")
    recorders = [captured.recorder]
    installation = install([spec], lambda: recorders[-1])

    with caplog.at_level(logging.DEBUG, "agentops_otel"):
        Asking().ask("other")
        with suppressed():
            Asking().ask("m")
        Asking().ask_twice("m")
        recorders.append(replace(captured.recorder, tracer=unsampled))
        Asking().ask("m")
    installation.uninstall()

    assert [message.partition(": ")[2] for message in caplog.messages] == [
        "Asking.ask makes no span: no operation matches",
        "Asking.ask makes no span: suppressed",
        "Asking.ask makes no span: nested in a call of the group 'inference'",
        "Asking.ask makes no span: sampled out",
    ]


class Asking:
    """A client."""

    def ask(self, model: str) -> str:
        """An answer."""
        return model

    def ask_twice(self, model: str) -> str:
        """An answer of its own method."""
        return self.ask(model)


@pytest.mark.parametrize(
    "by",
    [
        "logfire._internal.integrations.llm_providers",
        "mlflow.utils.autologging_utils.safety",
        "openinference.instrumentation.openai",
        "sentry_sdk.integrations.openai",
    ],
)
def test_another_instrumentation_that_suppresses_ours_is_noticed(by: str, caplog: pytest.LogCaptureFixture) -> None:
    """Its call makes no span of ours; the one warning says why."""
    ask = Operation(name="chat", methods=("Asking.ask",))
    spec = ClientSpec(name="asking", module=__name__, operations=(ask,), provider="asking")
    with capture(conventional=False) as captured:
        installation = install([spec], lambda: captured.recorder)
        instrumented: dict[str, Any] = {
            "__name__": by,
            "suppressed": lambda: attached(set_value(SUPPRESS_KEY, True)),
        }
        exec(OTHER, instrumented)  # another package's module
        instrumented["instrument"](Asking)
        Asking().ask("m")
        Asking().ask("m")
        Asking.ask = Asking.ask.__wrapped__  # type: ignore[attr-defined, method-assign]
        installation.uninstall()

    assert captured.spans == ()
    (message,) = caplog.messages
    assert message.startswith(f"asking is instrumented by {by} too")


OTHER = """
import functools

def instrument(kind):
    theirs = kind.ask

    @functools.wraps(theirs)
    def ask(*args):
        with suppressed():
            return theirs(*args)

    kind.ask = ask
"""


def test_of_several_names_of_a_method_the_first_that_the_client_has_is_wrapped() -> None:
    """Versions of a client name it differently; of a class that is not there nothing is."""
    ask = Operation(name="chat", methods=("Asking.missing|Asking.ask|Asking.ask_twice", "Missing.ask|Neither.ask"))
    spec = ClientSpec(name="asking", module=__name__, operations=(ask,), provider="asking")
    found = dict(vars(Asking))
    installation = install([spec], lambda: None)

    wrapped = [name for name in found if vars(Asking)[name] is not found[name]]
    installation.uninstall()

    assert wrapped == ["ask"]


@pytest.mark.parametrize("name", ["ask", "ask_twice"])
def test_another_instrumentation_is_looked_for_at_each_name_of_a_method(
    name: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may wrap the one that we do not."""
    ask = Operation(name="chat", methods=("Asking.missing|Asking.ask|Asking.ask_twice",))
    spec = ClientSpec(name="asking", module=__name__, operations=(ask,), provider="asking")
    instrumented: dict[str, Any] = {"__name__": "sentry_sdk.integrations.asking"}
    exec("def replaced(self, model): ...", instrumented)  # another package's module
    monkeypatch.setattr(Asking, name, instrumented["replaced"])

    install([spec], lambda: None).uninstall()

    (message,) = caplog.messages
    assert message.startswith("asking is instrumented by sentry_sdk.integrations.asking too")
