import dataclasses
import os
import time

import grpc
import numpy as np
import pytest
from support.scripted_server import Failure

import consilience
from consilience import Client, _retry
from consilience._async import base as async_base
from consilience._results.base import CallDetails
from consilience._sync import base as sync_base
from consilience.v1 import alignment_pb2, match_pb2, matrix_pb2

UNAVAILABLE, EXHAUSTED = grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch):
    policy = dataclasses.replace(_retry.CALLS, base=0.001)
    for module in (async_base, sync_base):
        monkeypatch.setattr(module, "CALLS", policy)


def test_spaces(client, script):
    made = client.create_space("clip", dim=3, similarity="inner_product", modality="image", model="m", layer="7")
    assert (made.name, made.dim, made.similarity, made.kind, made.modality, made.model, made.layer) == (
        "clip", 3, "inner_product", "vectors", "image", "m", "7"
    )  # fmt: skip
    for name in ("b", "c", "d"):
        client.create_space(name, dim=2)
    assert [space.name for space in client.list_spaces()] == ["b", "c", "clip", "d"]
    assert len(script.seen("ListSpaces")) == 2
    for named in ("clip", "spaces/clip", made):
        assert client.get_space(named).model == "m"
    client.delete_space("clip")
    with pytest.raises(consilience.NotFoundError) as missing:
        client.get_space("clip")
    assert missing.value.reason == "SPACE_NOT_FOUND"


@pytest.mark.parametrize("arguments", [{"dim": 0}, {"dim": -1}, {"dim": 2, "similarity": "cosin"}, {"dim": 2, "kind": "x"}])
def test_what_cannot_be_sent_is_refused_before_it_is(client, script, arguments):
    with pytest.raises(consilience.InvalidArgumentError):
        client.create_space("clip", **arguments)
    assert script.calls == []


def test_a_wrong_name_lists_the_right_ones(client):
    with pytest.raises(consilience.InvalidArgumentError, match="mutual_knn, cka") as refused:
        client.align("a", "b", metric="mutual-knn")
    assert (refused.value.reason, refused.value.field) == ("UNKNOWN_METRIC", "metric")


def test_how_the_call_went_comes_with_the_answer(client, script):
    told = client.align("a", "b")
    assert told.details == CallDetails(told.request_id, {"scan": 0.25, "total": 0.5}, "memory")
    assert script.seen("Align")[0][1]["x-request-id"] == told.request_id


def test_the_key_travels_with_every_call(connect, address, script):
    connect(address, api_key="secret").server_info()
    assert script.calls[0][1]["authorization"] == "Bearer secret"


@pytest.mark.parametrize(
    "failure", [Failure(UNAVAILABLE), Failure(UNAVAILABLE, "SHUTTING_DOWN"), Failure(EXHAUSTED, "OVERLOADED", retry_after=0.05)]
)
def test_what_passes_is_tried_again_under_the_same_ids(client, script, failure):
    script.failures["CreateSpace"] = [failure, failure]
    start = time.monotonic()
    client.create_space("clip", dim=2)
    tried = script.seen("CreateSpace")
    assert len(tried) == 3
    assert len({metadata["x-request-id"] for _, metadata, _ in tried}) == 1
    assert time.monotonic() - start >= 2 * (failure.retry_after or 0)


@pytest.mark.parametrize(
    ("code", "reason", "kind"),
    [
        (EXHAUSTED, "MEMORY_BUDGET", consilience.OverloadedError),
        (grpc.StatusCode.INTERNAL, "INTERNAL", consilience.ServerError),
        (grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", consilience.Timeout),
        (grpc.StatusCode.CANCELLED, "CANCELLED", consilience.CancelledError),
        (grpc.StatusCode.ABORTED, "SERVER_RESTARTED", consilience.AbortedError),
        (grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED", consilience.UnauthenticatedError),
    ],
)
def test_what_does_not_pass_is_told_at_once(client, script, code, reason, kind):
    script.failures["GetServerInfo"] = [Failure(code, reason)] * 9
    with pytest.raises(kind) as told:
        client.server_info()
    assert told.value.reason == reason
    assert len(script.calls) == 1


def test_it_gives_up_after_its_attempts(client, script):
    script.failures["GetServerInfo"] = [Failure(UNAVAILABLE)] * 99
    with pytest.raises(consilience.Unavailable):
        client.server_info()
    assert len(script.calls) == _retry.CALLS.attempts


def test_every_call_has_a_deadline_of_its_own_or_the_clients(client, script):
    client.server_info()
    client.server_info(timeout=3)
    (_, _, default), (_, _, own) = script.calls
    assert 8 < default <= 10.1
    assert 1 < own <= 3.1


def test_a_passed_deadline_is_a_timeout(client, script):
    script.delay = 1.0
    start = time.monotonic()
    with pytest.raises(consilience.Timeout) as passed:
        client.server_info(timeout=0.2)
    assert passed.value.reason == "DEADLINE_EXCEEDED"
    assert time.monotonic() - start < 0.9


def test_a_server_that_never_answers_is_named(connect):
    with pytest.raises(consilience.Unavailable, match=r"no server answers at 127\.0\.0\.1:1"):
        connect("127.0.0.1:1").server_info()


def test_requests_beyond_the_servers_limit_are_refused_with_it(client, script):
    script.limits["max_message_bytes"] = 2 << 20
    with pytest.raises(consilience.InvalidArgumentError, match="2,097,152") as refused:
        client.delete_embeddings("a", ["x" * 1000] * 3000)
    assert refused.value.reason == "MESSAGE_TOO_LARGE"
    assert not script.seen("DeleteEmbeddings")


def test_versions_are_pinned_by_name(client, script):
    client.align("a@7", consilience.SpaceUse("b", "u", 3), k=[10, 50], preprocess="platonic_rep", permutations=0, interval_kind="queries")
    request = script.last
    assert (request.x.name, request.x.version, request.y.name, request.y.version) == ("spaces/a", 7, "spaces/b", 3)
    assert (list(request.spec.ks), request.spec.preprocess, request.spec.skip_permutations, request.spec.interval_kind) == (
        [10, 50],
        2,
        True,
        1,
    )
    with pytest.raises(consilience.InvalidArgumentError, match="not of a version"):
        client.get_space("a@7")


@pytest.mark.parametrize("k", [0, -1, [], [10, 0]])
def test_k_is_at_least_one(client, k):
    with pytest.raises(consilience.InvalidArgumentError) as refused:
        client.align("a", "b", k=k)
    assert refused.value.reason == "INVALID_K"


@pytest.mark.parametrize(
    ("k", "ks", "shares"),
    [
        ("n/100", [], [0.01]),
        (0.25, [], [0.25]),
        ([5, 10, "n / 100", np.float32(0.5)], [5, 10], [0.01, 0.5]),
        (np.array([5, 10]), [5, 10], []),
    ],
    ids=repr,
)
def test_k_may_be_a_share_of_the_items(client, script, k, ks, shares):
    client.align("a", "b", k=k)
    spec = script.last.spec
    assert (list(spec.ks), list(spec.k_fractions)) == (ks, shares)


@pytest.mark.parametrize("k", ["n/1", "n/0", "n/x", "m/100", "n", 1.0, 0.0, -0.5, [0.1, 10], [[0.1]]], ids=repr)
def test_what_is_no_share_is_refused(client, script, k):
    with pytest.raises(consilience.InvalidArgumentError) as refused:
        client.align("a", "b", k=k)
    assert (refused.value.reason, script.calls) == ("INVALID_K", [])


def test_a_matrix_of_spaces(client):
    told = client.align_matrix(["a", "b", "c"], k=10, items="pairwise")
    assert (told.spaces, told.items, told.scores.shape, told.n.tolist()[0]) == (("a", "b", "c"), "pairwise", (3, 3), [7, 7, 7])


def test_arrays_are_sent_in_blocks(client, script):
    script.limits["upload_batch_bytes"] = 1000
    x, y = np.random.default_rng(0).standard_normal((60, 8)).astype(np.float32), np.ones((60, 3), np.float16)
    assert client.align_arrays(x, y, k=3, similarity="squared_l2").score == 0.5
    header, *blocks = script.last
    assert (header.header.rows, header.header.x_columns, header.header.y_columns, header.header.similarity) == (60, 8, 3, 3)
    assert b"".join(part.x.data for part in blocks) == x.tobytes()
    assert b"".join(part.y.data for part in blocks) == y.tobytes()
    assert {part.y.dtype for part in blocks if part.HasField("y")} == {matrix_pb2.DATA_TYPE_FLOAT16}
    assert max(part.ByteSize() for part in blocks) < 1100


def test_arrays_that_do_not_fit_are_refused_here(client, script):
    with pytest.raises(consilience.InvalidArgumentError) as refused:
        client.align_arrays(np.ones((3, 2)), np.ones((4, 2)))
    assert refused.value.reason == "SHAPE_MISMATCH"
    with pytest.raises(consilience.InvalidArgumentError, match=r"x\[1\] has 4 rows"):
        client.align_arrays([np.ones((3, 2)), np.ones((4, 2))], np.ones((3, 2)))
    assert script.calls == []


def test_work_that_becomes_an_operation_is_waited_for(client, script):
    script.operation_steps = 3
    shown = []
    assert client.align("a", "b", progress=lambda done, total: shown.append((done, total))).score == 0.75
    assert len(script.seen("WaitOperation")) == 3
    assert shown == [(0.0, 1.0), (1 / 3, 1.0), (2 / 3, 1.0), (1.0, 1.0)]


def test_one_who_does_not_wait_gets_the_operation(client, script):
    script.operation_steps = 2
    started = client.align("a", "b", wait=False)
    assert script.last.mode == alignment_pb2.EXECUTION_MODE_OPERATION
    assert (started.name, started.kind, started.done, started.progress) == ("operations/align-1", "align", False, 0.0)
    assert client.get_operation(started) == client.list_operations()[0]
    client.cancel_operation(started)
    assert script.last.name == "operations/align-1"
    assert client.wait_operation("align-1").score == 0.75


@pytest.mark.parametrize(
    ("code", "reason", "kind"),
    [
        (grpc.StatusCode.ABORTED, "SERVER_RESTARTED", consilience.AbortedError),
        (grpc.StatusCode.CANCELLED, "CANCELLED", consilience.CancelledError),
        (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_K", consilience.InvalidArgumentError),
    ],
)
def test_the_end_of_an_operation_is_raised(client, script, code, reason, kind):
    script.operation_steps, script.operation_ends = 1, Failure(code, reason)
    with pytest.raises(kind) as ended:
        client.align("a", "b")
    assert ended.value.reason == reason
    assert reason in client.get_operation("align-1").error


def test_an_answer_of_a_newer_contract_is_no_crash(client, script):
    script.operation_steps, script.operation_ends = 1, matrix_pb2.Matrix()
    with pytest.raises(consilience.ServerError, match="does not know"):
        client.align("a", "b")


def test_bridges(client, script):
    bridge = client.fit_bridge(
        "a", "b", name="a-to-b", method="ridge", pair_ids=["x", "y"], target_ids=np.array(["p", "q"]), penalties=[0.1]
    )
    assert (bridge.name, bridge.method, bridge.fit_pairs, bridge.held_out) == ("a-to-b", "ridge", 3, None)
    request = script.last
    assert (list(request.pairs.item_ids), list(request.pairs.target_ids), list(request.penalties)) == (["x", "y"], ["p", "q"], [0.1])
    assert [bridge.name for bridge in client.list_bridges()] == ["b", "b2"]


def test_matches(client, script):
    found = client.match(queries=np.ones((4, 3)), bridge="a-to-b", k=5, correction="csls")
    assert (found.ids.shape, found.scores.shape, found.correction, str(found.gallery)) == ((4, 5), (4, 5), "csls", "b@9")
    assert type(found.ids[0, 0]) is str
    assert client.match(queries=[1.0, 2.0], space="b@2", k=1).ids.shape == (1, 1)
    assert client.match(query_ids=["x"], space="b", k=1).ids.shape == (1, 1)
    assert [request.space.version for request in script.match_requests[1:]] == [2, 0]


def test_a_match_names_its_index_and_filters(client, script):
    found = client.match(queries=np.ones((4, 3)), space="b", k=2)
    request = script.match_requests[-1]
    assert (request.index, request.HasField("index_parameters"), request.HasField("gallery_ids"), request.HasField("exclude_ids")) == (
        match_pb2.INDEX_KIND_EXACT, False, False, False,
    )  # fmt: skip
    assert (found.index, found.recall, found.measured_recall, dict(found.index_parameters)) == ("exact", None, None, {})
    client.match(queries=np.ones((4, 3)), space="b", k=2, index="hnsw", ef_search=7)
    request = script.match_requests[-1]
    assert (request.index, request.index_parameters) == (match_pb2.INDEX_KIND_HNSW, match_pb2.IndexParameters(ef_search=7))
    client.match(queries=np.ones((4, 3)), space="b", k=2, gallery_ids=np.array(["x", "y"]), exclude_ids=[])
    request = script.match_requests[-1]
    assert (list(request.gallery_ids.ids), request.HasField("exclude_ids")) == (["x", "y"], True)
    with pytest.raises(consilience.InvalidArgumentError, match=r"exact, hnsw, ivf, cagra, gpu_flat") as refused:
        client.match(queries=np.ones((4, 3)), space="b", index="lsh")
    assert refused.value.field == "index"


@pytest.mark.parametrize("field", ["gallery_ids", "exclude_ids"])
def test_a_filter_that_fills_a_message_is_refused(client, script, field):
    script.limits.update(max_message_bytes=4000)
    with pytest.raises(consilience.InvalidArgumentError, match="1,000 are free") as refused:
        client.match(query_ids=["x"], space="b", **{field: [f"{i:030d}" for i in range(40)]})
    assert (refused.value.reason, refused.value.field, script.match_requests) == ("MESSAGE_TOO_LARGE", field, [])


@pytest.mark.parametrize("route", [{"bridge": "a-to-b"}, {"space": "b"}])
def test_many_queries_are_asked_in_parts_of_one_version(client, script, route):
    script.limits.update(max_message_bytes=4000)
    shown = []
    found = client.match(queries=np.arange(300.0).reshape(100, 3), k=2, progress=lambda done, total: shown.append((done, total)), **route)
    assert (found.ids.shape, found.certificate.certified_rows) == ((100, 2), 100)
    first, *rest = script.match_requests
    assert len(rest) >= 3
    assert (first.gallery_version, first.space.version) == (0, 0)
    assert {max(request.gallery_version, request.space.version) for request in rest} == {9}
    assert b"".join(request.vectors.data for request in script.match_requests) == np.arange(300, dtype="<f4").tobytes()
    assert (np.diff(found.scores[:, 0]) >= 0).all()
    assert shown[-1] == (100, 100)


@pytest.mark.parametrize(
    "arguments",
    [
        {"space": "a"},
        {"queries": [[1.0]], "query_ids": ["x"], "space": "a"},
        {"query_ids": ["x"]},
        {"query_ids": ["x"], "space": "a", "bridge": "b"},
    ],
)
def test_a_match_has_one_kind_of_queries_and_one_route(client, arguments):
    with pytest.raises(consilience.InvalidArgumentError, match="give either"):
        client.match(**arguments)


def test_embeddings_come_in_pages(client):
    whole = client.get_embeddings("a")
    assert (whole.ids, whole.vectors.ravel().tolist()) == ([f"item-{row}" for row in range(5)], [0, 1, 2, 3, 4])
    assert whole.attributes == {"label": [1, 1, None, None, None]}
    assert client.get_embeddings("a", ["x"]).ids == ["x"]
    assert [len(page) for page in client.iterate_embeddings("a")] == [2, 2, 1]


def test_server_info_and_readiness(client, script):
    info = client.server_info()
    assert (info.version, info.metrics, info.cache_tiers, info.limits.upload_batch_bytes) == (
        "9",
        ("mutual_knn", "cka"),
        ("memory",),
        1 << 20,
    )
    assert client.is_ready()
    client.wait_ready(5)
    script.serving = False
    assert not client.is_ready()
    with pytest.raises(consilience.Timeout, match="not ready within"):
        client.wait_ready(0.3)


def test_readiness_of_a_server_that_is_not_there(connect):
    nobody = connect("127.0.0.1:1")
    assert not nobody.is_ready(timeout=1)
    with pytest.raises(consilience.Timeout, match=r"127\.0\.0\.1:1"):
        nobody.wait_ready(0.3)


def test_a_closed_client_says_so(client):
    client.close()
    client.close()
    with pytest.raises(consilience.FailedPreconditionError, match="closed"):
        client.server_info()


def test_a_fork_is_refused(address, monkeypatch):
    client = Client(address)
    monkeypatch.setattr(os, "getpid", lambda: -1)
    with pytest.raises(consilience.FailedPreconditionError, match="fork"):
        client.server_info()
    client.close()
    monkeypatch.undo()
    client.server_info()
    client.close()
