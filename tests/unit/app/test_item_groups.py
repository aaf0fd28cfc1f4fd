"""Groups by attribute: every item needs one value, and refusals name what is missing."""

import numpy as np
import pytest

from consilience_server.app.item_groups import groups_of, numbered
from consilience_server.app.ports import AttributeColumn
from consilience_server.core.errors import InvalidAttribute

IDS = ["a", "b", "c", "d"]


def text(*values):
    return AttributeColumn("string", values)


def test_items_of_equal_value_are_one_group():
    groups = groups_of("label", {"x": {"label": text("q", "p", "q", "r")}, "y": {}}, IDS, "spec.within")
    assert groups.of[0] == groups.of[2]
    assert len(set(groups.of.tolist())) == groups.count == 3
    assert groups.fixed == 2


def test_either_space_may_have_an_item_s_value():
    spaces = {"x": {"label": text("q", None, None, "p")}, "y": {"label": text("q", "p", "q", None)}}
    assert groups_of("label", spaces, IDS, "f").of.tolist() in ([0, 1, 0, 1], [1, 0, 1, 0])


@pytest.mark.parametrize(
    ("spaces", "said"),
    [
        ({"x": {"split": text(*"qqqq")}, "y": {}}, "x and y have no attribute 'label' for these items; there are split"),
        ({"x": {}}, "they have none"),
        ({"x": {"label": text("q", None, "q", None)}}, "2 of 4 common items have no value of 'label': 'b', 'd'"),
        ({"x": {"label": AttributeColumn("real", [1.0, float("nan"), 1.0, 2.0])}}, "1 of 4 common items"),
        ({"x": {"label": text(*"qqpp")}, "y": {"label": text(*"qppp")}}, "item 'b' has another 'label' in y .'p'. than in x"),
        ({"x": {"label": text(*"1122")}, "y": {"label": AttributeColumn("integer", [1, 1, 2, 2])}}, "item 'a' has another"),
        ({"x": {"label": text(*"qprs")}}, "every item has its own value of 'label'"),
    ],
)
def test_what_cannot_group_the_items_is_refused(spaces, said):
    with pytest.raises(InvalidAttribute, match=said) as caught:
        groups_of("label", spaces, IDS, "spec.within")
    assert caught.value.field == "spec.within"


def test_numbers_of_groups_are_made_dense():
    groups = numbered("", np.array([7, 2**32 - 1, 7, 9]), "f")
    assert groups.of.tolist() == [0, 2, 0, 1]
    with pytest.raises(InvalidAttribute, match="a group of its own"):
        numbered("", np.arange(3), "f")
