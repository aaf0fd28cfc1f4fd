from datetime import UTC, datetime

import numpy as np
import pytest

from consilience_server.app.ports import AttributeColumn, Batch, SpaceRecord, SpaceSpec
from consilience_server.app.validation import check_batch, check_ids, check_name, check_spec
from consilience_server.core import errors
from consilience_server.core.similarity import Similarity

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def record(similarity=Similarity.COSINE, **attributes):
    return SpaceRecord(SpaceSpec("a", 2, similarity), "u", 1, 0, NOW, NOW, attributes)


def batch(vectors=((1, 0), (0, 1)), ids=("p", "q"), **attributes):
    return Batch(ids, np.asarray(vectors, dtype=np.float32), attributes)


def refused(error, part, where, similarity=Similarity.COSINE, **known):
    with pytest.raises(error) as refusal:
        check_batch(part, record(similarity, **known), 16)
    assert refusal.value.field == where
    return refusal.value.message


def test_a_good_batch_passes():
    check_batch(batch(label=AttributeColumn("string", ["a", None])), record(), 16)
    check_batch(batch(vectors=[(0, 0), (1, 1)]), record(Similarity.INNER_PRODUCT), 16)


def test_the_message_names_rows_and_ids():
    assert "rows 1 (ids 'q')" in refused(errors.NotFinite, batch(vectors=[(1, 0), (np.nan, 1)]), "batch.vectors")
    assert "rows 0 (ids 'p')" in refused(errors.NotFinite, batch(vectors=[(np.inf, 0), (1, 1)]), "batch.vectors")
    assert "rows 0 (ids 'p')" in refused(errors.ZeroVector, batch(vectors=[(0, -0.0), (1, 1)]), "batch.vectors")
    many = refused(errors.NotFinite, batch(vectors=np.full((30, 2), np.nan), ids=[str(i) for i in range(30)]), "batch.vectors")
    assert "30 rows" in many
    assert "and 20 more" in many


def test_shapes():
    assert "3 columns, space 'a' has dim 2" in refused(errors.DimensionMismatch, batch(vectors=[(1, 0, 0), (0, 1, 0)]), "batch.vectors")
    refused(errors.ShapeMismatch, batch(ids=["p"]), "batch.vectors")


@pytest.mark.parametrize("bad", ["", "x" * 17, "a\nb", "a\x00", "é" * 9])
def test_ids_that_are_refused(bad):
    with pytest.raises(errors.InvalidId):
        check_ids(["fine", bad], 16)


def test_bad_ids_are_shown_with_what_is_wrong_with_each():
    ids = ["fine", "", "x" * 600, "a\nb", *[""] * 20]
    with pytest.raises(errors.InvalidId) as refusal:
        check_ids(ids, 512, first_row=1000)
    message = refusal.value.message
    assert message.startswith("23 item ids are refused: row 1001 is empty, row 1002 ('xxx")
    assert "has 600 bytes, row 1003 ('a\\nb') holds a control character, row 1004 is empty" in message
    assert "and 13 more; an id is 1 to 512 bytes of UTF-8 without control characters: correct these ids" in message
    assert len(message) < 500


def test_rows_are_numbered_within_the_upload():
    def message(part, known=()):
        with pytest.raises(errors.InvalidArgument) as refusal:
            check_batch(part, record(**dict(known)), 16, 5105)
        return refusal.value.message

    assert "rows 5106 (ids 'q')" in message(batch(vectors=[(1, 0), (np.nan, 1)]))
    assert "rows 5105 (ids 'p')" in message(batch(vectors=[(0, 0), (1, 1)]))
    assert "row 5106 is empty" in message(batch(ids=["p", ""]))
    assert "1.5 in row 5106" in message(batch(n=AttributeColumn("integer", [1, 1.5])))


def test_ids_that_are_fine():
    check_ids(["a b", "日本", "\u200b", "é" * 8, "/%"], 16)


def test_duplicate_ids_are_named():
    with pytest.raises(errors.DuplicateId, match="'p'"):
        check_ids(["p", "q", "p"], 16)


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("label", AttributeColumn("string", ["a"])),
        ("label", AttributeColumn("string", ["a", 1])),
        ("label", AttributeColumn("integer", [1, True])),
        ("label", AttributeColumn("integer", [1, 2**63])),
        ("label", AttributeColumn("real", [1.0, "x"])),
        ("label", AttributeColumn("boolean", [True, 1])),
        ("Label", AttributeColumn("string", ["a", "b"])),
        ("vector", AttributeColumn("string", ["a", "b"])),
        ("known", AttributeColumn("string", ["a", "b"])),
    ],
)
def test_attributes_that_are_refused(name, column):
    refused(errors.InvalidAttribute, batch(**{name: column}), f"batch.attributes[{name}]", known="integer")


@pytest.mark.parametrize("name", ["", "A", "1a", "a_b", "a" * 64, "a/b", "../x"])
def test_names_that_are_refused(name):
    with pytest.raises(errors.InvalidName):
        check_name(name, "space_id")


@pytest.mark.parametrize("dim", [0, 17])
def test_widths_that_are_refused(dim):
    with pytest.raises(errors.InvalidArgument):
        check_spec(SpaceSpec("a", dim, Similarity.COSINE), 16)
