"""Arrays, tables and pictures of known libraries, by shape, type and a head; none of the libraries is imported.

Only objects of a library's very own classes are read: their methods are the library's code, not the program's.
"""

import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from agentops_otel.content.objects import MISSING, module_attribute, read, type_name

HEAD_ITEMS = 8
"""Items along each axis of an array, and rows of a table, that are recorded."""
_HEAD_COLUMNS = 20
_MAX_HEAD_AXES = 3
_MAX_ITEM_BYTES = 1024
"""An array whose items are larger has no head."""


def library_value(value: object) -> object:
    """A plain value that stands for an object of a known library; `MISSING` for any other object.

    Example:
        ```python
        library_value(numpy.zeros((1000, 3)))  # {"__class__": "numpy.ndarray", "shape": [1000, 3], "dtype": ...}
        ```
    """
    kind = type(value)
    root = type_name(kind).partition(".")[0]
    reader = _READERS.get(root)
    module = sys.modules.get(root) if reader else None
    return reader(module, kind, value) if reader and type(module) is ModuleType else MISSING


def _numpy(numpy: ModuleType, kind: type, value: Any) -> object:
    if kind is module_attribute(numpy, "ndarray"):
        return _array(value)
    scalar = module_attribute(numpy, "generic")
    if type(scalar) is not type or not issubclass(kind, scalar) or module_attribute(numpy, kind.__name__) is not kind:
        return MISSING
    item = value.item()
    # A scalar that Python has no type for (datetime64 in nanoseconds, longdouble) gives a number without its unit.
    return str(value) if type(item) is kind or value.dtype.kind in "mM" else item


def _array(value: Any) -> object:
    shape = list(value.shape)
    if not shape:
        return value.item()
    summary = {"__class__": "numpy.ndarray", "shape": shape, "dtype": str(value.dtype)}
    if value.dtype.itemsize > _MAX_ITEM_BYTES or 0 in shape:
        return summary
    # A view: nothing large is copied. Axes beyond the third are cut to one item.
    head = value[tuple(slice(HEAD_ITEMS if axis < _MAX_HEAD_AXES else 1) for axis in range(len(shape)))]
    return {**summary, ("data" if list(head.shape) == shape else "head"): head.tolist()}


def _pandas(pandas: ModuleType, kind: type, value: Any) -> object:
    if kind is module_attribute(pandas, "DataFrame"):
        return _data_frame(value)
    if kind is module_attribute(pandas, "Series"):
        summary = {"__class__": "pandas.Series", "shape": list(value.shape), "dtype": str(value.dtype)}
        return summary if not _is_known(value.dtype) else {**summary, "head": value.iloc[:HEAD_ITEMS].tolist()}
    is_index = type_name(kind).startswith("pandas.") and module_attribute(pandas, kind.__name__) is kind
    if is_index and issubclass(kind, module_attribute(pandas, "Index")):  # type: ignore[arg-type]  # it is a class
        return {"__class__": type_name(kind), "shape": list(value.shape), "dtype": str(value.dtype)}
    return "<NA>" if value is module_attribute(pandas, "NA") else MISSING


def _data_frame(value: Any) -> object:
    summary: dict[str, object] = {"__class__": "pandas.DataFrame", "shape": list(value.shape)}
    head = value.iloc[:HEAD_ITEMS, :_HEAD_COLUMNS]
    dtypes = dict(zip(list(head.columns), list(head.dtypes), strict=True))
    summary["dtypes"] = {name: str(dtype) for name, dtype in dtypes.items()}
    if not all(map(_is_known, dtypes.values())):
        return summary
    return {**summary, "head": [dict(zip(dtypes, row, strict=True)) for row in head.itertuples(index=False, name=None)]}


def _is_known(dtype: object) -> bool:
    """False for a column type of a third library, which would run its own code."""
    return type_name(type(dtype)).startswith(("numpy.", "pandas."))


def _by_shape(*names: str, attributes: tuple[str, ...] = ()) -> Callable[[ModuleType, type, Any], object]:
    """A reader that records the shape, and the attributes as text, of objects of these classes."""

    def read_shape(module: ModuleType, kind: type, value: Any) -> object:
        if not any(module_attribute(module, name) is kind for name in names):
            return MISSING
        summary: dict[str, object] = {"__class__": f"{module.__name__}.{kind.__name__}"}
        if (shape := getattr(value, "shape", None)) is not None:
            summary["shape"] = list(shape)
        elif (length := getattr(kind, "__len__", None)) is not None:
            summary["shape"] = [length(value)]
        return summary | {
            name: str(attribute) for name in attributes if (attribute := getattr(value, name, None)) is not None
        }

    return read_shape


def _picture(pil: ModuleType, kind: type, value: Any) -> object:
    size, mode = read(value, "_size"), read(value, "_mode")
    if type(size) is not tuple or type(mode) is not str:
        return MISSING
    return f"<{type_name(kind)} {mode} {'x'.join(map(str, size))}>"


_READERS: Mapping[str, Callable[[ModuleType, type, Any], object]] = {
    "numpy": _numpy,
    "pandas": _pandas,
    "polars": _by_shape("DataFrame", "LazyFrame", "Series", attributes=("dtype", "schema")),
    "pyarrow": _by_shape("Table", "RecordBatch", attributes=("schema",)),
    "torch": _by_shape("Tensor", attributes=("dtype", "device")),
    "PIL": _picture,
}
