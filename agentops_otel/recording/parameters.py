"""The arguments of a call by the names of its parameters, without the two microseconds of `Signature.bind`."""

import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from agentops_otel.content.snapshot import ATOMS, LIMIT_BYTES

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_RECEIVERS = ("self", "cls")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """The names and defaults of a function's parameters, read from its signature once."""

    positional: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    """The same without the receiver, for a call through an instance or class."""
    keywords: frozenset[str] = frozenset()
    """The names that may be given as keywords."""
    defaults: tuple[tuple[str, object], ...] = ()
    """In the order of the signature."""
    expected: int = 0
    """How many positional arguments leave no default to be added."""
    required: int = 0
    """How many arguments a call without keywords needs; more than there can be where keywords are needed."""
    rest: str = "args"
    """The name of `*args`."""
    extra: str = "kwargs"
    """The name of `**kwargs`."""

    def of(self, has_receiver: bool, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, object]:
        """Each argument under its parameter's name, defaults included, `self` and `cls` left out.

        Arguments that do not fit the signature stand under the names of `*args` and `**kwargs`.

        Args:
            has_receiver: True when *args* lack the first parameter, because it is the bound instance or class.
            args: The positional arguments.
            kwargs: The keyword arguments.
        """
        names = self.methods if has_receiver else self.positional
        given: dict[str, object] = dict(zip(names, args))  # noqa: B905 - more or fewer is the common case
        if not has_receiver and names and names[0] in _RECEIVERS:
            given.pop(names[0], None)
        if len(args) > len(names):
            given[self.rest] = args[len(names) :]
        if kwargs:
            self._add_keywords(given, kwargs)
        for name, default in self.defaults:
            if name not in given:
                given[name] = default
        return given

    def flat(self, args: tuple[Any, ...]) -> dict[str, object] | None:
        """The arguments of a call without keywords, as `of`, if all are numbers and short texts; None otherwise."""
        names = self.positional
        if names and names[0] in _RECEIVERS:
            names, args = self.methods, args[1:]
        if len(args) > len(names):
            return None
        given: dict[str, object] = {}
        for name, value in zip(names, args):  # noqa: B905 - fewer is the common case
            kind = type(value)
            if kind not in ATOMS and (kind is not str or len(value) > LIMIT_BYTES):
                return None
            given[name] = value
        if len(args) < self.expected:
            for name, default in self.defaults:
                if name not in given:
                    if type(default) not in ATOMS and type(default) is not str:
                        return None
                    given[name] = default
        return given

    def _add_keywords(self, given: dict[str, object], kwargs: Mapping[str, Any]) -> None:
        extra = {}
        for name, value in kwargs.items():
            if name in self.keywords:
                given[name] = value
            else:
                extra[name] = value
        if extra:
            given[self.extra] = extra


def read(function: Callable[..., Any]) -> Parameters:
    """The parameters of *function*; of one that has no signature (some builtins), none."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return Parameters()
    names = {kind: parameter.name for parameter in parameters for kind in [parameter.kind]}
    positional = tuple(p.name for p in parameters if p.kind in _POSITIONAL)
    has_keyword_only = any(p.kind is p.KEYWORD_ONLY for p in parameters)
    return Parameters(
        positional=positional,
        # The signature of a bound method leaves its receiver out already.
        methods=positional if inspect.ismethod(function) else positional[1:],
        keywords=frozenset(p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)),
        defaults=tuple(
            (p.name, p.default) for p in parameters if p.default is not p.empty and p.name not in _RECEIVERS
        ),
        expected=sys.maxsize if has_keyword_only else len(positional),
        required=sys.maxsize
        if has_keyword_only
        else sum(p.default is p.empty for p in parameters if p.kind in _POSITIONAL),
        rest=names.get(inspect.Parameter.VAR_POSITIONAL, "args"),
        extra=names.get(inspect.Parameter.VAR_KEYWORD, "kwargs"),
    )
