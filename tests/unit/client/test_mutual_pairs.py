"""Pairs against a scripted server: blocks, broken streams, operations, files."""

import json

import grpc
import pytest
from support.scripted_server import Failure

import consilience
from consilience import Interval, PairAgreement, SpaceUse
from consilience.v1 import match_pb2

pq = pytest.importorskip("pyarrow.parquet")

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE
PAIRS = [("a", "x", 0.9), ("b", "y", 0.8), ("c", "z", 0.7)]


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch):
    import dataclasses

    from consilience import _retry
    from consilience._async import pairs as async_pairs
    from consilience._sync import pairs as sync_pairs

    for module in (async_pairs, sync_pairs):
        monkeypatch.setattr(module, "CALLS", dataclasses.replace(_retry.CALLS, base=0.001))


def rows(pairs):
    return list(zip(pairs.source_ids, pairs.target_ids, [round(score, 6) for score in pairs.scores.tolist()], strict=True))


def test_they_come_in_blocks(client, script):
    pairs = client.mutual_pairs("a", "b", bridge="a-to-b", mode="max", correction="margin_ratio", threshold=0.5)
    assert rows(pairs) == PAIRS
    assert (pairs.source_items, pairs.source, pairs.mode, pairs.threshold, pairs.correction_k) == (5, SpaceUse("a", "", 1), "max", 0.5, 4)
    assert pairs.similarities.tolist() == [0.5] * 3
    assert pairs.details.request_id
    sent = script.last
    assert (sent.mode, sent.threshold, sent.correction_k) == (match_pb2.PAIR_MODE_MAX, 0.5, 0)
    client.mutual_pairs("a", "b", known_pair_ids=["a", "b"], known_target_ids=["x", "y"])
    assert (list(script.last.known.item_ids), list(script.last.known.target_ids), script.last.HasField("threshold")) == (
        ["a", "b"],
        ["x", "y"],
        False,
    )
    assert [rows(block) for block in client.iterate_mutual_pairs("a", "b")] == [[pair] for pair in PAIRS]
    script.operation_ends = "no summary"
    with pytest.raises(consilience.ServerError, match="no summary"):
        client.mutual_pairs("a", "b")


def test_agreement(client):
    told = client.mutual_pairs("a", "b").agreement
    assert told == PairAgreement(4, 2, 1, 1, 0.5, Interval(0.1, 0.9), 0.25, Interval(0.05, 0.7), None, None)
    assert repr(told) == "precision 0.500 [0.100, 0.900] of 2 judged · recall 0.250 [0.050, 0.700] of 4 known"


def test_a_broken_stream_is_continued(client, script):
    script.broken_pairs = [1, 0, 1, None]
    told = []
    assert rows(client.mutual_pairs("a", "b", progress=lambda done, total: told.append((done, total)))) == PAIRS
    assert len(script.seen("MutualPairs")) == 4
    assert len({metadata["x-request-id"] for _, metadata, _ in script.seen("MutualPairs")}) == 1
    assert told == [(1, 3), (2, 3), (3, 3)]
    script.broken_pairs = [0] * 99
    with pytest.raises(consilience.Unavailable):
        client.mutual_pairs("a", "b")


def test_a_stream_that_brought_nothing_in_its_time_is_a_timeout(client, script):
    script.failures["MutualPairs"] = [Failure(grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED")]
    with pytest.raises(consilience.Timeout):
        client.mutual_pairs("a", "b")


def test_an_operation_finds_them_first(client, script):
    script.operation_steps = 2
    told = []
    assert rows(client.mutual_pairs("a", "b", progress=lambda done, total: told.append((done, total)))) == PAIRS
    assert told[-3:] == [(1, 3), (2, 3), (3, 3)]
    assert (1.0, 1.0) in told
    operation = client.mutual_pairs("a", "b", wait=False)
    assert not operation.done
    summary = client.wait_operation(operation)
    assert (summary.pairs, summary.mode) == (3, "max")
    assert repr(summary).startswith("3 one-to-one pairs of a@1 (5 items) and b@2 (6 items) through a-to-b · correction margin_ratio")


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"mode": "both"}, "mode"),
        ({"threshold": float("nan")}, "threshold"),
        ({"threshold": "high"}, "threshold"),
        ({"known_target_ids": ["x"]}, "known_pair_ids"),
        ({"known_pair_ids": []}, "known_pair_ids"),
        ({"known_pair_ids": ["a"], "known_attribute": "g"}, "known_attribute"),
        ({"correction_k": 0}, "correction_k"),
    ],
)
def test_what_cannot_be_is_refused_before_it_is_sent(client, script, arguments, field):
    with pytest.raises(consilience.InvalidArgumentError) as refused:
        client.mutual_pairs("a", "b", **arguments)
    assert refused.value.field == field
    assert script.calls == []


def facts(path):
    return json.loads(pq.read_schema(path).metadata[b"consilience"])


def test_a_result_as_arrow_and_parquet(client, tmp_path):
    pairs = client.mutual_pairs("a", "b")
    table = pairs.to_arrow()
    assert table.column_names == ["source_id", "target_id", "similarity", "score"]
    pairs.to_parquet(tmp_path / "pairs.parquet")
    assert pq.read_table(tmp_path / "pairs.parquet").equals(table)
    told = facts(tmp_path / "pairs.parquet")
    assert (told["kind"], told["source"], told["target"]["version"]) == ("mutual_pairs", {"name": "a", "uid": "", "version": 1}, 2)
    assert (told["bridge"], told["mode"], told["correction"], told["threshold"], told["pairs"]) == ("a-to-b", "max", "margin_ratio", 0.5, 3)
    with pytest.raises(consilience.InvalidArgumentError, match="cannot be written") as refused:
        pairs.to_parquet(tmp_path / "none" / "pairs.parquet")
    assert refused.value.field == "path"
    assert [path.name for path in tmp_path.iterdir()] == ["pairs.parquet"]


def test_an_export_that_broke_goes_on_and_makes_the_same_file(client, script, tmp_path, monkeypatch):
    monkeypatch.setattr("consilience._resumable_parquet.ROW_GROUP", 1)
    whole, broken = tmp_path / "whole.parquet", tmp_path / "broken.parquet"
    summary = client.export_mutual_pairs("a", "b", whole)
    assert (summary.pairs, summary.agreement.recall) == (3, 0.25)
    assert pq.ParquetFile(whole).num_row_groups == 3
    script.broken_pairs = [1, *[0] * 9]
    with pytest.raises(consilience.Unavailable):
        client.export_mutual_pairs("a", "b", broken)
    assert not broken.exists()
    script.broken_pairs = [1, *[0] * 9]
    with pytest.raises(consilience.Unavailable):
        client.export_mutual_pairs("a", "b", broken)
    script.broken_pairs = []
    again = client.export_mutual_pairs("a", "b", broken)
    assert script.last.resume_token == "2"
    assert again == summary
    assert broken.read_bytes() == whole.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken.parquet", "whole.parquet"]
    assert pq.read_table(whole).to_pydict()["source_id"] == ["a", "b", "c"]
    assert facts(whole)["pairs"] == 3


def test_the_beginning_of_another_export_is_not_continued(client, script, tmp_path, monkeypatch):
    monkeypatch.setattr("consilience._resumable_parquet.ROW_GROUP", 1)
    path = tmp_path / "pairs.parquet"
    script.broken_pairs = [1, *[0] * 9]
    with pytest.raises(consilience.Unavailable):
        client.export_mutual_pairs("a", "b", path)
    script.broken_pairs = []
    with pytest.raises(consilience.InvalidArgumentError, match="beginning of another export") as refused:
        client.export_mutual_pairs("a", "b", path, mode="max")
    assert refused.value.field == "path"
    client.export_mutual_pairs("a", "b", path, mode="max", resume=False)
    assert pq.read_table(path).num_rows == 3
