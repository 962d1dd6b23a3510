"""Decorated objects that can be called and are no plain functions: partials, callable objects, wrapped functions."""

from typing import Any

from agentops_otel.wrapping.function import Function


class DecoratedObject(Function):
    """It behaves as the object itself, apart from the span."""

    def __reduce_ex__(self, protocol: object) -> tuple[Any, ...]:
        return DecoratedObject, (self.__wrapped__, self._self_wrapper)

    def __repr__(self) -> str:
        return repr(self.__wrapped__)
