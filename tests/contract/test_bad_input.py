"""Whatever cannot be: the right error, reason and field, a message that helps, and nothing half-written."""

import numpy as np
import pytest

import consilience
from consilience import _methods as methods
from consilience.v1 import attribute_pb2, bridge_pb2, match_pb2, matrix_pb2, space_pb2

INVALID = consilience.InvalidArgumentError
VECTORS = np.random.default_rng(0).standard_normal((3, 8))
IDS = ["p", "q", "r"]


def spoiled(value):
    """Three rows, the middle one spoiled."""
    vectors = VECTORS.copy()
    vectors[1, 2:] = value
    if value == 0:
        vectors[1] = 0
    return vectors


UPSERTS = {
    "NaN": (IDS, spoiled(np.nan), None, INVALID, "NOT_FINITE", "vectors", "1"),
    "infinity": (IDS, spoiled(-np.inf), None, INVALID, "NOT_FINITE", "vectors", "1"),
    "zero vector under cosine": (IDS, spoiled(0), None, INVALID, "ZERO_VECTOR", "vectors", "1"),
    "float64 beyond float32": (IDS, spoiled(1e39), None, INVALID, "NOT_FINITE", "vectors", "1"),
    "wrong width": (IDS, np.ones((3, 9)), None, INVALID, "DIMENSION_MISMATCH", "vectors", "9"),
    "fewer ids than rows": (IDS[:2], VECTORS, None, INVALID, "SHAPE_MISMATCH", "", "2"),
    "complex numbers": (IDS, np.ones((3, 8), dtype=complex), None, INVALID, "DTYPE_NOT_ACCEPTED", "vectors", "complex"),
    "one dimension": (IDS, np.ones(8), None, INVALID, "SHAPE_MISMATCH", "vectors", ""),
    "an id twice": (["p", "q", "p"], VECTORS, None, INVALID, "DUPLICATE_ID", "ids", "'p'"),
    "an empty id": (["p", "", "r"], VECTORS, None, INVALID, "INVALID_ID", "ids", "1"),
    "an over-long id": (["p", "x" * 5000, "r"], VECTORS, None, INVALID, "INVALID_ID", "ids", "1"),
    "an attribute too short": (IDS, VECTORS, {"label": ["a", "b"]}, INVALID, "INVALID_ATTRIBUTE", "label", "2"),
    "an attribute of two types": (IDS, VECTORS, {"label": ["a", 1, "c"]}, INVALID, "INVALID_ATTRIBUTE", "label", ""),
    "an attribute of another type": (IDS, VECTORS, {"known": [1, 2, 3]}, INVALID, "INVALID_ATTRIBUTE", "known", "string"),
    "a malformed attribute name": (IDS, VECTORS, {"Label!": [1, 2, 3]}, INVALID, "INVALID_ATTRIBUTE", "Label!", ""),
}


@pytest.fixture
def known(client, space):
    """The space, with a string attribute."""
    client.upsert(space.name, space.ids[:1], space.vectors[:1], attributes={"known": ["yes"]})
    return space


def check(error, reason, field, told):
    assert error.reason == reason, error
    assert field in (error.field or ""), (error.field, str(error))
    assert told in str(error)


@pytest.mark.parametrize("case", UPSERTS)
def test_a_bad_upload_is_refused_whole(client, known, case):
    ids, vectors, attributes, kind, reason, field, told = UPSERTS[case]
    before = client.get_embeddings(known.name)
    with pytest.raises(kind) as refused:
        client.upsert(known.name, ids, vectors, attributes=attributes)
    check(refused.value, reason, field, told)
    after = client.get_embeddings(known.name)
    assert after == before
    assert client.get_space(known.name).item_count == len(known.ids)


def test_a_bad_row_far_into_an_upload_leaves_nothing_of_it(client, known):
    """The batch with the bad row is the third; the first two were staged."""
    vectors = np.ones((200_000, 8), np.float32)
    vectors[150_000, 0] = np.nan
    ids = [f"late-{row:06d}" for row in range(len(vectors))]
    before = client.get_space(known.name)
    with pytest.raises(INVALID) as refused:
        client.upsert(known.name, ids, vectors, request_id=f"{known.name}-late")
    assert refused.value.reason == "NOT_FINITE"
    assert client.get_space(known.name) == before
    with pytest.raises(consilience.NotFoundError) as gone:
        client._call(methods.GET_UPLOAD, space_pb2.GetUploadRequest(space=f"spaces/{known.name}", request_id=f"{known.name}-late"))
    assert gone.value.reason == "UPLOAD_NOT_FOUND"


def test_an_id_in_two_batches_of_one_upload_is_refused(client, known):
    count = 100_000
    ids = [f"far-{row:06d}" for row in range(count)]
    ids[-1] = ids[0]
    before = client.get_space(known.name)
    with pytest.raises(INVALID) as refused:
        client.upsert(known.name, ids, np.ones((count, 8), np.float32))
    assert refused.value.reason == "DUPLICATE_ID"
    assert client.get_space(known.name) == before


def raw_batch(ids=("p",), rows=1, columns=8, data=None, dtype=matrix_pb2.DATA_TYPE_FLOAT32, attributes=()):
    data = np.ones((rows, columns), np.float32).tobytes() if data is None else data
    matrix = matrix_pb2.Matrix(data=data, dtype=dtype, rows=rows, columns=columns)
    return space_pb2.UploadBatch(ids=ids, vectors=matrix, attributes=attributes)


SHORT = attribute_pb2.AttributeColumn(name="label", strings=attribute_pb2.StringValues(values=["a", "b"]))
RAW_BATCHES = {
    "bytes that do not match the shape": (raw_batch(data=b"\0" * 31), "SHAPE_MISMATCH", "vectors"),
    "float64": (raw_batch(data=b"\0" * 64, dtype=matrix_pb2.DATA_TYPE_FLOAT64), "DTYPE_NOT_ACCEPTED", "vectors"),
    "no dtype": (raw_batch(dtype=matrix_pb2.DATA_TYPE_UNSPECIFIED), "DTYPE_NOT_ACCEPTED", "vectors"),
    "a dtype of the future": (raw_batch(dtype=99), "DTYPE_NOT_ACCEPTED", "vectors"),
    "more ids than rows": (raw_batch(ids=["p", "q"]), "SHAPE_MISMATCH", "vectors"),
    "no rows": (raw_batch(ids=[], rows=0, data=b""), "SHAPE_MISMATCH", "vectors"),
    "an attribute of the wrong length": (raw_batch(attributes=[SHORT]), "INVALID_ATTRIBUTE", "label"),
    "an attribute without values": (raw_batch(attributes=[attribute_pb2.AttributeColumn(name="label")]), "INVALID_ATTRIBUTE", "label"),
}


@pytest.mark.parametrize("case", RAW_BATCHES)
def test_a_batch_that_no_sdk_would_send_is_refused(client, known, case):
    """The server trusts no client: these messages are made by hand."""
    batch, reason, field = RAW_BATCHES[case]
    header = space_pb2.UploadHeader(space=f"spaces/{known.name}", request_id=f"raw-{known.name}-{reason}", total_rows=1)
    parts = [space_pb2.UpsertEmbeddingsRequest(header=header), space_pb2.UpsertEmbeddingsRequest(batch=batch)]
    before = client.get_space(known.name)
    with pytest.raises(INVALID) as refused:
        client._upload(methods.UPSERT_EMBEDDINGS, lambda: iter([(part.SerializeToString(), 0) for part in parts]), 30)
    check(refused.value, reason, field, "")
    assert client.get_space(known.name) == before


@pytest.mark.parametrize(
    ("arguments", "kind", "reason", "field"),
    [
        ({"k": 0}, INVALID, "INVALID_K", "k"),
        ({"k": 60}, INVALID, "INVALID_K", "k"),
        ({"k": -3}, INVALID, "INVALID_K", "k"),
        ({"k": [5, 61]}, INVALID, "INVALID_K", "k"),
        ({"metric": "mutual_nkk"}, INVALID, "UNKNOWN_METRIC", "metric"),
        ({"metric": "rsa", "rdm_distance": "manhattan"}, INVALID, "INVALID_ARGUMENT", "rdm_distance"),
        ({"metric": "rsa", "rdm_comparison": "kendall"}, INVALID, "INVALID_ARGUMENT", "rdm_comparison"),
        ({"metric": "rsa", "sample_items": 3}, INVALID, "TOO_FEW_ITEMS", "sample_items"),
        ({"metric": "rsa", "sample_items": "some"}, INVALID, "INVALID_ARGUMENT", "sample_items"),
        ({"metric": "rsa", "sample_items": 20, "interval_kind": "queries"}, INVALID, "INVALID_ARGUMENT", "interval_kind"),
        ({"metric": "rbf_cka", "bandwidth": 0}, INVALID, "INVALID_ARGUMENT", "bandwidth"),
        ({"metric": "rbf_cka", "bandwidth": 1e-9}, INVALID, "CONSTANT_FEATURES", "x"),
        ({"metric": "rbf_cka", "bandwidth": 1.0, "bandwidth_factor": 2.0}, INVALID, "INVALID_ARGUMENT", "bandwidth_factor"),
        ({"preprocess": "whiten"}, INVALID, "INVALID_ARGUMENT", "preprocess"),
        ({"permutations": 10**9}, INVALID, "INVALID_ARGUMENT", "permutations"),
        ({"k": 2.5}, INVALID, "INVALID_K", "k"),
        ({"k": "x"}, INVALID, "INVALID_K", "k"),
        ({"seed": -1}, INVALID, "INVALID_ARGUMENT", "seed"),
        ({"alpha": 0}, INVALID, "INVALID_ARGUMENT", "alpha"),
        ({"alpha": 1.5}, INVALID, "INVALID_ARGUMENT", "alpha"),
        ({"metric": "linear_predictivity", "folds": 1}, INVALID, "INVALID_ARGUMENT", "folds"),
        ({"metric": "linear_predictivity", "folds": 101}, INVALID, "INVALID_ARGUMENT", "folds"),
        ({"metric": "linear_predictivity", "penalties": [-1.0]}, INVALID, "INVALID_ARGUMENT", "penalties"),
        ({"metric": "linear_predictivity", "penalties": [1, 1]}, INVALID, "INVALID_ARGUMENT", "penalties"),
        ({"metric": "linear_predictivity", "penalties": "none"}, INVALID, "INVALID_ARGUMENT", "penalties"),
        ({"metric": "linear_predictivity", "target_score": "mse"}, INVALID, "INVALID_ARGUMENT", "target_score"),
        ({"metric": "linear_predictivity", "aggregate": "max"}, INVALID, "INVALID_ARGUMENT", "aggregate"),
        ({"metric": "linear_predictivity", "folds_by": "nothing"}, INVALID, "INVALID_ATTRIBUTE", "folds_by"),
        ({"metric": "svcca", "components": 0}, INVALID, "INVALID_ARGUMENT", "components"),
        ({"metric": "svcca", "components": 2.5}, INVALID, "INVALID_ARGUMENT", "components"),
    ],
    ids=str,
)
def test_an_alignment_that_cannot_be_is_refused(client, space, arguments, kind, reason, field):
    with pytest.raises(kind) as refused:
        client.align(space.name, space.name, **arguments)
    check(refused.value, reason, field, "")


def test_spaces_that_share_nothing_are_refused(client, space, name):
    client.create_space(f"{name}-other", dim=2)
    client.upsert(f"{name}-other", ["alone", "too"], np.eye(2))
    with pytest.raises(INVALID) as refused:
        client.align(space.name, f"{name}-other", k=1)
    check(refused.value, "NO_COMMON_ITEMS", "", "")


def test_arrays_that_cannot_be_aligned_are_refused(client):
    good = np.random.default_rng(0).standard_normal((20, 4))
    bad = good.copy()
    bad[7, 1] = np.nan
    for x, y, reason, told in (
        (good, good[:19], "SHAPE_MISMATCH", "19"),
        (good, bad, "NOT_FINITE", "7"),
        (np.zeros((20, 4)), good, "ZERO_VECTOR", "0"),
        (good, good[:, 0], "SHAPE_MISMATCH", ""),
    ):
        with pytest.raises(INVALID) as refused:
            client.align_arrays(x, y, k=3)
        check(refused.value, reason, "", told)


@pytest.mark.parametrize("metric", ["mutual_knn", "cknna", "rsa"])
def test_what_is_constant_has_no_alignment(client, name, metric):
    good = np.random.default_rng(0).standard_normal((20, 4))
    with pytest.raises(INVALID) as refused:
        client.align_arrays(good, np.ones((20, 3)), metric=metric, k=3)
    check(refused.value, "CONSTANT_FEATURES", "y", "same vector in y")
    with pytest.raises(INVALID) as refused:
        client.align_arrays(np.zeros((20, 20)), good, x_kernel="dissimilarity", k=3)
    check(refused.value, "CONSTANT_FEATURES", "x", "same row in x")
    client.create_space(name, dim=3, similarity="inner_product")
    client.upsert(name, [f"item-{row}" for row in range(20)], np.ones((20, 3)))
    client.create_space(f"{name}-good", dim=4)
    client.upsert(f"{name}-good", [f"item-{row}" for row in range(20)], good)
    with pytest.raises(INVALID) as refused:
        client.align_matrix([f"{name}-good", name], metric=metric, k=3)
    check(refused.value, "CONSTANT_FEATURES", "spaces", f"same vector in {name}")


def test_an_item_without_variance_has_no_correlation(client):
    good = np.random.default_rng(0).standard_normal((20, 4))
    with pytest.raises(INVALID) as refused:
        client.align_arrays(good[:, :1], good, metric="rsa")
    check(refused.value, "CONSTANT_FEATURES", "x", "rdm_distance")


def test_a_matrix_names_the_space_that_the_metric_does_not_serve(client, name):
    ids = [f"item-{row}" for row in range(20)]
    vectors = np.random.default_rng(0).standard_normal((20, 4))
    for at in range(2):
        client.create_space(f"{name}-{at}", dim=4)
        client.upsert(f"{name}-{at}", ids, vectors)
    client.create_space(f"{name}-k", kind="kernel", dissimilarity=True)
    client.upsert(f"{name}-k", ids, np.abs(vectors[:, :1] - vectors[:, 0]))
    for metric in ("cca", "cknna"):
        with pytest.raises(INVALID) as refused:
            client.align_matrix([f"{name}-0", f"{name}-1", f"{name}-k"], metric=metric, k=3)
        check(refused.value, "KERNEL_SPACE", "spaces", f"{name}-k")


@pytest.mark.parametrize("metric", ["mutual_knn", "cycle_knn", "lcs_knn", "edit_distance_knn"])
def test_two_items_are_each_other_s_neighbour(client, metric):
    report = client.align_arrays(np.eye(2), np.eye(2), metric=metric, k=1, permutations=9)
    assert report.chance == 1
    assert report.p_value == 1


def test_one_item_has_no_neighbour(client):
    with pytest.raises(INVALID) as refused:
        client.align_arrays(np.eye(1), np.eye(1), k=1)
    check(refused.value, "INVALID_K", "", "add items")


NAMES = {
    "a space that is not there": lambda client, here: client.get_space("nobody"),
    "aligned with a space that is not there": lambda client, here: client.align(here, "nobody"),
    "matched within a space that is not there": lambda client, here: client.match(queries=VECTORS, space="nobody"),
    "uploaded to a space that is not there": lambda client, here: client.upsert("nobody", IDS, VECTORS),
    "deleted though not there": lambda client, here: client.delete_space("nobody"),
}


@pytest.mark.parametrize("case", NAMES)
def test_a_space_that_is_not_there(client, space, case):
    with pytest.raises(consilience.NotFoundError) as refused:
        NAMES[case](client, space.name)
    check(refused.value, "SPACE_NOT_FOUND", "", "nobody")


@pytest.mark.parametrize("bad", ["Upper", "9nine", "white space", "x" * 64, "-dash", "é"])
def test_a_malformed_name_is_refused(client, bad):
    with pytest.raises(INVALID) as refused:
        client.create_space(bad, dim=2)
    check(refused.value, "INVALID_NAME", "name", "")


@pytest.mark.parametrize(
    ("arguments", "kind", "reason", "field"),
    [
        ({"dim": 0}, INVALID, "INVALID_ARGUMENT", "dim"),
        ({"dim": 10**8}, INVALID, "INVALID_ARGUMENT", "dim"),
        ({"dim": 3.5}, INVALID, "INVALID_ARGUMENT", "dim"),
        ({"dim": True}, INVALID, "INVALID_ARGUMENT", "dim"),
        ({"dim": 2, "similarity": "cosin"}, INVALID, "INVALID_ARGUMENT", "similarity"),
        ({"dim": 2, "kind": "kernel"}, INVALID, "INVALID_ARGUMENT", "dim"),
    ],
    ids=str,
)
def test_a_space_that_cannot_be_is_not_made(client, name, arguments, kind, reason, field):
    with pytest.raises(kind) as refused:
        client.create_space(name, **arguments)
    check(refused.value, reason, field, "")
    with pytest.raises(consilience.NotFoundError):
        client.get_space(name)


def test_a_space_is_not_made_twice(client, space):
    with pytest.raises(consilience.AlreadyExistsError) as refused:
        client.create_space(space.name, dim=8)
    check(refused.value, "SPACE_EXISTS", "", space.name)


class TestBridges:
    def test_fewer_pairs_than_the_method_needs(self, client, space, name):
        with pytest.raises(INVALID) as refused:
            client.fit_bridge(space.name, space.name, name=f"{name}-bridge", method="procrustes", pair_ids=space.ids[:1])
        check(refused.value, "TOO_FEW_PAIRS", "pair_ids", "")

    def test_no_pairs_at_all(self, client, space, name):
        with pytest.raises(INVALID) as refused:
            client.fit_bridge(space.name, space.name, name=f"{name}-bridge", method="ridge", pair_ids=[])
        check(refused.value, "TOO_FEW_PAIRS", "pair_ids", "")

    @pytest.mark.parametrize("fraction", [0, 1, -0.5])
    def test_a_share_that_is_none(self, client, space, name, fraction):
        with pytest.raises(INVALID) as refused:
            client.fit_bridge(space.name, space.name, name=f"{name}-bridge", held_out_fraction=fraction)
        check(refused.value, "INVALID_ARGUMENT", "held_out_fraction", str(fraction))

    def test_an_unknown_method(self, client, space, name):
        with pytest.raises(INVALID) as refused:
            client.fit_bridge(space.name, space.name, name=f"{name}-bridge", method="magic")
        check(refused.value, "UNKNOWN_METHOD", "method", "magic")

    def test_a_gate_that_is_to_train(self, client, space):
        with pytest.raises(consilience.UnimplementedError) as refused:
            client.evaluate_upgrade(space.name, f"{space.name}@1", method="stitching_layer")
        check(refused.value, "NOT_SERVED", "method", "fit_bridge")

    def test_no_pairs_and_a_narrow_space(self, client, space, name):
        with pytest.raises(INVALID) as refused:
            client.fit_bridge(space.name, space.name, name=f"{name}-bridge", method="unsupervised")
        check(refused.value, "INVALID_ARGUMENT", "source", "at least 10")

    def test_a_pair_that_is_in_no_space(self, client, space, name):
        with pytest.raises(consilience.NotFoundError) as refused:
            client.fit_bridge(space.name, space.name, name=f"{name}-bridge", method="ridge", pair_ids=[*space.ids, "nobody"])
        check(refused.value, "ITEM_NOT_FOUND", "", "nobody")

    def test_a_bridge_named_like_a_space_and_a_space_named_like_a_bridge(self, client, space, name):
        with pytest.raises(INVALID) as refused:
            client.fit_bridge(space.name, space.name, name=space.name, method="identity")
        check(refused.value, "INVALID_NAME", "name", space.name)
        bridge = client.fit_bridge(space.name, space.name, name=f"{name}-bridge", method="identity")
        with pytest.raises(INVALID) as refused:
            client.create_space(bridge.name, dim=2)
        check(refused.value, "INVALID_NAME", "name", bridge.name)

    def test_identity_between_different_widths(self, client, space, name):
        client.create_space(f"{name}-wide", dim=9)
        client.upsert(f"{name}-wide", space.ids, np.random.default_rng(1).standard_normal((60, 9)))
        with pytest.raises(INVALID) as refused:
            client.fit_bridge(space.name, f"{name}-wide", name=f"{name}-bridge", method="identity")
        check(refused.value, "DIMENSION_MISMATCH", "", "9")

    def test_a_bridge_that_is_not_there(self, client):
        with pytest.raises(consilience.NotFoundError) as refused:
            client.match(queries=VECTORS, bridge="nowhere")
        check(refused.value, "BRIDGE_NOT_FOUND", "", "nowhere")

    def test_a_bridge_is_not_made_twice(self, client, space, name):
        client.fit_bridge(space.name, space.name, name=f"{name}-bridge", method="identity")
        with pytest.raises(consilience.AlreadyExistsError) as refused:
            client.fit_bridge(space.name, space.name, name=f"{name}-bridge", method="identity")
        check(refused.value, "BRIDGE_EXISTS", "", "")


@pytest.mark.parametrize(
    ("arguments", "kind", "reason", "field"),
    [
        ({"queries": np.ones((2, 9))}, INVALID, "DIMENSION_MISMATCH", "vectors"),
        ({"queries": spoiled(np.nan)}, INVALID, "NOT_FINITE", "vectors"),
        ({"queries": spoiled(0)}, INVALID, "ZERO_VECTOR", "vectors"),
        ({"queries": VECTORS, "k": 0}, INVALID, "INVALID_K", "k"),
        ({"queries": VECTORS, "k": 61}, INVALID, "INVALID_K", "k"),
        ({"queries": VECTORS, "correction": "magic"}, INVALID, "UNKNOWN_METHOD", "correction"),
        ({"query_ids": ["nobody"]}, consilience.NotFoundError, "ITEM_NOT_FOUND", ""),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else None,
)
def test_a_match_that_cannot_be_is_refused(client, space, arguments, kind, reason, field):
    with pytest.raises(kind) as refused:
        client.match(space=space.name, **arguments)
    check(refused.value, reason, field, "")


def test_an_item_that_is_not_there_is_named(client, space):
    with pytest.raises(consilience.NotFoundError) as refused:
        client.get_embeddings(space.name, [space.ids[0], "nobody"])
    check(refused.value, "ITEM_NOT_FOUND", "", "nobody")


def test_no_ids_are_no_items_of_the_version_asked_for(client, space, name):
    client.upsert(space.name, ["new"], np.ones((1, 8)), attributes={"label": ["x"]})
    none = client.get_embeddings(f"{space.name}@1", [])
    assert (none.ids, none.vectors.shape, none.space.version) == ([], (0, 8), 1)
    assert client.get_embeddings(space.name, []).space.version == client.get_space(space.name).version
    client.create_space(f"{name}-bare", dim=5)
    assert client.get_embeddings(f"{name}-bare", []).vectors.shape == (0, 5)


def test_a_path_that_is_no_folder_is_named(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(INVALID, match="no folder") as refused:
        consilience.Client.local(file)
    assert refused.value.field == "path"
    with pytest.raises(consilience.ConsilienceError, match="cannot be opened"):
        consilience.Client.local(file / "below")


def test_a_version_that_never_was(client, space):
    with pytest.raises(consilience.FailedPreconditionError) as refused:
        client.get_embeddings(f"{space.name}@99")
    check(refused.value, "VERSION_EXPIRED", "", "99")


@pytest.mark.parametrize("token", ["nonsense", "AAAA", "é" * 10])
def test_a_wrong_page_token(client, space, token):
    calls = [
        (methods.LIST_SPACES, space_pb2.ListSpacesRequest(page_token=token)),
        (methods.LIST_BRIDGES, bridge_pb2.ListBridgesRequest(page_token=token)),
        (methods.GET_EMBEDDINGS, space_pb2.GetEmbeddingsRequest(space=space_pb2.SpaceRef(name=f"spaces/{space.name}"), page_token=token)),
    ]
    for method, request in calls:
        with pytest.raises(INVALID) as refused:
            client._call(method, request)
        check(refused.value, "INVALID_PAGE_TOKEN", "page_token", "")


def test_a_token_of_another_listing(client, space, name):
    client.create_space(f"{name}-other", dim=8)
    client.upsert(f"{name}-other", space.ids, space.vectors)
    ref = space_pb2.SpaceRef(name=f"spaces/{space.name}")
    page, _ = client._call(methods.GET_EMBEDDINGS, space_pb2.GetEmbeddingsRequest(space=ref, page_size=5))
    assert page.next_page_token
    other = space_pb2.GetEmbeddingsRequest(space=space_pb2.SpaceRef(name=f"spaces/{name}-other"), page_token=page.next_page_token)
    with pytest.raises(INVALID) as refused:
        client._call(methods.GET_EMBEDDINGS, other)
    check(refused.value, "INVALID_PAGE_TOKEN", "page_token", "")


def test_a_message_beyond_the_limit_is_refused_with_the_limit(client, space):
    most = client.server_info().limits.max_message_bytes
    matrix = matrix_pb2.Matrix(data=bytes(most), dtype=matrix_pb2.DATA_TYPE_FLOAT32, rows=most // 32, columns=8)
    request = match_pb2.MatchRequest(vectors=matrix, space=space_pb2.SpaceRef(name=f"spaces/{space.name}"), k=1)
    with pytest.raises(INVALID) as refused:
        client._call(methods.MATCH, request)
    check(refused.value, "MESSAGE_TOO_LARGE", "", "")


def test_a_deadline_that_passes_is_told_and_leaves_the_server_well(client, name):
    """A millisecond is not enough for 999 permutations of 2,000 items."""
    random = np.random.default_rng(0)
    ids = [f"item-{row:04d}" for row in range(2000)]
    for side in "xy":
        client.create_space(f"{name}-{side}", dim=64)
        client.upsert(f"{name}-{side}", ids, random.standard_normal((2000, 64), dtype=np.float32))
    with pytest.raises(consilience.Timeout):
        client.align(f"{name}-x", f"{name}-y", timeout=0.001)
    assert client.align(f"{name}-x", f"{name}-y", k=5).n == 2000
