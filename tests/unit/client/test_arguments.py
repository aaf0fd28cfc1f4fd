"""What a call cannot mean is refused before anything is sent, with the field at fault."""

import time

import numpy as np
import pytest

import consilience
from consilience import _names
from consilience._numbers import share, whole

NAN = float("nan")
VECTORS = np.eye(2, dtype=np.float32)
NO_WHOLE_NUMBERS = [3.5, 3.0, NAN, True, np.bool_(True), "3", None, [3], np.float32(3)]  # fmt: skip
HALF = "\ud800"


@pytest.mark.parametrize("value", NO_WHOLE_NUMBERS, ids=repr)
def test_only_whole_numbers_are_whole(value):
    with pytest.raises(consilience.InvalidArgumentError) as refused:
        whole(value, "dim", least=1)
    assert refused.value.field == "dim"


@pytest.mark.parametrize("value", [3, np.int8(3), np.uint64(3), np.array(3)], ids=repr)
def test_every_kind_of_whole_number_is_pythons(value):
    found = whole(value, "dim", least=1)
    assert (found, type(found)) == (3, int)


@pytest.mark.parametrize("value", [0, 1, -0.1, NAN, "0.5", True, None, [0.5]], ids=repr)
def test_a_share_lies_between_zero_and_one(value):
    with pytest.raises(consilience.InvalidArgumentError) as refused:
        share(value, "alpha")
    assert refused.value.field == "alpha"
    assert share(np.float64(0.25), "alpha") == 0.25


CALLS = {
    "dim": lambda client, value: client.create_space("z", dim=value),
    "k": lambda client, value: client.align("a", "b", k=value),
    "k of a list": lambda client, value: client.align("a", "b", k=[10, value]),
    "k of a matrix": lambda client, value: client.align_matrix(["a", "b"], k=value),
    "k of arrays": lambda client, value: client.align_arrays(VECTORS, VECTORS, k=value),
    "k of a match": lambda client, value: client.match(queries=VECTORS, space="a", k=value),
    "correction_k": lambda client, value: client.match(queries=VECTORS, space="a", correction_k=value),
    "gallery_version": lambda client, value: client.match(queries=VECTORS, space="a", gallery_version=value),
    "ef_search": lambda client, value: client.match(queries=VECTORS, space="a", index="hnsw", ef_search=value),
    "nprobe": lambda client, value: client.match(queries=VECTORS, space="a", index="ivf", nprobe=value),
    "itopk_size": lambda client, value: client.match(queries=VECTORS, space="a", index="cagra", itopk_size=value),
    "correction_k of pairs": lambda client, value: client.mutual_pairs("a", "b", correction_k=value),
    "limit": lambda client, value: client.mutual_pairs("a", "b", limit=value),
    "permutations": lambda client, value: client.align("a", "b", permutations=value),
    "seed": lambda client, value: client.align("a", "b", seed=value),
    "sample_items": lambda client, value: client.align("a", "b", metric="rsa", sample_items=value),
    "sample_queries": lambda client, value: client.align("a", "b", sample_queries=value),
    "seed of a bridge": lambda client, value: client.fit_bridge("a", "b", "c", seed=value),
    "held_out_fraction": lambda client, value: client.fit_bridge("a", "b", "c", held_out_fraction=value),
    "alpha": lambda client, value: client.align("a", "b", alpha=value),
    "confidence": lambda client, value: client.align("a", "b", confidence=value),
    "page_size": lambda client, value: client.iterate_embeddings("a", page_size=value),
}


@pytest.mark.parametrize("value", [3.5, NAN, True, "x", -1, 2**64], ids=repr)
@pytest.mark.parametrize("call", CALLS)
def test_a_number_that_is_none_is_refused_at_once(client, script, call, value):
    start = time.monotonic()
    with pytest.raises(consilience.InvalidArgumentError) as refused:
        list(CALLS[call](client, value) or ())
    assert time.monotonic() - start < 1
    assert refused.value.field == call.partition(" ")[0]
    assert script.calls == []


@pytest.mark.parametrize("value", ["", "  ", 3, ["label"]], ids=repr)
def test_a_filter_is_a_text_that_says_something(client, script, value):
    with pytest.raises(consilience.InvalidArgumentError) as refused:
        client.match(queries=VECTORS, space="a", filter=value)
    assert (refused.value.field, script.calls) == ("filter", [])


@pytest.mark.parametrize("value", [0, -1.0, NAN, "x", None, True], ids=repr)
def test_a_temperature_is_above_zero(client, script, value):
    with pytest.raises(consilience.InvalidArgumentError) as refused:
        client.match(queries=VECTORS, space="a", beta=value)
    assert (refused.value.field, script.calls) == ("beta", [])


@pytest.mark.parametrize("value", [[5], np.array([5]), [[5]]], ids=repr)
def test_a_match_has_one_k(client, script, value):
    with pytest.raises(consilience.InvalidArgumentError) as refused:
        client.match(queries=VECTORS, space="a", k=value)
    assert (refused.value.reason, refused.value.field, script.calls) == ("INVALID_K", "k", [])


def test_numpys_numbers_are_numbers(client, script):
    assert client.create_space("z", dim=np.int64(3)).dim == 3
    client.align("a", "b", k=np.array([10, 5], np.uint8), permutations=np.int32(0), seed=np.uint64(2**64 - 1), alpha=np.float32(0.5))
    spec = script.last.spec
    assert (list(spec.ks), spec.skip_permutations, spec.seed, spec.alpha) == ([10, 5], True, 2**64 - 1, 0.5)
    assert client.match(queries=VECTORS, space="a", k=np.int64(2)).ids.shape == (2, 2)


@pytest.mark.parametrize("penalties", ["1", 1.0, ["x"], [NAN], [None]], ids=repr)
def test_penalties_are_a_list_of_numbers(client, script, penalties):
    with pytest.raises(consilience.InvalidArgumentError) as refused:
        client.fit_bridge("a", "b", "c", penalties=penalties)
    assert (refused.value.field, script.calls) == ("penalties", [])


@pytest.mark.parametrize(
    ("pairs", "reason", "field"),
    [
        ({"pair_ids": []}, "TOO_FEW_PAIRS", "pair_ids"),
        ({"pair_ids": np.array([], dtype=object)}, "TOO_FEW_PAIRS", "pair_ids"),
        ({"pair_ids": ["x"], "target_ids": []}, "SHAPE_MISMATCH", "target_ids"),
        ({"target_ids": ["x"]}, "SHAPE_MISMATCH", "target_ids"),
        ({"pair_ids": "ab"}, "INVALID_ID", "pair_ids"),
    ],
)
def test_no_pairs_are_not_all_pairs(client, script, pairs, reason, field):
    with pytest.raises(consilience.InvalidArgumentError) as refused:
        client.fit_bridge("a", "b", "c", **pairs)
    assert (refused.value.reason, refused.value.field, script.calls) == (reason, field, [])


@pytest.mark.parametrize("ids", [[], (), np.array([], dtype=str)], ids=repr)
def test_no_ids_are_no_items(client, script, ids):
    none = client.get_embeddings("a", ids)
    assert (none.ids, none.vectors.shape, none.space.version, none.attributes) == ([], (0, 1), 3, {"label": []})
    assert len(script.seen("GetEmbeddings")) == 1


@pytest.mark.parametrize("spaces", ["ab", consilience.SpaceUse("ab", "u", 1), 5, None], ids=repr)
def test_a_single_space_is_no_list_of_spaces(client, script, spaces):
    with pytest.raises(consilience.InvalidArgumentError) as refused:
        client.align_matrix(spaces)
    assert (refused.value.field, script.calls) == ("spaces", [])


IDS = {
    "upsert": lambda client, ids: client.upsert("a", ids, VECTORS),
    "get_embeddings": lambda client, ids: client.get_embeddings("a", ids),
    "delete_embeddings": lambda client, ids: client.delete_embeddings("a", ids),
    "match": lambda client, ids: client.match(query_ids=ids, space="a"),
    "gallery_ids": lambda client, ids: client.match(query_ids=["x"], space="a", gallery_ids=ids),
    "exclude_ids": lambda client, ids: client.match(query_ids=["x"], space="a", exclude_ids=ids),
    "pairs": lambda client, ids: client.fit_bridge("a", "b", "c", pair_ids=ids),
    "targets": lambda client, ids: client.fit_bridge("a", "b", "c", pair_ids=["x", "y"], target_ids=ids),
}


@pytest.mark.parametrize("ids", ["ab", b"ab", 5, ["a", HALF], np.array([["a", "b"]])], ids=ascii)
@pytest.mark.parametrize("call", IDS)
def test_ids_are_a_list_of_text(client, script, call, ids):
    with pytest.raises(consilience.InvalidArgumentError) as refused:
        IDS[call](client, ids)
    assert (refused.value.reason, script.calls) == ("INVALID_ID", [])
    str(refused.value).encode()


NAMES = {
    "create_space": lambda client, name: client.create_space(name, dim=2),
    "get_space": lambda client, name: client.get_space(name),
    "delete_space": lambda client, name: client.delete_space(name),
    "upsert": lambda client, name: client.upsert(name, ["a", "b"], VECTORS),
    "align": lambda client, name: client.align("a", name),
    "align_matrix": lambda client, name: client.align_matrix(["a", name]),
    "fit_bridge": lambda client, name: client.fit_bridge("a", "b", name),
    "get_bridge": lambda client, name: client.get_bridge(name),
    "get_operation": lambda client, name: client.get_operation(name),
}


@pytest.mark.parametrize("name", [HALF, "a" + HALF, "", 5, None], ids=ascii)
@pytest.mark.parametrize("call", NAMES)
def test_names_are_text(client, script, call, name):
    with pytest.raises(consilience.InvalidArgumentError) as refused:
        NAMES[call](client, name)
    assert (refused.value.reason, script.calls) == ("INVALID_NAME", [])
    assert refused.value.field
    str(refused.value).encode()


def test_a_version_beyond_64_bits_is_none(client, script):
    with pytest.raises(consilience.InvalidArgumentError) as refused:
        client.get_embeddings(f"a@{2**63}")
    assert (refused.value.reason, script.calls) == ("INVALID_NAME", [])


@pytest.mark.parametrize("field", ["modality", "model", "layer", "group", "request_id"])
def test_what_describes_a_space_is_text(client, script, field):
    for value in (HALF, 7):
        with pytest.raises(consilience.InvalidArgumentError) as refused:
            client.create_space("z", dim=2, **{field: value})
        assert (refused.value.field, script.calls) == (field, [])


def test_attribute_columns_of_a_file_are_a_list(client, script, tmp_path):
    np.savez(tmp_path / "items.npz", ids=np.array(["a", "b"]), vectors=VECTORS, ab=np.array([1, 2]))
    with pytest.raises(consilience.InvalidArgumentError) as refused:
        client.ingest("a", tmp_path / "items.npz", attribute_columns="ab")
    assert (refused.value.field, script.calls) == ("attribute_columns", [])
    assert "single string" in refused.value.message


@pytest.mark.parametrize("request_id", ["é", "a\nb", "\x00"], ids=ascii)
def test_a_request_id_fits_a_header(client, script, request_id):
    for call in (
        lambda: client.upsert("a", ["a", "b"], VECTORS, request_id=request_id),
        lambda: client.delete_space("a", request_id=request_id),
    ):
        with pytest.raises(consilience.InvalidArgumentError) as refused:
            call()
        assert (refused.value.field, script.calls) == ("request_id", [])


@pytest.mark.parametrize("timeout", [0, -1, NAN, "x", True], ids=repr)
def test_a_timeout_is_above_zero(client, connect, script, timeout):
    for call in (
        lambda: client.server_info(timeout=timeout),
        lambda: client.upsert("a", ["a", "b"], VECTORS, timeout=timeout),
        lambda: connect("localhost:1", timeout=timeout),
        lambda: consilience.Client.local("nowhere", timeout=timeout),
    ):
        with pytest.raises(consilience.InvalidArgumentError) as refused:
            call()
        assert (refused.value.field, script.seen("UpsertEmbeddings")) == ("timeout", [])


@pytest.mark.parametrize("path", [None, 5, "", "a\0b", True], ids=ascii)
def test_a_folder_has_a_path(path):
    for kind in (consilience.Client, consilience.AsyncClient):
        with pytest.raises(consilience.InvalidArgumentError) as refused:
            kind.local(path)
        assert refused.value.field == "path"


@pytest.mark.parametrize(("settings", "field"), [({"address": 5}, "address"), ({"address": "localhost:1", "api_key": "sécret"}, "api_key")])
def test_a_connection_that_cannot_be_is_refused(connect, settings, field):
    with pytest.raises(consilience.InvalidArgumentError) as refused:
        connect(**settings)
    assert refused.value.field == field
    assert "cret" not in str(refused.value)


@pytest.mark.parametrize("metric", [None, ["cka"], 2])
def test_what_is_no_name_is_an_unknown_one(client, metric):
    with pytest.raises(consilience.InvalidArgumentError) as refused:
        client.align("a", "b", metric=metric)
    assert refused.value.reason == "UNKNOWN_METRIC"


def test_a_refused_list_is_not_told_whole():
    with pytest.raises(consilience.InvalidArgumentError, match="of type list; give a string") as refused:
        _names.text([0] * 10_000, "strata")
    assert len(str(refused.value)) < 150
