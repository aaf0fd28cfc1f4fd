"""Errors name the argument at fault as the call spells it."""

import inspect

import pytest

import consilience
from consilience import AsyncClient
from consilience._fields import _ARGUMENTS, argument_called, argument_of, creation_told
from consilience.errors import InvalidArgumentError, NotFoundError


@pytest.mark.parametrize(
    ("field", "argument"),
    [
        ("spec.ks", "k"),
        ("header.spec.query_ids", "query_ids"),
        ("spec.predictivity.folds_by", "folds_by"),
        ("spaces[2]", "spaces[2]"),
        ("first.x", "first.x"),
        ("slice_by", "slices"),
        ("space", "space"),
        ("header.within_groups", "within"),
        ("consensus_space_id", "name"),
    ],
)
def test_fields_become_arguments(field, argument):
    assert argument_of(field) == argument


def test_every_argument_is_one_of_a_call():
    from consilience._alignment_options import AlignmentOptions

    known = set(AlignmentOptions.__annotations__) | {"x_kernel", "y_kernel"}
    for _, method in inspect.getmembers(AsyncClient, inspect.isfunction):
        known |= set(inspect.signature(method).parameters)
    assert set(_ARGUMENTS.values()) <= known


def test_a_call_may_spell_an_argument_its_own_way():
    with pytest.raises(InvalidArgumentError) as refused, argument_called(k="ks"):
        raise InvalidArgumentError("no", field="k")
    assert refused.value.field == "ks"
    with pytest.raises(InvalidArgumentError) as refused, argument_called(k="ks"):
        raise InvalidArgumentError("no", field="x")
    assert refused.value.field == "x"


def test_a_missing_space_is_told_with_what_makes_it():
    with pytest.raises(NotFoundError, match=r"no such space; create=True \(--create"), creation_told():
        raise NotFoundError("no such space", reason="SPACE_NOT_FOUND")
    with pytest.raises(NotFoundError) as other, creation_told():
        raise NotFoundError("no such item", reason="ITEM_NOT_FOUND")
    assert other.value.message == "no such item"


def test_clients_name_their_own_arguments(client, script):
    with pytest.raises(consilience.InvalidArgumentError) as refused:
        client.gallery_curve("a", "b", ks="many")
    assert refused.value.field == "ks"
    for call in (client.align_items, lambda *_, **asked: client.compare_versions("a", 1, **asked)):
        with pytest.raises(consilience.InvalidArgumentError, match="'rsa' has no overlap of single items") as refused:
            call("a", "b", metric="rsa")
        assert (refused.value.field, refused.value.reason) == ("metric", "UNKNOWN_METRIC")
    assert script.calls == []
