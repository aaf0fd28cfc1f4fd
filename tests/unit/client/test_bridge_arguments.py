"""What calls about bridges take, and which argument they name where they refuse."""

import datetime as dt
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from consilience import InvalidArgumentError
from consilience._codec.bridges import encode_classes, encode_labels, encode_pairs, read_head
from consilience._fields import argument_of
from consilience._names import BRIDGE_METHODS


@pytest.mark.parametrize(
    "labels",
    [
        [1, 1.0, True],
        np.array([1.0, 1.0, 1.0]),
        np.array([True, True, True]),
        [np.float32(1), np.int8(1), np.bool_(True)],
        pd.Series([1, 1, 1]),
        pd.Series([1.0, 1.0, 1.0]),
    ],
)
def test_equal_classes_are_spelled_alike(labels):
    assert encode_labels(labels, 3) == ["1", "1", "1"]


def test_other_classes_stay_what_they_are():
    assert encode_classes(["cat", 0, 0.5, False, -2.0, dt.date(2024, 5, 1)], "labels") == ["cat", "0", "0.5", "0", "-2", "2024-05-01"]


@pytest.mark.parametrize("missing", [None, math.nan, np.float32("nan"), pd.NA, pd.NaT, np.datetime64("NaT")])
def test_a_missing_label_is_refused_by_its_position(missing):
    with pytest.raises(InvalidArgumentError, match=r"labels\[2\] is .* no class; leave its pair out") as refused:
        encode_labels(["a", "b", missing, "a"], 4)
    assert (refused.value.reason, refused.value.field) == ("INVALID_ATTRIBUTE", "labels")


@pytest.mark.parametrize("classes", ["cat", b"cat", {"a": 1}, 5])
def test_classes_are_a_list(classes):
    with pytest.raises(InvalidArgumentError, match="give a list of classes") as refused:
        encode_classes(classes, "head_classes")
    assert refused.value.field == "head_classes"


def test_a_head_is_bytes_or_a_file(tmp_path):
    path = tmp_path / "head.onnx"
    path.write_bytes(b"model")
    for head in (b"model", bytearray(b"model"), memoryview(b"model"), path, str(path)):
        assert read_head(head) == b"model"
    for head in (5, object(), Path("nowhere.onnx"), "null\0byte"):
        with pytest.raises(InvalidArgumentError) as refused:
            read_head(head)
        assert refused.value.field == "head"


def test_a_mapping_is_no_list_of_ids():
    with pytest.raises(InvalidArgumentError, match="pair_ids is a dict, of which only the keys would be read") as refused:
        encode_pairs({"i1": "t1"}, None)
    assert refused.value.field == "pair_ids"


def test_methods_that_no_fit_takes_are_not_offered():
    with pytest.raises(InvalidArgumentError, match=r"method is 'mlp'; it is one of auto, .*ridge") as refused:
        BRIDGE_METHODS.to_number("mlp")
    assert "composed" not in refused.value.message


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda client: client.fit_bridge("a", "b", name=None), "name"),
        (lambda client: client.compose_bridges(["a", "b"], name=None), "name"),
        (lambda client: client.invert_bridge("a", name=5), "name"),
        (lambda client: client.compose_bridges(5, name="c"), "bridges"),
        (lambda client: client.compose_bridges({"a": "b"}, name="c"), "bridges"),
        (lambda client: client.compose_bridges(["a", None], name="c"), "bridges[1]"),
        (lambda client: client.evaluate_bridge("a", head=5), "head"),
        (lambda client: client.evaluate_bridge("a", ["i"], labels=5), "labels"),
        (lambda client: client.match([[1.0]], bridge="a", source="b@3"), "source"),
        (lambda client: client.translate("a", [[1.0]], source=5), "source"),
    ],
)
def test_the_argument_at_fault_is_named(client, script, call, field):
    with pytest.raises(InvalidArgumentError) as refused:
        call(client)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("field", "argument"),
    [
        ("pairs", "pair_ids"),
        ("pairs.item_ids", "pair_ids"),
        ("labels_attribute", "labels"),
        ("expected_bridge.source", "source"),
        ("uncentred", "centred"),
    ],
)
def test_fields_of_bridges_become_arguments(field, argument):
    assert argument_of(field) == argument
