"""The arguments of a call by the names of its parameters, without the two microseconds of `Signature.bind`."""

import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from agentops_otel.content.snapshot import ATOMS, LIMIT_BYTES

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_RECEIVERS = ("self", "cls")
_RECEIVER = tuple((name,) for name in _RECEIVERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """The names and defaults of a function's parameters, read from its signature once."""

    positional: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    """The names without the receiver, for a call through an instance or class."""
    keywords: frozenset[str] = frozenset()
    """Names of parameters that accept keywords."""
    defaults: tuple[tuple[str, object], ...] = ()
    """Names and values of the defaults, in the order of the signature."""
    expected: int = 0
    """With this many positional arguments or more, no default is added."""
    receives: bool = False
    """Whether the first parameter is `self` or `cls`."""
    has_plain_defaults: bool = True
    """Whether all defaults are numbers and short texts."""
    required: int = 0
    """Number of arguments that a call without keywords needs; too high to reach if it has required keywords."""
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

    def plain(self, args: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """The positional arguments of a call, for `of` to name later, if all are numbers and short texts; else None."""
        if self.receives:
            args = args[1:]
        for value in args:
            kind = type(value)
            if kind is str:
                if len(value) > LIMIT_BYTES:
                    return None
            elif kind not in ATOMS:
                return None
        return args if self.has_plain_defaults or len(args) >= self.expected else None

    def named(self, args: tuple[Any, ...]) -> dict[str, object]:
        """The arguments that `plain` returned, by the names of their parameters, with defaults."""
        names = self.methods if self.receives else self.positional
        if len(args) == len(names) and self.expected == len(self.positional):  # as most calls are
            return dict(zip(names, args))  # noqa: B905 - they are as many, and `strict` takes as long as all else
        return self.of(self.receives, args, {})

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
    defaults = tuple((p.name, p.default) for p in parameters if p.default is not p.empty and p.name not in _RECEIVERS)
    return Parameters(
        positional=positional,
        # The signature of a bound method leaves its receiver out already.
        methods=positional if inspect.ismethod(function) else positional[1:],
        keywords=frozenset(p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)),
        defaults=defaults,
        expected=sys.maxsize if has_keyword_only else len(positional),
        receives=positional[:1] in _RECEIVER,
        has_plain_defaults=all(type(default) in ATOMS or type(default) is str for _, default in defaults),
        required=sys.maxsize
        if has_keyword_only
        else sum(p.default is p.empty for p in parameters if p.kind in _POSITIONAL),
        rest=names.get(inspect.Parameter.VAR_POSITIONAL, "args"),
        extra=names.get(inspect.Parameter.VAR_KEYWORD, "kwargs"),
    )
