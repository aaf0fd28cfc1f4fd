import pytest

from consilience.v1.attribute_pb2 import AttributeColumn as Column
from consilience.v1.attribute_pb2 import BooleanValues, IntegerValues, RealValues, StringValues
from consilience.v1.space_pb2 import VALUE_TYPE_INTEGER, VALUE_TYPE_STRING
from consilience_server.app.ports import AttributeColumn
from consilience_server.core.errors import InvalidAttribute
from consilience_server.rpc.convert.attributes import read_attributes, write_attribute_types, write_attributes

COLUMNS = {
    "label": AttributeColumn("string", ("a", None, "")),
    "count": AttributeColumn("integer", (1, -(2**63), None)),
    "weight": AttributeColumn("real", (None, 0.5, float("inf"))),
    "seen": AttributeColumn("boolean", (True, False, None)),
    "nothing": AttributeColumn("real", (None, None, None)),
}


def test_columns_return_with_what_is_missing():
    written = write_attributes(COLUMNS)
    assert [column.name for column in written] == sorted(COLUMNS)
    again = read_attributes([Column.FromString(column.SerializeToString()) for column in written], "batch.attributes")
    assert {name: (column.type, list(column.values)) for name, column in again.items()} == {
        name: (column.type, list(column.values)) for name, column in COLUMNS.items()
    }


def test_what_stands_at_a_missing_position_is_ignored():
    column = Column(name="a", strings=StringValues(values=["x", "y"]), missing=[1])
    assert list(read_attributes([column], "f")["a"].values) == ["x", None]


BAD = {
    "no values": ([Column(name="a")], "no values"),
    "twice": ([Column(name="a", reals=RealValues(values=[1])), Column(name="a", strings=StringValues(values=["b"]))], "twice"),
    "missing outside": ([Column(name="a", integers=IntegerValues(values=[1]), missing=[1])], "below 1"),
    "missing not ascending": ([Column(name="a", booleans=BooleanValues(values=[True] * 3), missing=[1, 1])], "ascend"),
    "missing of nothing": ([Column(name="a", strings=StringValues(), missing=[0])], "below 0"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_columns_are_refused(case):
    columns, words = BAD[case]
    with pytest.raises(InvalidAttribute, match=words) as caught:
        read_attributes(columns, "batch.attributes")
    assert caught.value.field == "batch.attributes[a]"


def test_types_in_byte_order():
    types = write_attribute_types({"b": "string", "a": "integer"})
    assert [(entry.name, entry.type) for entry in types] == [("a", VALUE_TYPE_INTEGER), ("b", VALUE_TYPE_STRING)]
