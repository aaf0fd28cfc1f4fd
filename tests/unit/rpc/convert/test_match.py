"""Matches: defaults, refusals, and blocks of pairs."""

from dataclasses import replace

import numpy as np
import pytest

from consilience.v1 import match_pb2
from consilience.v1.match_pb2 import IndexParameters, ItemIds
from consilience.v1.space_pb2 import SpaceRef
from consilience_server.app.alignment_spec import SpaceQuery
from consilience_server.app.match_query import MatchQuery
from consilience_server.app.reports import MatchReport, SpaceUse
from consilience_server.core.errors import DtypeNotAccepted, InvalidArgument, InvalidName, NotServed, UnknownMethod
from consilience_server.core.index_recall import IndexRecall
from consilience_server.core.match_calibration import MatchCalibration
from consilience_server.engine.approximate import IndexChoice
from consilience_server.engine.protocol import Certificate
from consilience_server.rpc.convert.match import read_match, write_match
from consilience_server.rpc.convert.matrix import write_matrix

A, B = SpaceUse("spaces/a", "u", 1), SpaceUse("spaces/b", "v", 2)
VECTORS = np.ones((2, 3), np.float32)


def test_zeros_become_the_defaults_of_the_contract():
    request = match_pb2.MatchRequest(ids=match_pb2.IdQueries(ids=["x"]), space=SpaceRef(name="spaces/a"))
    assert read_match(request) == MatchQuery(ids=("x",), space=SpaceQuery("a"))


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


@pytest.mark.parametrize(
    ("index", "parameters", "choice"),
    [
        (match_pb2.INDEX_KIND_HNSW, {}, IndexChoice("hnsw", 128)),
        (match_pb2.INDEX_KIND_HNSW, {"ef_search": 7}, IndexChoice("hnsw", 7)),
        (match_pb2.INDEX_KIND_IVF, {"nprobe": 5}, IndexChoice("ivf", 5)),
        (match_pb2.INDEX_KIND_CAGRA, {"itopk_size": 9}, IndexChoice("cagra", 9)),
        (match_pb2.INDEX_KIND_GPU_FLAT, {}, IndexChoice("gpu_flat", 0)),
    ],
)
def test_an_index_and_its_parameter(index, parameters, choice):
    query = read_match(match_pb2.MatchRequest(index=index, index_parameters=IndexParameters(**parameters)))
    assert query.index == choice


def test_a_temperature_has_a_default():
    assert read_match(match_pb2.MatchRequest()).beta == 30.0
    query = read_match(match_pb2.MatchRequest(correction=match_pb2.CORRECTION_INVERTED_SOFTMAX, beta=12.5))
    assert (query.correction, query.beta) == ("inverted_softmax", 12.5)


def test_a_filter_that_is_empty_is_not_one_that_is_absent():
    assert read_match(match_pb2.MatchRequest()).gallery_ids is None
    query = read_match(match_pb2.MatchRequest(gallery_ids=ItemIds(), exclude_ids=ItemIds(ids=["b"])))
    assert (query.gallery_ids, query.exclude_ids) == ((), ("b",))


REFUSED = {
    "a parameter without its index": ({"index_parameters": IndexParameters(nprobe=3)}, InvalidArgument, "index_parameters.nprobe"),
    "a parameter of another index": (
        {"index": match_pb2.INDEX_KIND_HNSW, "index_parameters": IndexParameters(ef_search=4, itopk_size=3)},
        InvalidArgument,
        "index_parameters.itopk_size",
    ),
    "a parameter of an index without any": (
        {"index": match_pb2.INDEX_KIND_GPU_FLAT, "index_parameters": IndexParameters(ef_search=4)},
        InvalidArgument,
        "index_parameters.ef_search",
    ),
    "an unknown index": ({"index": 99}, InvalidArgument, "index"),
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


def test_what_is_told_beside_matches():
    calibration = MatchCalibration(1.0, 0.0, 0.5, 0.0, 1.0, 120, 0.75, 0.05)
    report = MatchReport(
        ("x", "y"), np.array([[0.5, 0.25]]), np.array([[1.5, 1.25]]), "inverted_softmax", A, "a-to-b", "w", None, "1", beta=12.5,
        probabilities=np.array([[0.5, 0.25]]), calibration=calibration, warnings=("moved", "on"), one_to_one=True,
    )  # fmt: skip
    message = write_match(report)
    assert (message.beta, message.correction_k, message.one_to_one, list(message.warnings)) == (12.5, 0, True, ["moved", "on"])
    assert np.frombuffer(message.probabilities.data).tolist() == [0.5, 0.25]
    assert (message.calibration.pairs, message.calibration.accuracy, message.calibration.error) == (120, 0.75, 0.05)
    bare = write_match(replace(report, probabilities=None, calibration=None))
    assert not bare.HasField("probabilities")
    assert not bare.HasField("calibration")


@pytest.mark.parametrize(("asked", "k"), [({}, 10), ({"one_to_one": True}, 1), ({"one_to_one": True, "k": 3}, 3)])
def test_an_assignment_has_a_k_of_its_own(asked, k):
    query = read_match(match_pb2.MatchRequest(probability=True, filter="a = 1", **asked))
    assert (query.k, query.one_to_one, query.probability, query.filter) == (k, "one_to_one" in asked, True, "a = 1")


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
    assert (message.index, message.HasField("recall"), message.HasField("measured_recall")) == (match_pb2.INDEX_KIND_EXACT, False, False)


def test_a_report_of_an_approximate_index_has_its_recall_and_no_certificate():
    recall = IndexRecall(0.9, 0.8, 0.95, 0.95, 3, 256)
    report = MatchReport(
        ("x",), np.ones((1, 1)), np.ones((1, 1)), "none", A, "", "", None, "1", None, IndexChoice("ivf", 7), recall, 12
    )  # fmt: skip
    message = write_match(report)
    assert not message.HasField("certificate")
    assert (message.index, message.index_parameters.nprobe, message.gallery_items) == (match_pb2.INDEX_KIND_IVF, 7, 12)
    assert (message.recall.value, message.recall.low, message.recall.high) == (0.9, 0.8, 0.95)
    assert (message.recall.confidence, message.recall.k, message.recall.probe_queries, message.measured_recall) == (0.95, 3, 256, 0.9)
    flat = write_match(replace(report, index=IndexChoice("gpu_flat", 0)))
    assert (flat.index, flat.index_parameters.ByteSize()) == (match_pb2.INDEX_KIND_GPU_FLAT, 0)
