from collections import UserDict
from types import MappingProxyType

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from consilience import InvalidArgumentError
from consilience._attributes import from_columns, to_columns

NAN = float("nan")


@pytest.mark.parametrize(
    ("values", "kind", "back"),
    [
        (["a", None, "c"], "strings", ["a", None, "c"]),
        ([1, 2, 3], "integers", [1, 2, 3]),
        (np.array([1, 2, 3], np.int8), "integers", [1, 2, 3]),
        ([1, 2.5, None], "reals", [1.0, 2.5, None]),
        (np.array([1.0, np.nan, 3.0]), "reals", [1.0, None, 3.0]),
        ([True, None, False], "booleans", [True, None, False]),
        (np.array([True, False, True]), "booleans", [True, False, True]),
        (["a", NAN, "c"], "strings", ["a", None, "c"]),
        (pd.Series([1, None, 3], dtype="Int64"), "integers", [1, None, 3]),
        (pa.array(["a", None, "c"]), "strings", ["a", None, "c"]),
        ([2**63 - 1, -(2**63), 0], "integers", [2**63 - 1, -(2**63), 0]),
    ],
)
def test_columns_are_typed_and_come_back(values, kind, back):
    (column,) = to_columns({"label": values}, 3)
    assert column.kind == kind
    assert from_columns([column.to_message()]) == {"label": back}


def test_a_frame_is_a_mapping_of_columns():
    columns = to_columns(pd.DataFrame({"label": [1, 2], "name": ["a", "b"]}), 2)
    assert {column.name: column.kind for column in columns} == {"label": "integers", "name": "strings"}


@pytest.mark.parametrize(
    "attributes",
    [
        pa.table({"label": [1, None], "name": ["a", "b"]}),
        pa.record_batch({"label": [1, None], "name": ["a", "b"]}),
        pd.DataFrame({"label": pd.Series([1, None], dtype="Int64"), "name": ["a", "b"]}),
        MappingProxyType({"label": np.ma.masked_array([1, 7], mask=[False, True]), "name": np.array(["a", "b"])}),
        UserDict({"label": (1, None), "name": pd.Index(["a", "b"])}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_kind_of_named_columns_is_kept(attributes):
    columns = to_columns(attributes, 2)
    assert from_columns([column.to_message() for column in columns]) == {"label": [1, None], "name": ["a", "b"]}


@pytest.mark.parametrize(
    "attributes",
    ["ab", [1, 2], [("label", [1, 2])], 5, np.ones(2), pa.array([1, 2]), pd.Series([1, 2]), object()],
    ids=lambda value: type(value).__name__,
)
def test_what_has_no_named_columns_is_refused(attributes):
    with pytest.raises(InvalidArgumentError, match="give a mapping") as refused:
        to_columns(attributes, 2)
    assert (refused.value.reason, refused.value.field) == ("INVALID_ATTRIBUTE", "attributes")


def test_a_name_that_cannot_be_sent_is_refused():
    with pytest.raises(InvalidArgumentError, match="ud800") as refused:
        to_columns({"\ud800": [1, 2]}, 2)
    assert refused.value.reason == "INVALID_ATTRIBUTE"


def test_a_part_keeps_its_missing_places():
    (column,) = to_columns({"label": [None, 1, None, 3, None]}, 5)
    assert from_columns([column.rows(1, 3).to_message()]) == {"label": [1, None]}
    assert from_columns([column.rows(4, 5).to_message()]) == {"label": [None]}


def test_nothing_to_say_is_no_column():
    assert to_columns(None, 3) == []
    assert to_columns({"label": [None, None]}, 2) == []


@pytest.mark.parametrize(
    "values",
    [
        "ab",
        b"ab",
        5,
        {1, 2},
        {"x": 1, "y": 2},
        ["a", "\ud800"],
        ["a"],
        ["a", 1],
        [1, True],
        [2**63, 0],
        [object(), object()],
        [b"a", b"b"],
        [[1], [2]],
    ],
)
def test_wrong_columns_are_refused_by_name(values):
    with pytest.raises(InvalidArgumentError, match="'label'") as refused:
        to_columns({"label": values}, 2)
    assert (refused.value.reason, refused.value.field) == ("INVALID_ATTRIBUTE", "attributes[label]")


@pytest.mark.parametrize("values", [["", "é" * 100, None], [1, -1, 2**62], [0.5, None, 1e300], [True, False, None]])
def test_the_size_bound_holds(values):
    (column,) = to_columns({"label": values}, 3)
    for row in range(3):
        part = column.rows(row, row + 1).to_message()
        part.name = ""
        assert part.ByteSize() <= column.value_bytes()[row] + 6
