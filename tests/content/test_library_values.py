"""Arrays, tables and pictures are recorded by shape, type and a head."""

import json
import subprocess
import sys
from types import ModuleType
from typing import Any

import pytest

from agentops_otel.content import Content

np = pytest.importorskip("numpy")


def recorded(value: object) -> Any:
    """What a span says of the value."""
    return json.loads(Content().json("x", value) or "")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float32(1.5), 1.5),
        (np.float64(1.5), 1.5),
        (np.int8(3), 3),
        (np.uint64(2**63), 2**63),
        (np.bool_(True), True),
        (np.float16("nan"), "nan"),
        (np.complex64(1 + 2j), "(1+2j)"),
        (np.str_("text"), "text"),
        (np.bytes_(b"ab"), "<numpy.bytes_, 2 B>"),
        (np.datetime64("2026-01-02T03:04:05.123456789"), "2026-01-02T03:04:05.123456789"),
        (np.timedelta64(5, "ms"), "5 milliseconds"),
        (np.longdouble("1.5"), "1.5"),
        (np.array(7), 7),
    ],
    ids=str,
)
def test_a_numpy_scalar_is_its_number(value: object, expected: object) -> None:
    """Scalars of numpy are what Python's are; dates and durations keep their unit."""
    assert recorded({"value": value}) == {"value": expected}


def test_a_small_array_is_recorded_whole_and_a_large_one_by_its_head() -> None:
    """Shape and dtype are always there; of a large array the first items along each axis."""
    small = recorded(np.arange(6, dtype="int16").reshape(2, 3))
    large = recorded(np.zeros((1000, 3, 1000, 50), dtype="float32"))

    assert small == {"__class__": "numpy.ndarray", "shape": [2, 3], "dtype": "int16", "data": [[0, 1, 2], [3, 4, 5]]}
    assert large == {
        "__class__": "numpy.ndarray",
        "shape": [1000, 3, 1000, 50],
        "dtype": "float32",
        "head": [[[[0.0]] * 8] * 3] * 8,
    }


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.array([]), {"__class__": "numpy.ndarray", "shape": [0], "dtype": "float64"}),
        (np.array(["a" * 5000]), {"__class__": "numpy.ndarray", "shape": [1], "dtype": "<U5000"}),
        (
            np.array([{"password": "letmein"}, "sk-proj-a1B2c3D4e5F6"], dtype=object),
            {
                "__class__": "numpy.ndarray",
                "shape": [2],
                "dtype": "object",
                "data": [{"password": "[redacted]"}, "[redacted]"],
            },
        ),
    ],
    ids=["empty", "large items", "objects"],
)
def test_odd_arrays_are_recorded(value: object, expected: object) -> None:
    """An empty array and one of large items have no head; what is in a head is redacted."""
    assert recorded(value) == expected


def test_a_subclass_of_an_array_is_not_asked() -> None:
    """Its methods are the program's code."""

    class Loud(np.ndarray):  # type: ignore[misc, name-defined, unused-ignore]  # numpy may have no types here
        def __getitem__(self, item: object) -> object:
            raise KeyboardInterrupt

        @property
        def shape(self) -> Any:
            raise KeyboardInterrupt

    array = np.zeros(3).view(Loud)

    assert recorded(array).startswith("<tests.content.test_library_values")


def test_tables_of_pandas_are_recorded_by_shape_types_and_head() -> None:
    """The first rows and columns, redacted under their names; a Series and an index likewise."""
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"city": ["Paris", "Rome"] * 50, "api_key": ["letmein"] * 100, "n": range(100)})

    table = recorded(frame)

    assert (table["__class__"], table["shape"], len(table["head"])) == ("pandas.DataFrame", [100, 3], 8)
    assert table["dtypes"]["n"] == "int64"
    assert table["head"][0] == {"city": "Paris", "api_key": "[redacted]", "n": 0}
    assert recorded(frame["n"]) == {
        "__class__": "pandas.Series",
        "shape": [100],
        "dtype": "int64",
        "head": [0, 1, 2, 3, 4, 5, 6, 7],
    }
    assert recorded(frame.index) == {"__class__": "pandas.RangeIndex", "shape": [100], "dtype": "int64"}
    assert recorded([pd.NaT, pd.NA, pd.Timestamp("2026-01-02")]) == ["NaT", "<NA>", "2026-01-02T00:00:00"]


def test_a_wide_frame_costs_no_more_than_its_head() -> None:
    """Of ten thousand columns twenty are read."""
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(np.zeros((3, 10_000)))

    table = recorded(frame)

    assert (table["shape"], len(table["dtypes"]), len(table["head"][0])) == ([3, 10_000], 20, 20)


def test_a_picture_is_recorded_by_mode_and_size() -> None:
    """Not a pixel of it."""
    image = pytest.importorskip("PIL.Image")

    assert recorded(image.new("RGB", (640, 480))) == "<PIL.Image.Image RGB 640x480>"


@pytest.mark.parametrize("library", ["polars", "pyarrow", "torch"])
def test_other_tables_and_tensors_are_recorded_by_shape_and_type(library: str) -> None:
    """Tables of polars and pyarrow, and tensors of torch, where they are installed."""
    pytest.importorskip(library)

    assert recorded(_TABLES[library]()) == _EXPECTED[library]


def _polars() -> object:
    import polars  # type: ignore[import-not-found, unused-ignore]  # of no group

    return polars.DataFrame({"a": [1, 2]})


def _pyarrow() -> object:
    import pyarrow  # type: ignore[import-not-found, import-untyped, unused-ignore]  # of no group

    return pyarrow.table({"a": [1, 2]})


def _torch() -> object:
    import torch  # type: ignore[import-not-found, unused-ignore]  # of no group

    return torch.zeros(2, 3)


_TABLES = {"polars": _polars, "pyarrow": _pyarrow, "torch": _torch}
_EXPECTED = {
    "polars": {"__class__": "polars.DataFrame", "shape": [2, 1], "schema": "Schema([('a', Int64)])"},
    "pyarrow": {"__class__": "pyarrow.Table", "shape": [2, 1], "schema": "a: int64"},
    "torch": {"__class__": "torch.Tensor", "shape": [2, 3], "dtype": "torch.float32", "device": "cpu"},
}


@pytest.mark.parametrize(
    ("library", "name", "attributes"),
    [
        ("polars", "DataFrame", {"schema": "s"}),
        ("polars", "LazyFrame", {"schema": "s"}),
        ("polars", "Series", {"dtype": "d"}),
        ("pyarrow", "Table", {"schema": "s"}),
        ("pyarrow", "RecordBatch", {"schema": "s"}),
        ("torch", "Tensor", {"dtype": "d", "device": "cpu"}),
    ],
)
@pytest.mark.parametrize(
    "sized", [{"shape": (2, 1)}, {"__len__": lambda value: 7}, {}], ids=["shape", "length", "none"]
)
def test_each_class_of_a_library_is_known(
    library: str, name: str, attributes: dict[str, str], sized: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a stand-in, where it is not installed; a class of the same name that is not the library's own is not asked."""
    module = ModuleType(library)
    own, other = (type(name, (), {"__module__": library, **attributes, **sized}) for _ in range(2))
    setattr(module, name, own)
    monkeypatch.setitem(sys.modules, library, module)
    shape = {"shape": [2, 1]} if "shape" in sized else {"shape": [7]} if sized else {}

    assert recorded(own()) == {"__class__": f"{library}.{name}", **shape, **attributes}
    assert recorded(other()) == f"<{library}.{name}>"


def test_no_library_is_imported_for_it() -> None:
    """Recording a value imports none of the libraries."""
    code = (
        "import sys; from agentops_otel.content import Content; Content().json('x', {'a': object()});"
        "print([name for name in ('numpy', 'pandas', 'torch', 'polars', 'pyarrow', 'PIL') if name in sys.modules])"
    )

    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)

    assert run.stdout.strip() == "[]"
