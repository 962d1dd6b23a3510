"""What a span of ours takes as it is: attributes of calls, checked ones, and those that are read later."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

T = TypeVar("T")

_MISSING = object()


class CheckedAttributes(dict[str, Any]):
    """Attributes of exact types and bounded size, which a span takes as they are. They have no list."""


class DeferredAttributes(Protocol):
    """Attributes that are read when somebody asks for a span's attributes, usually on the exporting thread."""

    @property
    def replaces(self) -> bool:
        """Whether they replace attributes of the same names that are set by then: the last ones of a span do."""

    def attributes(self) -> Mapping[str, Any]:
        """Attributes as they are kept."""

    def content(self) -> Mapping[str, object]:
        """Values to be redacted and written as JSON. Not called with content off."""


class CallForm:
    """The common part of a decorated function's spans, while the session and the agent stay the same. Never changes.

    Args:
        name: The spans' name.
        values: Their attributes, without content.
        input_name: The attribute for the arguments.
        output_name: The attribute for the result.
        named: Gives each of a call's positional arguments its name.
    """

    __slots__ = ("_derived", "input_name", "name", "named", "output_name", "values")

    def __init__(
        self,
        name: str,
        values: Mapping[str, Any],
        input_name: str,
        output_name: str,
        named: Callable[[tuple[Any, ...]], dict[str, object]],
    ) -> None:
        self.name = name
        self.values = values
        self.input_name = input_name
        self.output_name = output_name
        self.named = named
        self._derived: dict[Callable[[CallForm], Any], Any] = {}

    def once(self, derive: Callable[["CallForm"], T]) -> T:
        """What *derive* makes of the form; it is called for the first of the spans alone."""
        derived = self._derived.get(derive, _MISSING)
        if derived is _MISSING:
            derived = self._derived[derive] = derive(self)
        return derived  # type: ignore[no-any-return]  # what this function has made
