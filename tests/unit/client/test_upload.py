import dataclasses
import time

import grpc
import numpy as np
import pytest
from support.scripted_server import Failure

import consilience
from consilience import _retry
from consilience._async import upload as async_upload
from consilience._sync import upload as sync_upload

IDS = [f"item-{row:03d}" for row in range(100)]
VECTORS = np.random.default_rng(0).standard_normal((100, 4)).astype(np.float32)


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch):
    policy = dataclasses.replace(_retry.UPLOADS, base=0.001)
    for module in (async_upload, sync_upload):
        monkeypatch.setattr(module, "UPLOADS", policy)


@pytest.fixture
def small_batches(script):
    script.limits["upload_batch_bytes"] = 300


def stored(script):
    (rows,) = script.staged.values()
    return [item for item, _ in rows], np.array([vector for _, vector in rows], dtype=np.float32)


def test_an_upload_of_many_batches_is_one_version(client, script, small_batches):
    shown = []
    result = client.upsert(
        "a", IDS, VECTORS, attributes={"label": list(range(100))}, progress=lambda done, total: shown.append((done, total))
    )
    assert (result.version, result.inserted, result.space.name) == (1, 100, "a")
    ids, vectors = stored(script)
    assert ids == IDS
    np.testing.assert_array_equal(vectors, VECTORS)
    assert len(script.seen("UpsertEmbeddings")) == 1
    assert [entry[0] for entry in shown] == sorted(entry[0] for entry in shown)
    assert (shown[0], shown[-1]) == ((0, 100), (100, 100))


@pytest.mark.parametrize("breaks", [[0], [1], [5, 0, 3], [2, 2, 2, 2]])
def test_a_broken_stream_goes_on_where_it_broke(client, script, small_batches, breaks):
    script.break_after = list(breaks)
    assert client.upsert("a", IDS, VECTORS).inserted == 100
    ids, vectors = stored(script)
    assert ids == IDS
    np.testing.assert_array_equal(vectors, VECTORS)
    assert len(script.seen("UpsertEmbeddings")) == len(breaks) + 1
    assert len(script.seen("GetUpload")) == len(breaks)


def test_a_lost_answer_is_fetched_and_nothing_is_sent_twice(client, script):
    script.break_after = ["lost answer"]
    assert client.upsert("a", IDS, VECTORS).inserted == 100
    assert len(script.seen("UpsertEmbeddings")) == 1


def test_a_server_that_is_away_for_a_while_is_waited_for(client, script, small_batches):
    script.break_after = [3]
    script.failures["GetUpload"] = [Failure(grpc.StatusCode.UNAVAILABLE)] * 12
    assert client.upsert("a", IDS, VECTORS).inserted == 100
    assert stored(script)[0] == IDS


def test_an_upload_that_moves_no_further_is_given_up(client, script, small_batches):
    script.break_after = [0] * 99
    with pytest.raises(consilience.Unavailable):
        client.upsert("a", IDS, VECTORS)
    assert len(script.seen("UpsertEmbeddings")) == _retry.UPLOADS.attempts


def test_a_stream_that_still_stages_is_outwaited(client, script):
    script.failures["UpsertEmbeddings"] = [Failure(grpc.StatusCode.ABORTED, "UPLOAD_CONFLICT")] * 2
    assert client.upsert("a", IDS, VECTORS).inserted == 100


def test_an_upload_of_another_process_is_gone_on_with(client, script, small_batches):
    script.staged["mine"] = list(zip(IDS[:40], VECTORS[:40].tolist(), strict=True))
    assert client.upsert("a", IDS, VECTORS, request_id="mine").inserted == 100
    assert stored(script)[0] == IDS
    again = client.upsert("a", IDS, VECTORS, request_id="mine")
    assert again.inserted == 100
    assert stored(script)[0] == IDS


def test_a_request_id_used_again_for_other_rows_is_refused_at_once(client, script):
    client.upsert("a", IDS, VECTORS, request_id="mine")
    with pytest.raises(consilience.ConsilienceError) as refused:
        client.upsert("a", IDS[:50], VECTORS[:50], request_id="mine")
    assert (refused.value.reason, refused.value.field) == ("UPLOAD_CONFLICT", "request_id")
    assert len(script.seen("UpsertEmbeddings")) == 2


def test_bad_rows_are_told_at_once(client, script):
    bad = VECTORS.copy()
    bad[7] = np.nan
    with pytest.raises(consilience.InvalidArgumentError) as refused:
        client.upsert("a", IDS, bad)
    assert refused.value.reason == "NOT_FINITE"
    assert len(script.seen("UpsertEmbeddings")) == 1


def test_what_cannot_be_sent_is_refused_before_anything_is(client, script):
    with pytest.raises(consilience.InvalidArgumentError, match="99 ids came with 100 vectors"):
        client.upsert("a", IDS[:99], VECTORS)
    assert script.calls == []


def test_an_error_of_the_callers_function_is_the_callers(client):
    def broken(done, total):
        raise KeyError(f"{done} of {total}")

    with pytest.raises(KeyError):
        client.upsert("a", IDS, VECTORS, progress=broken)


def test_the_time_of_an_upload_is_for_all_of_it(client, script, small_batches):
    script.break_after = [0] * 999
    script.delay = 0.1
    start = time.monotonic()
    with pytest.raises((consilience.Timeout, consilience.Unavailable)):
        client.upsert("a", IDS, VECTORS, timeout=0.4)
    assert time.monotonic() - start < 2.0


def test_an_empty_upload_is_an_upload(client):
    assert client.upsert("a", [], np.empty((0, 4))).inserted == 0
