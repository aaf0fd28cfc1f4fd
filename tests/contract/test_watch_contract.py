"""Watches by the contract: over a server and in process, with what is refused and what may be repeated."""

import numpy as np
import pytest
from support.filled_space import fill

import consilience
from consilience import _methods as methods
from consilience.v1 import alignment_pb2, watch_pb2


@pytest.fixture
def pair(client, name):
    """Two spaces of 150 items that agree, as (x, y, name of a watch)."""
    draw = np.random.default_rng(7)
    latent = draw.standard_normal((150, 4))
    for side in "xy":
        fill(client, f"{name}-{side}", np.float32(latent @ draw.standard_normal((4, 8)) + 0.3 * draw.standard_normal((150, 8))))
    return f"{name}-x", f"{name}-y", f"{name}-watch"


def test_a_watch_is_made_read_listed_checked_and_deleted(client, pair):
    made = client.watch(*pair, k=5, on_versions=False)
    assert (made.x, made.y, made.metric, made.k, made.state, made.checks) == (*pair[:2], "mutual_knn", 5, "ok", 0)
    assert made.last_result.score == pytest.approx(client.align(pair[0], pair[1], k=5, permutations=0).score, rel=1e-12)
    assert made.last_result.probes == made.baseline.probes == 150
    assert made.false_alarms_per_year == pytest.approx(0.05)
    assert client.get_watch(pair[2]) == made
    assert pair[2] in [watch.name for watch in client.list_watches()]
    client.upsert(pair[1], client.get_embeddings(pair[1]).ids[::4], np.random.default_rng(1).standard_normal((38, 8)))
    checked = client.run_watch(made)
    assert (checked.alarm, checked.state, checked.checks) == (True, "alarm", 1)
    assert checked.last_result.difference_high < -checked.baseline.min_drop
    assert checked.last_result.kept_y < checked.last_result.kept_x == 1.0
    assert [result.number for result in client.watch_history(made)] == [1, 0]
    assert client.rebaseline_watch(made).state == "ok"
    client.delete_watch(made)
    with pytest.raises(consilience.NotFoundError) as gone:
        client.run_watch(made)
    assert gone.value.reason == "WATCH_NOT_FOUND"


def test_a_sample_of_probes_is_that_of_an_alignment(client, pair):
    made = client.watch(*pair, k=5, probes=120)
    report = client.align(pair[0], pair[1], k=5, sample_queries=120, interval_kind="queries", permutations=0)
    assert made.last_result.score == pytest.approx(report.score, rel=1e-12)
    assert made.last_result.chance == report.chance
    assert made.last_result.interval == pytest.approx(report.interval, rel=1e-9)
    assert client.rebaseline_watch(made).last_result.score != made.last_result.score


def test_requests_may_be_repeated(client, pair):
    made = client.watch(*pair, k=5, request_id=f"{pair[2]}-make")
    assert client.watch(*pair, k=5, request_id=f"{pair[2]}-make") == made
    with pytest.raises(consilience.AbortedError) as other:
        client.watch(*pair, k=6, request_id=f"{pair[2]}-make")
    assert (other.value.reason, other.value.field) == ("UPLOAD_CONFLICT", "request_id")
    with pytest.raises(consilience.AlreadyExistsError) as taken:
        client.watch(*pair, k=5)
    assert (taken.value.reason, taken.value.field) == ("WATCH_EXISTS", "name")
    first = client.rebaseline_watch(made, request_id=f"{pair[2]}-again")
    assert client.rebaseline_watch(made, request_id=f"{pair[2]}-again").last_result == first.last_result
    client.delete_watch(made, request_id=f"{pair[2]}-gone")
    client.delete_watch(made, request_id=f"{pair[2]}-gone")


def test_a_baseline_may_be_taken_as_an_operation(client, pair):
    spec = watch_pb2.WatchSpec(x=f"spaces/{pair[0]}", y=f"spaces/{pair[1]}", metric=alignment_pb2.METRIC_MUTUAL_KNN)
    mode = alignment_pb2.EXECUTION_MODE_OPERATION
    request = watch_pb2.CreateWatchRequest(watch_id=pair[2], spec=spec, mode=mode)
    message, _ = client._call(methods.CREATE_WATCH, request)
    made = client.wait_operation(message.operation.name)
    assert made == client.get_watch(pair[2])
    assert (made.on_versions, made.alpha, made.probes, made.k) == (False, 0.05, 4096, 10)
    message, _ = client._call(methods.RUN_WATCH, watch_pb2.RunWatchRequest(name=f"watches/{pair[2]}", mode=mode))
    assert client.wait_operation(message.operation.name).name == pair[2]


BAD = {
    "one space twice": ({"y": "x"}, "INVALID_ARGUMENT", "y", "two"),
    "no such space": ({"y": "nowhere"}, "SPACE_NOT_FOUND", "y", "nowhere"),
    "a malformed space": ({"x": "No Space"}, "INVALID_NAME", "x", "No Space"),
    "a malformed name": ({"name": "Pair"}, "INVALID_NAME", "name", "Pair"),
    "k of all items": ({"k": 150}, "INVALID_K", "k", "149"),
    "k beyond the limit": ({"k": 4000}, "INVALID_K", "k", "2,048"),
    "too few probes": ({"probes": 5}, "TOO_FEW_ITEMS", "probes", "5 probes"),
    "too many probes": ({"probes": 70_000}, "INVALID_ARGUMENT", "probes", "65,536"),
    "a drop that cannot be": ({"min_drop": 0.99}, "INVALID_ARGUMENT", "min_drop", "0.9900"),
    "an interval below a second": ({"every_seconds": 0.5}, "INVALID_ARGUMENT", "every_seconds", "0.5"),
    "a metric without probes": ({"metric": "cka"}, "NOT_SERVED", "metric", "served are mutual_knn"),
    "a metric of the neighbours' lists": ({"metric": "cycle_knn"}, "NOT_SERVED", "metric", "lcs_knn, edit_distance_knn"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_watched_is_refused(client, pair, case):
    changes, reason, field, told = BAD[case]
    arguments = {"x": pair[0], "y": pair[1], "name": pair[2], "k": 5} | changes
    if changes.get("y") == "x":
        arguments["y"] = pair[0]
    with pytest.raises(consilience.ConsilienceError) as refused:
        client.watch(**arguments)
    assert (refused.value.reason, refused.value.field) == (reason, field), refused.value
    assert told in str(refused.value)
    assert pair[2] not in [watch.name for watch in client.list_watches()]


def test_numbers_that_only_a_raw_request_can_have_are_refused(client, pair):
    for field, value in (("min_drop", float("nan")), ("min_drop", -0.1), ("alpha", 2.0), ("every_seconds", float("inf"))):
        spec = watch_pb2.WatchSpec(x=f"spaces/{pair[0]}", y=f"spaces/{pair[1]}", metric=1, k=5, **{field: value})
        with pytest.raises(consilience.InvalidArgumentError) as refused:
            client._call(methods.CREATE_WATCH, watch_pb2.CreateWatchRequest(watch_id=pair[2], spec=spec))
        assert refused.value.field == field
    for name in ("watches/No", "pair", "spaces/pair"):
        with pytest.raises(consilience.InvalidArgumentError) as refused:
            client._call(methods.GET_WATCH, watch_pb2.GetWatchRequest(name=name))
        assert (refused.value.reason, refused.value.field) == ("INVALID_NAME", "name")


def test_spaces_without_a_common_item_are_not_watched(client, pair, name):
    client.create_space(f"{name}-empty", dim=3)
    with pytest.raises(consilience.InvalidArgumentError, match="0 items") as refused:
        client.watch(pair[0], f"{name}-empty", pair[2])
    assert (refused.value.reason, refused.value.field) == ("NO_COMMON_ITEMS", "y")


@pytest.mark.parametrize("metric", ["mutual_knn", "lcs_knn"])
def test_a_kernel_is_watched_like_the_vectors_it_is_the_kernel_of(client, pair, name, metric):
    held = client.get_embeddings(pair[0])
    unit = held.vectors.astype(np.float64) / np.linalg.norm(held.vectors, axis=1, keepdims=True)
    kernel = f"{name}-kernel"
    client.create_space(kernel, kind="kernel")
    client.upsert(kernel, held.ids, unit @ unit.T)
    asked = {"k": 5, "metric": metric, "on_versions": False}
    made, plain = client.watch(kernel, pair[1], pair[2], **asked), client.watch(pair[0], pair[1], f"{pair[2]}-plain", **asked)
    assert (made.metric, made.baseline.score) == (metric, pytest.approx(plain.baseline.score, abs=0.02))
    client.upsert(kernel, held.ids, unit @ unit.T * 2)
    same = client.run_watch(pair[2])
    assert (same.last_result.difference, same.alarm, same.checks) == (0.0, False, 1)
    other = np.random.default_rng(0).permutation(unit)
    client.upsert(kernel, held.ids, other @ other.T)
    assert client.run_watch(pair[2]).alarm
    client.delete_watch(pair[2])
    client.delete_watch(f"{pair[2]}-plain")


@pytest.mark.parametrize("token", ["nonsense", "AAAA"])
def test_a_wrong_page_token(client, pair, token):
    client.watch(*pair, k=5)
    for method, request in (
        (methods.LIST_WATCHES, watch_pb2.ListWatchesRequest(page_token=token)),
        (methods.LIST_WATCH_RESULTS, watch_pb2.ListWatchResultsRequest(name=f"watches/{pair[2]}", page_token=token)),
    ):
        with pytest.raises(consilience.InvalidArgumentError) as refused:
            client._call(method, request)
        assert (refused.value.reason, refused.value.field) == ("INVALID_PAGE_TOKEN", "page_token")
