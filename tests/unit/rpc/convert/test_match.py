"""Matches: defaults, refusals, and blocks of pairs."""

from dataclasses import replace

import numpy as np
import pytest

from consilience.v1 import match_pb2
from consilience.v1.space_pb2 import SpaceRef
from consilience_server.app.alignment_query import SpaceQuery
from consilience_server.app.match_query import MatchQuery, MutualPairsQuery
from consilience_server.app.reports import MatchReport, MutualPairs, SpaceUse
from consilience_server.core.errors import DtypeNotAccepted, InvalidArgument, InvalidName, NotServed, UnknownMethod
from consilience_server.engine.protocol import Certificate
from consilience_server.rpc.convert.match import read_match, read_mutual_pairs, write_match, write_mutual_pairs
from consilience_server.rpc.convert.matrix import write_matrix

A, B = SpaceUse("spaces/a", "u", 1), SpaceUse("spaces/b", "v", 2)
VECTORS = np.ones((2, 3), np.float32)


def test_zeros_become_the_defaults_of_the_contract():
    request = match_pb2.MatchRequest(ids=match_pb2.IdQueries(ids=["x"]), space=SpaceRef(name="spaces/a"))
    assert read_match(request) == MatchQuery(ids=("x",), space=SpaceQuery("a"))
    request = match_pb2.MutualPairsRequest(source=SpaceRef(name="spaces/a"), target=SpaceRef(name="spaces/b"))
    assert read_mutual_pairs(request) == MutualPairsQuery(SpaceQuery("a"), SpaceQuery("b"))


def test_given_values_pass():
    query = read_match(
        match_pb2.MatchRequest(
            vectors=write_matrix(VECTORS), bridge="bridges/a-to-b", k=3, correction=match_pb2.CORRECTION_CSLS, correction_k=4,
            index=match_pb2.INDEX_KIND_EXACT, gallery_version=5,
        )
    )  # fmt: skip
    np.testing.assert_array_equal(query.vectors, VECTORS)
    assert (query.ids, query.bridge, query.space) == ((), "a-to-b", None)
    assert (query.k, query.correction, query.correction_k, query.gallery_version) == (3, "csls", 4, 5)
    pairs = read_mutual_pairs(
        match_pb2.MutualPairsRequest(
            source=SpaceRef(name="spaces/a", version=1), target=SpaceRef(name="spaces/b", version=2), bridge="bridges/c",
            correction=match_pb2.CORRECTION_NONE, correction_k=6, limit=7,
        )
    )  # fmt: skip
    assert pairs == MutualPairsQuery(SpaceQuery("a", 1), SpaceQuery("b", 2), "c", "none", 6, 7)


REFUSED = {
    "a filter": ({"filter": "label = 3"}, NotServed, "filter"),
    "an approximate index": ({"index": match_pb2.INDEX_KIND_HNSW}, NotServed, "index"),
    "an unknown index": ({"index": 99}, InvalidArgument, "index"),
    "another correction": ({"correction": match_pb2.CORRECTION_MARGIN_RATIO}, NotServed, "correction"),
    "an unknown correction": ({"correction": 99}, UnknownMethod, "correction"),
    "a bad bridge": ({"bridge": "a-to-b"}, InvalidName, "bridge"),
    "a bad space": ({"space": SpaceRef(name="a")}, InvalidName, "space.name"),
    "a layer": ({"space": SpaceRef(name="spaces/a/layers/3")}, NotServed, "space.name"),
    "a negative version": ({"gallery_version": -1}, InvalidArgument, "gallery_version"),
    "bad vectors": ({"vectors": write_matrix(VECTORS.astype(np.float64))}, DtypeNotAccepted, "vectors.dtype"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals_name_their_field(case):
    fields, error, field = REFUSED[case]
    with pytest.raises(error) as caught:
        read_match(match_pb2.MatchRequest(**fields))
    assert caught.value.field == field


def test_a_report_keeps_every_field():
    report = MatchReport(
        ("x", "y", "z", "x"), np.array([[0.5, 0.25], [1, 2]]), np.array([[1.5, 1.25], [2, 3]]), "csls", A, "a-to-b", "w",
        Certificate("float32", 0.0, 2, 0, 9, "faiss-cpu"), "1", B,
    )  # fmt: skip
    message = write_match(report)
    assert (message.queries, message.k, list(message.ids)) == (2, 2, ["x", "y", "z", "x"])
    np.testing.assert_array_equal(np.frombuffer(message.similarities.data, "<f8"), report.similarities.ravel())
    np.testing.assert_array_equal(np.frombuffer(message.scores.data, "<f8"), report.scores.ravel())
    assert (message.correction, message.bridge, message.bridge_uid, message.engine) == (
        match_pb2.CORRECTION_CSLS,
        "bridges/a-to-b",
        "w",
        "1",
    )
    assert (message.gallery.name, message.gallery.uid, message.gallery.version) == ("spaces/a", "u", 1)
    assert message.certificate.exact_dots == 9
    assert (message.source.name, message.source.uid) == (f"{B.name}", B.uid)
    assert not write_match(replace(report, source=None)).HasField("source")


def pairs(n, length=8):
    ids = [f"{i:0{length}d}" for i in range(n)]
    return MutualPairs(ids, ids[::-1], np.arange(n, dtype=np.float64), 10, 20, A, B, "a-to-b", "none", "1")


@pytest.mark.parametrize(("n", "length"), [(0, 1), (1, 512), (5000, 8), (5000, 512), (100_000, 8)])
def test_blocks_hold_all_pairs_once_and_stay_small(n, length):
    sent = pairs(n, length)
    blocks = list(write_mutual_pairs(sent))
    assert [item for block in blocks for item in block.source_ids] == sent.source_ids
    assert [item for block in blocks for item in block.target_ids] == sent.target_ids
    np.testing.assert_array_equal(np.concatenate([np.frombuffer(block.scores.data, "<f8") for block in blocks]), sent.scores)
    assert all(block.ByteSize() < 1 << 21 for block in blocks)
    assert [block.HasField("summary") for block in blocks] == [True] + [False] * (len(blocks) - 1)
    summary = blocks[0].summary
    assert (summary.pairs, summary.source_items, summary.target_items, summary.bridge) == (n, 10, 20, "bridges/a-to-b")
    assert (summary.source.name, summary.target.name, summary.engine) == ("spaces/a", "spaces/b", "1")
