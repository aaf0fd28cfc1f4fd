import dataclasses
import json
import sys
from datetime import UTC, datetime

import numpy as np
import pytest

from consilience import MissingExtraError
from consilience.results import (
    AlignmentAtK,
    AlignmentMatrix,
    AlignmentReport,
    Bridge,
    CallDetails,
    Certificate,
    Embeddings,
    IndexRecall,
    Interval,
    MatchResult,
    MutualPairs,
    Operation,
    Recall,
    RetrievalReport,
    Space,
    SpaceUse,
    UpsertResult,
)


def at_k(k=10, score=0.135, **told):
    values = {"chance": 10 / 1023, "excess": 0.127, "interval": Interval(0.128, 0.142), "p_value": 0.001, "calibrated": 0.1}
    return AlignmentAtK(k, score, **{**values, **told})


def report(*entries, **told):
    entries = entries or (at_k(),)
    values = {"metric": "mutual_knn", "interval_kind": "items", "n": 1024, "gallery": 1024, "permutations": 999}
    return AlignmentReport(by_k={entry.k: entry for entry in entries}, **{**values, **told})


def matrix(**told):
    square = np.array([[1.0, 0.25], [0.25, 1.0]])
    arrays = dict.fromkeys(("scores", "chance", "excess", "calibrated", "interval_low", "interval_high"), square)
    values = {
        "metric": "mutual_knn", "k": 10, "spaces": ("a", "bee"), "versions": (SpaceUse("a", "u", 1), SpaceUse("bee", "v", 2)),
        "p_values": np.array([[np.nan, 0.01], [0.01, np.nan]]), "interval_kind": "items", "confidence": 0.95, "n": np.full((2, 2), 50),
        "items": "common", "permutations": 99, "seed": 0, "alpha": 0.05, "preprocess": "none", "engine": "1",
        "gallery": np.full((2, 2), 50),
    }  # fmt: skip
    return AlignmentMatrix(**{**arrays, **values, **told})


def test_a_matrix_tells_how_many_pairs_are_above_chance():
    p_values = np.array([[np.nan, 0.01], [0.01, np.nan]])
    told = matrix(p_adjusted=p_values, q_values=2 * p_values)
    assert "above chance of 1 pair: 1 at adjusted p <= 0.05 (max-T), 1 at q <= 0.05 (Benjamini-Hochberg)" in repr(told)
    assert "p adjusted for all pairs (max-T):" in told.text()
    assert "(max-T)" not in matrix(q_values=p_values).text()
    assert "above chance" not in repr(matrix())


def found(**told):
    ids = np.array([["x", "y"], ["z", "x"]], dtype=object)
    return MatchResult(ids, np.ones((2, 2)), np.zeros((2, 2)), "csls", SpaceUse("b", "u", 3), bridge="a-to-b", **told)


def test_a_match_of_an_approximate_index_tells_its_recall():
    recall = IndexRecall(0.975, 0.95, 0.9877, 0.95, 2, 256)
    approximate = found(index="hnsw", recall=recall, index_parameters={"ef_search": 128})
    assert "index hnsw, recall@2 = 0.975 [0.950, 0.988] (256 probes, 95%)" in repr(approximate)
    assert float(approximate.recall) == 0.975
    assert "recall" not in repr(found())
    told = json.loads(json.dumps(approximate.to_dict()))
    assert (told["recall"]["low"], told["index"], told["index_parameters"]) == (0.95, "hnsw", {"ef_search": 128})


def test_a_report_prints_as_the_design_shows_it():
    assert repr(report()) == (
        "mutual_knn@10 = 0.135 [0.128, 0.142] (items, 95%) · chance 0.0098 · excess 0.127 · p <= .001 (999 permutations) · n = 1,024"
    )


def test_a_report_without_neighbours_or_permutations_prints_what_it_has():
    entry = at_k(k=0, score=0.5, chance=0.0, excess=0.5, p_value=None, calibrated=None)
    assert repr(report(entry, metric="cka", permutations=0, confidence=0.9)) == (
        "cka = 0.500 [0.128, 0.142] (items, 90%) · chance 0.000 · excess 0.500 · n = 1,024"
    )


@pytest.mark.parametrize(
    ("p_value", "permutations", "shown"),
    [(0.001, 999, "p <= .001"), (0.002, 999, "p = .002"), (0.0123, 999, "p = .012"), (1.0, 999, "p = 1"), (0.01, 99, "p <= .01")],
)
def test_only_the_least_possible_p_is_a_bound(p_value, permutations, shown):
    assert f"{shown} ({permutations} permutations)" in repr(report(at_k(p_value=p_value), permutations=permutations))


def test_an_interval_without_end_is_not_shown_as_one():
    told = report(at_k(interval=Interval(-np.inf, 1.0)))
    assert "[not known] (items, 95%)" in repr(told)
    assert told.to_dict()["interval"] == {"low": None, "high": 1.0}
    assert "[not known]" in told.cite()


def test_the_headline_is_the_first_k_asked():
    both = report(at_k(50, 0.4), at_k(10, 0.2))
    assert (both.k, both.score, list(both.by_k)) == (50, 0.4, [50, 10])
    low, high = both.interval
    assert (low, high) == (both.interval.low, both.interval.high) == (0.128, 0.142)
    assert (both.chance, both.excess, both.p_value, both.calibrated) == (10 / 1023, 0.127, 0.001, 0.1)


def test_a_report_survives_json():
    told = json.loads(
        json.dumps(report(at_k(10), at_k(50), x=SpaceUse("a", "u", 3), certificate_x=Certificate("f4", 1e-6, 9, 1, 2, "faiss")).to_dict())
    )
    assert told["score"] == 0.135
    assert [entry["k"] for entry in told["by_k"]] == [10, 50]
    assert told["interval"] == {"low": 0.128, "high": 0.142}
    assert told["x"] == {"name": "a", "uid": "u", "version": 3}
    assert told["certificate_x"]["backend"] == "faiss"
    assert "details" not in told


def test_how_the_call_went_is_no_part_of_the_answer():
    quick = report(details=CallDetails("r1", {"scan": 0.1}, "memory"))
    assert quick == report()
    assert (quick.request_id, quick.timings["scan"], quick.cache_tier) == ("r1", 0.1, "memory")
    assert quick != report(at_k(score=0.2))


def test_results_are_frozen_and_unhashable():
    with pytest.raises(dataclasses.FrozenInstanceError):
        report().n = 3
    with pytest.raises(TypeError):
        hash(report())


def test_matrices_are_equal_where_all_numbers_are_with_nan_equal_to_nan():
    assert matrix() == matrix()
    assert matrix() != matrix(scores=np.array([[1.0, 0.25], [0.25, 0.999]]))
    assert matrix() != matrix(n=np.full((3, 3), 50))
    assert matrix() != report()


def test_a_matrix_prints_as_a_table():
    lines = repr(matrix()).splitlines()
    assert lines[0] == "mutual_knn@10 of 2 spaces · items=common · n = 50 · 99 permutations"
    assert [line.split() for line in lines[1:]] == [["a", "bee"], ["a", "1.000", "0.250"], ["bee", "0.250", "1.000"]]
    assert "n differs by pair" in repr(matrix(n=np.array([[5, 6], [6, 5]])))


def test_nan_is_null_in_json():
    assert json.loads(json.dumps(matrix().to_dict(), allow_nan=False))["p_values"] == [[None, 0.01], [0.01, None]]


def test_frames_have_one_row_a_number():
    assert report(at_k(10), at_k(50)).to_pandas()[["k", "score", "interval_low"]].to_numpy().tolist() == [
        [10, 0.135, 0.128],
        [50, 0.135, 0.128],
    ]
    assert matrix().to_pandas("scores").loc["a", "bee"] == 0.25
    frame = found().to_pandas()
    assert frame[["query", "rank", "id"]].to_numpy().tolist() == [[0, 1, "x"], [0, 2, "y"], [1, 1, "z"], [1, 2, "x"]]
    pairs = MutualPairs(["a"], ["b"], np.array([0.5]), 3, 4, SpaceUse("s", "u", 1), SpaceUse("t", "v", 1))
    assert pairs.to_pandas().to_dict("records") == [{"source_id": "a", "target_id": "b", "score": 0.5}]
    page = Embeddings(SpaceUse("s", "u", 1), ["a", "b"], np.eye(2, dtype=np.float32), {"label": [1, None]}).to_pandas()
    assert list(page.index) == ["a", "b"]
    assert page.loc["b", "vector"].tolist() == [0.0, 1.0]


def test_a_missing_pandas_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtraError, match=r"consilience\[report\]"):
        report().to_pandas()


def test_the_other_results_print_what_matters():
    assert repr(found()) == "2 queries x 2 matches through a-to-b in b@3 · correction csls · best of the first query: 'x' at 1.000"
    assert (found().k, len(found())) == (2, 2)
    recalled = RetrievalReport("ridge", {1: Recall(1, 0.61), 10: Recall(10, 0.9)}, 0.7, 1.0, 100, 1000, 0.1)
    bridge = Bridge(
        "a-to-b", "u", 1, SpaceUse("a", "u", 1), SpaceUse("b", "v", 2), "ridge", 4, 3, 400, "ab", recalled, (recalled,), 0, "0.1",
        datetime(2026, 1, 1, tzinfo=UTC), "cosine",
    )  # fmt: skip
    assert (
        repr(bridge) == "bridge a-to-b: a@1 to b@2 · ridge on 400 pairs · held out: recall@1 0.610 · recall@10 0.900 (100 queries in 1,000)"
    )
    assert bridge.to_pandas()["recall@10"].tolist() == [0.9]
    assert bridge.to_dict()["create_time"] == "2026-01-01T00:00:00+00:00"
    assert repr(Operation("operations/align-1", "align", False, 0.25)) == "operations/align-1 (align) 25%"
    assert "failed: disk full" in repr(Operation("operations/align-1", "align", True, 0.25, "disk full"))
    space = Space("a", dim=3)
    assert repr(space) == "space a@0 · 0 items x 3 · cosine"
    assert repr(UpsertResult(1, 2, 3, 4000, space)) == "a@1 · 2 inserted · 3 replaced · 4,000 unchanged"
    assert repr(Embeddings(SpaceUse("a", "u", 1), ["x"] * 9, np.ones((9, 2)))) == (
        "Embeddings(space=SpaceUse(name='a', uid='u', version=1), ids=<9 values>, vectors=<float64 9x2>, attributes={})"
    )
    assert UpsertResult(1, 2, 3, 4, space).to_dict()["space"]["name"] == "a"


def test_what_to_be_warned_of_stands_below_the_numbers():
    told = report(warnings=("only 12 items",))
    assert repr(told).splitlines()[1:] == ["caution: only 12 items"]
    assert told.to_dict()["warnings"] == ["only 12 items"]
    assert repr(matrix(warnings=("60 to 90 items",))).splitlines()[-1] == "caution: 60 to 90 items"


def test_the_null_is_reachable_for_every_k_and_left_out_of_json_and_equality():
    null = np.linspace(0, 1, 5)
    told = report(at_k(null=null), at_k(5, null=null / 2))
    assert told.null is null
    np.testing.assert_array_equal(told.by_k[5].null, null / 2)
    assert "null" not in json.dumps(told.to_dict()).replace("null_", "").replace(": null", "")
    assert told == report(at_k(), at_k(5))


def test_what_has_no_version_is_told_without_one():
    told = [str(SpaceUse(name, "u", version)) for name, version in (("clip", 3), ("groups/llama", 0), ("given", 0))]
    assert told == ["clip@3", "groups/llama", "given"]
