from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import ortho_group, skew

from consilience_server.bridges import held_out_retrieval
from consilience_server.bridges.apply import centre_gallery, make_ready, map_vectors
from consilience_server.bridges.choose import METHODS, candidate_methods, check_count, fit_and_choose
from consilience_server.bridges.fit import needed_pairs
from consilience_server.bridges.held_out_retrieval import FitProblem
from consilience_server.bridges.ridge_penalty import PENALTIES
from consilience_server.core import errors
from consilience_server.core.control import Control
from consilience_server.engine.exact_neighbours import ExactNeighbours
from consilience_server.engine.faiss_cpu import FaissCpuScan

ENGINE = ExactNeighbours(FaissCpuScan(1), 1)


def problem(transform, n=400, width=16, held=100, noise=0.3, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, width))
    y = transform(x)
    y = y + noise * rng.standard_normal(y.shape)
    x, y = x.astype(np.float32), y.astype(np.float32)
    ids = np.array([f"{i:04d}" for i in range(n)], dtype=object)
    return FitProblem(x[held:], y[held:], x[:held], np.arange(held), y, ids[:held], ids)


def fit(subject, method="auto", control=None):
    return fit_and_choose(subject, method, PENALTIES, ENGINE, control or Control())


def test_few_noisy_pairs_of_a_rotation_go_to_procrustes():
    rotation = ortho_group.rvs(40, random_state=0)
    fitted = fit(problem(lambda x: x @ rotation, width=40, n=160, noise=0.8))
    assert fitted.method == "procrustes"


def test_a_space_that_must_be_stretched_goes_to_ridge():
    rotation = ortho_group.rvs(16, random_state=0)
    subject = problem(lambda x: x @ rotation, noise=0.05)
    squeeze = np.logspace(0, -1.5, 16, dtype=np.float32)
    fitted = fit(replace(subject, x=subject.x * squeeze, queries=subject.queries * squeeze))
    by = {report.method: report for report in fitted.candidates}
    assert by["ridge"].penalty > 0
    assert by["ridge"].recalls[1] > 0.9 > by["procrustes"].recalls[1]
    assert fitted.held_out.recalls[1] >= by["ridge"].recalls[1]


def test_spaces_that_agree_already_keep_the_identity():
    fitted = fit(problem(lambda x: x, noise=0.0))
    assert fitted.method == "identity"
    assert fitted.held_out.recalls[1] == 1.0


def test_a_shifted_space_needs_the_mean_shift():
    fitted = fit(problem(lambda x: x + 30.0, noise=0.02))
    by = {report.method: report.recalls[1] for report in fitted.candidates}
    assert by["identity"] < 0.9 < by["mean_shift"]


def test_all_candidates_are_reported_on_the_same_pairs():
    fitted = fit(problem(lambda x: x))
    assert [report.method for report in fitted.candidates] == list(METHODS)
    assert {(report.queries, report.gallery) for report in fitted.candidates} == {(100, 400)}
    for report in fitted.candidates:
        assert set(report.recalls) == set(report.intervals) == {1, 5, 10}
        assert all(low <= report.recalls[k] <= high for k, (low, high) in report.intervals.items())
        assert report.recalls[1] <= report.recalls[5] <= report.recalls[10]
        assert report.median_rank >= 1


def test_every_measure_by_its_definition():
    """Ranks, closer others, kept neighbours and hubs, written out over all pairs of cosines."""
    subject = problem(lambda x: x[:, ::-1], n=120, width=6, held=40, noise=0.8)
    fitted = fit(subject, "procrustes")
    report, ready = fitted.held_out, make_ready(fitted.map)
    mapped, gallery = (
        a.astype(float) for a in (map_vectors(ready, subject.queries, Control()), centre_gallery(ready, subject.gallery, Control()))
    )
    scores = mapped @ gallery.T
    own = scores[np.arange(40), subject.partners]
    closer = (scores > own[:, None]).sum(axis=1)
    assert report.foscttm.value == pytest.approx((closer / 119).mean())
    assert report.rank.value == report.median_rank == np.median(closer + 1)
    assert report.reciprocal_rank.value == pytest.approx(report.mean_reciprocal_rank)
    raw = subject.gallery / np.linalg.norm(subject.gallery, axis=1, keepdims=True)
    kept = []
    for i, partner in enumerate(subject.partners):
        others = np.delete(np.arange(120), partner)
        native = others[np.argsort(-(raw[others] @ raw[partner]))[:10]]
        bridged = others[np.argsort(-scores[i, others])[:10]]
        kept.append(len(set(native) & set(bridged)) / 10)
    assert report.neighbour_retention.value == pytest.approx(np.mean(kept))
    lists = np.argsort(-scores, axis=1)[:, :10]
    assert report.hubness.value == pytest.approx(skew(np.bincount(lists.ravel(), minlength=120)))
    term = -np.sort(-scores.T, axis=1)[:, :10].mean(axis=1)
    corrected = np.argsort(-(2 * scores - term), axis=1)[:, :10]
    assert report.hubness_csls.value == pytest.approx(skew(np.bincount(corrected.ravel(), minlength=120)))
    for estimate in (report.foscttm, report.rank, report.reciprocal_rank, report.neighbour_retention, report.hubness, report.hubness_csls):
        assert estimate.low <= estimate.value <= estimate.high


def test_the_learning_curve_is_what_fits_on_fewer_pairs_find():
    subject = problem(lambda x: x @ ortho_group.rvs(16, random_state=0), n=500, held=100, noise=1.2)
    fitted = fit(subject, "ridge")
    assert [point.pairs for point in fitted.learning_curve] == [50, 100, 200, 400]
    assert fitted.learning_curve[-1].recalls == fitted.held_out.recalls
    for point in fitted.learning_curve[:-1]:
        alone = fit(replace(subject, x=subject.x[: point.pairs], y=subject.y[: point.pairs]), "ridge").held_out
        assert (point.recalls, point.intervals) == (alone.recalls, alone.intervals)
    assert fitted.learning_curve[0].recalls[10] < fitted.learning_curve[-1].recalls[10]


def test_no_point_has_fewer_pairs_than_the_method_needs_and_baselines_learn_nothing():
    subject = problem(lambda x: x, n=200, held=100, width=40)
    assert [point.pairs for point in fit(subject, "cca").learning_curve] == [50, 100]
    assert fit(subject, "mean_shift").learning_curve == ()


def test_the_correction_takes_hubs_away():
    rng = np.random.default_rng(4)
    subject = problem(lambda x: x @ rng.standard_normal((60, 60)), n=900, width=60, held=300, noise=4.0)
    report = fit(subject, "procrustes").held_out
    assert report.hubness_csls.value < 0.6 * report.hubness.value


def test_a_method_by_name_is_kept_though_another_is_better():
    fitted = fit(problem(lambda x: x @ ortho_group.rvs(16, random_state=0)), "mean_shift")
    assert fitted.method == "mean_shift"
    assert [report.method for report in fitted.candidates] == ["identity", "mean_shift"]
    assert fitted.held_out is fitted.candidates[1]


def test_baselines_stand_beside_a_fit_of_unequal_widths():
    """A space cut to its first dimensions needs no more than that: the identity finds its items."""
    fitted = fit(problem(lambda x: x[:, :9], noise=0.0), "procrustes")
    assert [report.method for report in fitted.candidates] == ["identity", "mean_shift", "procrustes"]
    assert fitted.candidates[0].recalls[1] == 1.0
    assert fitted.method == "procrustes"


def test_a_baseline_that_loses_a_held_out_item_is_left_out():
    subject = problem(lambda x: x[:, :9])
    queries = subject.queries.copy()
    queries[0, :9] = 0.0
    fitted = fit(replace(subject, queries=queries), "ridge")
    assert [report.method for report in fitted.candidates] == ["mean_shift", "ridge"]
    assert fitted.notes == (
        "identity is not among the candidates: of unequal widths it drops the last dimensions, and leaves an item without a direction",
    )


def test_a_choice_by_chance_is_told():
    """Of unrelated spaces one method is always the best."""
    rng = np.random.default_rng(2)
    fitted = fit(problem(lambda x: rng.standard_normal(x.shape), n=240, held=40))
    assert any(note.startswith("no method beats the baselines beyond its interval") for note in fitted.notes)
    assert any("on 40 queries: another split may choose another" in note for note in fitted.notes)
    sure = fit(problem(lambda x: x @ ortho_group.rvs(16, random_state=0), n=300, held=100))
    assert sure.held_out.recalls[1] > 0.9
    assert sure.notes == ()


def test_a_baseline_kept_is_measured_by_chance_alone():
    assert fit(problem(lambda x: x, noise=0.0)).notes == ()


def test_partners_that_stand_twice_in_the_gallery_are_told():
    subject = problem(lambda x: x @ ortho_group.rvs(16, random_state=0), n=300, held=100)
    ids = np.array([*subject.gallery_ids, *(f"z{i}" for i in range(7))], dtype=object)
    twice = replace(subject, gallery=np.concatenate((subject.gallery, subject.gallery[:7])), gallery_ids=ids)
    assert fit(subject, "procrustes").notes == ()
    assert fit(twice, "procrustes").notes[0].startswith("7 of 100 partners have an equal vector under another id")


def test_canonical_methods_are_tried_where_there_are_pairs_enough():
    names = candidate_methods("auto", 60, 64, 80)
    assert {"ridge", "relative", "affine"} <= set(names)
    assert not {"whitened", "cca", "csa"} & set(names)
    with pytest.raises(errors.TooFewPairs, match=r"60 known pairs .* cca needs at least 64.*ridge"):
        candidate_methods("cca", 60, 64, 80)


def test_the_held_out_pairs_never_reach_the_fit():
    """What the held-out partners are changes the report, and not a bit of the map."""
    subject = problem(lambda x: x @ ortho_group.rvs(16, random_state=0))
    gallery = subject.gallery.copy()
    gallery[:100] = np.random.default_rng(9).standard_normal((100, 16))
    spoiled = replace(subject, gallery=gallery, queries=subject.queries[::-1].copy())
    for method in ("procrustes", "ridge", "mean_shift"):
        first, second = fit(subject, method), fit(spoiled, method)
        assert np.array_equal(first.map.weights, second.map.weights)
        assert np.array_equal(first.map.source_mean, second.map.source_mean)
        assert np.array_equal(first.map.target_mean, second.map.target_mean)
        if method != "mean_shift":
            assert first.held_out.recalls[1] > 0.9
            assert second.held_out.recalls[10] < 0.3


def test_no_more_held_out_pairs_are_asked_than_needed(monkeypatch):
    monkeypatch.setattr(held_out_retrieval, "MAX_HELD_OUT_QUERIES", 30)
    fitted = fit(problem(lambda x: x))
    assert fitted.held_out.queries == 30


@pytest.mark.parametrize("method", ["identity", "mean_shift"])
def test_baselines_join_equal_widths_only(method):
    with pytest.raises(errors.DimensionMismatch, match="16 and 9"):
        candidate_methods(method, 100, 16, 9)


@pytest.mark.parametrize(("method", "pairs"), [("ridge", 9), ("procrustes", 9), ("auto", 9), ("mean_shift", 1)])
def test_too_few_pairs_are_told_with_both_numbers(method, pairs):
    with pytest.raises(errors.TooFewPairs, match=rf"{pairs} known pairs? (is|are) left .* at least {pairs + 1}: [^(]*$"):
        candidate_methods(method, pairs, 8, 8)


@pytest.mark.parametrize("method", ["ridge", "procrustes", "cca", "auto", "mean_shift", "identity"])
@pytest.mark.parametrize("fraction", [0.01, 0.2, 0.5, 0.77, 0.9])
def test_the_number_of_pairs_to_give_is_enough(method, fraction):
    for pairs in range(1, 200):
        left = pairs - max(1, round(fraction * pairs))
        if left >= max(needed_pairs("ridge" if method == "auto" else method, 16, 16), 1):
            check_count(method, pairs, fraction, 16, 16)
            candidate_methods(method, left, 16, 16)
            continue
        with pytest.raises(errors.TooFewPairs, match=f"which leaves {left} .* give [0-9]+ pairs or more") as refused:
            check_count(method, pairs, fraction, 16, 16)
        give = int(refused.value.metadata["needed"])
        assert give > pairs
        check_count(method, give, fraction, 16, 16)
        candidate_methods(method, give - max(1, round(fraction * give)), 16, 16)


def test_only_methods_that_suffice_are_offered_instead():
    with pytest.raises(errors.TooFewPairs, match=r"give 80 pairs or more, or use a method that needs fewer \(procrustes.*relative\)$"):
        check_count("cca", 20, 0.2, 64, 80)
    with pytest.raises(errors.TooFewPairs, match=r"which leaves 2 for the fit; cca needs at least 64: give 80 pairs or more$"):
        check_count("cca", 3, 0.2, 64, 80)


def test_enough_is_enough():
    assert candidate_methods("auto", 10, 8, 8) == METHODS
    assert candidate_methods("identity", 0, 8, 8) == ("identity",)
    assert candidate_methods("ridge", 10, 8, 9) == ("identity", "mean_shift", "ridge")


def test_progress_never_falls_and_ends_at_one():
    seen = []
    fit(problem(lambda x: x, n=150, held=20), control=Control(seen.append))
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_it_stops_when_nobody_waits():
    control = Control()
    control.cancel()
    with pytest.raises(errors.Cancelled):
        fit(problem(lambda x: x), control=control)
