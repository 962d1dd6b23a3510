"""Reads an object's fields without running its code."""

from collections.abc import Iterable
from types import FunctionType, GetSetDescriptorType, MemberDescriptorType, ModuleType
from typing import Any

# A metaclass may answer for its classes; these answers are the interpreter's own.
_MRO = type.__dict__["__mro__"]
_QUALNAME = type.__dict__["__qualname__"]
_MODULE = type.__dict__["__module__"]
_NAMESPACE = type.__dict__["__dict__"]
_MODULE_DICT: Any = ModuleType.__dict__["__dict__"]  # type: ignore[index]  # typeshed takes it for the instance's

_DECLARATIONS = ("__dataclass_fields__", "__attrs_attrs__", "__pydantic_fields__")


class _Missing:
    """The type of `MISSING`."""


MISSING = _Missing()
"""Stands for a field without a value."""


def type_name(kind: type) -> str:
    """The qualified name of a class: `decimal.Decimal`, `int`."""
    module = _MODULE.__get__(kind)
    name = str(_QUALNAME.__get__(kind))
    return f"{module}.{name}" if type(module) is str and module != "builtins" else name


def description(value: object) -> str:
    """A short description of an object: `<demo.Client>`, `<function demo.run>`, `<class int>`."""
    kind = type(value)
    if issubclass(kind, type):
        return f"<class {type_name(value)}>"  # type: ignore[arg-type]  # it is a class: its type derives from `type`
    if kind is FunctionType:
        return f"<function {FunctionType.__dict__['__qualname__'].__get__(value)}>"
    if kind is ModuleType:
        return f"<module {_MODULE_DICT.__get__(value).get('__name__')}>"
    return f"<{type_name(kind)}>"


def module_attribute(module: ModuleType, name: str) -> object:
    """The attribute as it stands in the module, without its `__getattr__`; None when it is not there."""
    return _MODULE_DICT.__get__(module).get(name)


def declared_fields(value: object) -> dict[str, object] | None:
    """The fields of a dataclass, attrs, pydantic or namedtuple object that its repr would show; None for others."""
    kind = type(value)
    if issubclass(kind, tuple):
        names = _class_attribute(kind, "_fields")
        return dict(zip(_texts(names), tuple.__iter__(value), strict=False)) if type(names) is tuple else None  # type: ignore[arg-type]  # a tuple: asked above
    declared = next((found for name in _DECLARATIONS if (found := _class_attribute(kind, name)) is not MISSING), None)
    if type(declared) is dict:
        shown = [name for name, field in declared.items() if read(field, "repr") is not False]
    elif isinstance(declared, tuple):
        shown = [read(field, "name") for field in tuple.__iter__(declared) if read(field, "repr") is not False]
    else:
        return None
    fields = {name: read(value, name) for name in _texts(shown)}
    extra = read(value, "__pydantic_extra__")
    if type(extra) is dict:
        fields |= {name: extra[name] for name in _texts(extra)}
    return {name: field for name, field in fields.items() if field is not MISSING}


def public_state(value: object) -> dict[str, object]:
    """The instance's attributes whose names do not begin with an underscore."""
    state = _instance_dict(value)
    return {name: state[name] for name in _texts(list(state)) if not name.startswith("_")}


def read(value: object, name: str) -> object:
    """The attribute as it is stored, in the instance's dict or in a slot; `MISSING` when there is none."""
    slot = _class_attribute(type(value), name)
    if type(slot) is MemberDescriptorType:
        try:
            return slot.__get__(value)
        except AttributeError:
            return MISSING
    return _instance_dict(value).get(name, MISSING)


def _instance_dict(value: object) -> dict[str, object]:
    getter = _class_attribute(type(value), "__dict__")
    state = getter.__get__(value) if type(getter) is GetSetDescriptorType else None
    return state if type(state) is dict else {}


def _class_attribute(kind: type, name: str) -> object:
    for base in _MRO.__get__(kind):
        namespace = _NAMESPACE.__get__(base)
        if name in namespace:
            return namespace[name]
    return MISSING


def _texts(names: Iterable[object]) -> list[str]:
    return [name for name in names if type(name) is str]
