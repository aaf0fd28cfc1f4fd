"""Methods sentences of what stands beside single alignments: every parameter that it takes to repeat the number is in them."""

import dataclasses
import datetime as dt

import numpy as np
import pytest

from consilience import _names
from consilience._results import sources
from consilience.results import (
    AlignmentAtK,
    AlignmentComparison,
    AlignmentReport,
    CeilingScore,
    ConsensusReport,
    CurveLine,
    Difference,
    GalleryCurve,
    Interval,
    ItemReport,
    ItemSlice,
    LinearFit,
    Measurement,
    NoiseCeiling,
    Reliability,
    SampledItems,
    SpaceUse,
    TrendBucket,
    TrendReport,
    Watch,
    WatchBaseline,
    WatchResult,
    Within,
)
from consilience.v1 import alignment_pb2

A, B, C = (SpaceUse(name, "u", version) for name, version in (("clip", 3), ("bge", 8), ("dino", 2)))
MUTUAL = "mutual k-nearest neighbours (Huh et al. 2024, arXiv:2405.07987)"
PAIRINGS = "99 random pairings of the items within 10 groups of label (seed 17; permutation test with the observed pairing counted"


def told_all(text, *parts):
    for part in parts:
        assert part in text, (part, text)


def report(x=A, y=B, ks=(10,), **told):
    entries = {k: AlignmentAtK(k, 0.135, 0.0098, 0.127, Interval(0.128, 0.142), p_value=0.01, calibrated=0.1) for k in ks}
    values = {
        "metric": "mutual_knn",
        "interval_kind": "items",
        "confidence": 0.9,
        "n": 256,
        "gallery": 1024,
        "query_sampling": "hash",
        "permutations": 99,
        "seed": 17,
        "x": x,
        "y": y,
        "engine": "7",
        "similarity_x": "cosine",
        "similarity_y": "squared_l2",
        "preprocess": "standardize",
        "within": Within("label", 10, 0),
    }
    return AlignmentReport(by_k=entries, **{**values, **told})


def trend(**told):
    values = {
        "metric": "mutual_knn",
        "k": 10,
        "spaces": ("clip", "bge", "dino"),
        "versions": (A, B, C),
        "reference": None,
        "against": np.array([1e6, 3e7, 123456789.0]),
        "scale": "log10",
        "scores": np.ones(3),
        "chance": np.ones(3),
        "excess": np.ones(3),
        "spearman": 0.875,
        "interval": Interval(0.5, 0.99),
        "p_value": 0.0125,
        "pearson": 0.5,
        "pearson_interval": Interval(-0.25, 0.9),
        "pearson_p_value": 0.25,
        "confidence": 0.9,
        "pairings": 99,
        "exact": False,
        "slope": 0.02,
        "intercept": 0.1,
        "buckets": (
            TrendBucket(1e6, 3e7, ("clip", "bge"), 0.3, 0.1, 2),
            TrendBucket(123456789.0, 123456789.0, ("dino",), np.nan, np.nan, 0),
        ),
        "n": 100,
        "seed": 17,
        "engine": "7",
        "against_name": "parameters",
        "measurement": Measurement(400, "hash", duplicates=4, deduplicate=0.99, kernel_rules=("", "-d^2/2", "")),
    }
    return TrendReport(**{**values, **told})


def test_every_method_of_a_consensus_has_a_source():
    known = {_names.CONSENSUS_METHODS.to_name(number) for number in alignment_pb2.ConsensusMethod.values() if number}
    assert set(sources.CONSENSUS) == known


def test_a_trend_tells_spaces_numbers_and_tests():
    told_all(
        trend().cite(),
        "clip (version 3), bge (version 8) and dino (version 2) with the others (their mean)",
        MUTUAL,
        "with k = 10",
        "100 queries chosen by a hash of their ids among the 400 items common to all",
        "4 near-duplicates, of cosine 0.99 or more",
        "the stored matrices of bge (version 8) as -d^2/2",
        "against parameters (1000000 for clip, 30000000 for bge and 123456789 for dino)",
        "logarithms to the base 10",
        "0.875 [0.500, 0.990], p = .013",
        "0.500 [-0.250, 0.900], p = .25",
        "slope 0.020 a tenfold",
        "90% intervals",
        "99 random pairings (seed 17) of spaces and numbers",
        "1000000 to 30000000 (2)",
        "engine 7",
    )
    dated = trend(
        against=np.array([0.0, 1.5, 365.0]),
        against_kind="date",
        scale="linear",
        against_name="",
        exact=True,
        pairings=6,
        reference=B,
        reports=(report(similarity_y="cosine"),) * 3,
    ).cite()
    told_all(
        dated,
        "with bge (version 8) was",
        "a date of each space (1970-01-01 for clip, 1970-01-02T12:00:00 for bge",
        "a day",
        "all 6 pairings",
        "nearness by cosine",
        "Of each alignment, significance was assessed against " + PAIRINGS,
    )


def test_a_trend_tells_what_its_metric_was_asked():
    sample = SampledItems(512, 900)
    told = {"k": 0, "n": 512}
    rsa = Measurement(512, sampled_items=sample, rdm_distance="euclidean", rdm_comparison="kendall_tau_a")
    told_all(trend(metric="rsa", measurement=rsa, **told).cite(), "Kendall's tau a of euclidean distances", "a sample of 900")
    told_all(
        trend(metric="rbf_cka", measurement=Measurement(512, bandwidths=(1.0, 2.0, 3.0)), **told).cite(), "sigma 1.000, 2.000 and 3.000"
    )
    told_all(trend(metric="svcca", measurement=Measurement(512, components=4), **told).cite(), "of the 4 strongest components")
    grouped = Measurement(512, group_by="label", groups=10)
    told_all(trend(measurement=grouped).cite(), "items of equal label compared as one thing, 10 of them")
    assert trend(measurement=None).cite()


def consensus(**told):
    values = {
        "method": "procrustes",
        "spaces": ("clip", "bge"),
        "versions": (A, B),
        "weights": (0.5, 0.5),
        "n": 1024,
        "dim": 7,
        "kept": 0.875,
        "exact": False,
        "ratio": 0.75,
        "leave_one_out": (report(), report(B, A)),
        "k": 10,
        "mean_agreement": 0.25,
        "chance": 0.01,
        "most": (),
        "least": (),
        "iterations": 12,
        "converged": False,
        "engine": "7",
        "rank": 64,
        "kernel_rules": ("", "-d"),
        "measurement": Measurement(1024, duplicates=4, deduplicate=0.99),
    }
    return ConsensusReport(**{**values, **told})


def test_a_consensus_tells_method_axes_and_each_space():
    told_all(
        consensus().cite(),
        "clip (version 3) and bge (version 8)",
        "Gower 1975",
        "(12 rounds, still moving)",
        "the stored matrices of bge (version 8) as -d",
        "1,024 items common to all (4 near-duplicates, of cosine 0.99",
        "7 of at most 64 axes",
        "87.5%",
        "0.750",
        MUTUAL,
        "with k = 10",
        "with k = 10, 256 queries chosen by a hash of their ids among the 1,024 items, nearness by",
        "nearness by cosine and squared l2",
        "bge 0.135 [0.128, 0.142], chance 0.0098, p <= .01",
        "90% intervals",
        PAIRINGS,
        "their 10 nearest",
        "0.250 on average",
        "engine 7",
    )


def test_only_a_mean_of_kernels_tells_a_bound_of_its_norm():
    assert "one and the same space and 0.500 no inner product in common, more by chance." in consensus(method="mean_kernel").cite()
    assert "where 1 is one and the same space. " in consensus(method="procrustes").cite()


def test_a_consensus_tells_all_its_items_and_which_of_them_its_alignments_are_over():
    asked = {"ks": (0,), "metric": "rsa", "rdm_distance": "euclidean", "rdm_comparison": "kendall_tau_a", "similarity_x": ""}
    sample = SampledItems(50, 120)
    sides = tuple(report(n=50, gallery=50, query_sampling="all", sampled_items=sample, **asked) for _ in range(2))
    text = consensus(n=120, leave_one_out=sides, measurement=Measurement(50, sampled_items=sample)).cite()
    told_all(
        text,
        "over the 120 items common to all, in 7",
        "Kendall's tau a of euclidean distances, over 50 of them, a sample by a hash of their ids: clip 0.135",
    )
    assert "a sample of 120" not in text
    drawn = (report(query_sampling="stratified", strata="label"), report())
    assert "256 queries chosen by a hash of their ids in strata of label among" in consensus(leave_one_out=drawn).cite()
    assert "256 queries given among" in consensus(leave_one_out=(report(query_sampling="given"),) * 2).cite()


def test_the_rule_that_ended_the_pairings_is_told():
    def stopped(at):
        told = report(stop_after=3)
        return dataclasses.replace(told, by_k={10: dataclasses.replace(told.headline, permutations=at)})

    two = (stopped(7), stopped(99))
    rule = "Pairings were drawn until 3 of them scored as high (Besag and Clifford 1991, Biometrika 78:301-304), 7 and 99 of them."
    values = np.array([0.5, 0.25])
    line = CurveLine("k = 10", np.array([10, 10]), *[values] * 7)
    for result in (
        AlignmentComparison(*two, {10: Difference(0.01)}),
        GalleryCurve("mutual_knn", np.array([100, 400]), np.array([100, 400]), (line,), two),
        consensus(leave_one_out=two),
    ):
        assert rule in result.cite()
    assert "Pairings were drawn" not in consensus().cite()


def test_a_comparison_tells_both_pairs_and_the_difference():
    differences = {10: Difference(0.085, Interval(0.07, 0.1), 0.002), 20: Difference(0.01)}
    text = AlignmentComparison(report(ks=(10, 20)), report(C, B, ks=(10, 20), kernel_rule_x="-d"), differences).cite()
    told_all(
        text,
        "clip (version 3) and bge (version 8)",
        MUTUAL,
        "with k = 10 and 20",
        "256 queries chosen by a hash of their ids among the 1,024",
        "columns standardised",
        "the alignment of dino (version 2) and bge (version 8)",
        "the stored matrix of dino (version 2) as -d",
        "At k = 10 the first scored 0.135 [0.128, 0.142] (chance 0.0098)",
        "+0.085 [0.070, 0.100], two-sided p = .002",
        "at k = 20",
        "+0.010",
        "paired over the items",
        PAIRINGS,
        "90% intervals",
        "engine 7",
    )


def test_a_curve_tells_its_galleries_and_every_score():
    values = np.array([0.5, 0.25])
    line = CurveLine("k = n/100", np.array([1, 4]), values, values / 10, values, values / 50, values, values - 0.1, values + 0.1)
    curve = GalleryCurve("mutual_knn", np.array([100, 400]), np.array([50, 200]), (line,), (report(deduplicate=0.99, duplicates=4),) * 2)
    told_all(
        curve.cite(),
        "clip (version 3) and bge (version 8)",
        MUTUAL,
        "nested galleries of 100 and 400",
        "smallest hash",
        "200 queries",
        "4 near-duplicates, of cosine 0.99",
        "columns standardised",
        "the scores were for k = n/100 (1 and 4): 0.500 [0.400, 0.600] (chance 0.050), 0.250",
        PAIRINGS,
        "90% intervals",
        "was <= .005",
        "engine 7",
    )


def test_a_curve_tells_what_its_metric_was_asked():
    values, sizes = np.array([0.5, 0.25]), np.array([100, 400])

    def curve(*reports, name="", n=sizes):
        line = CurveLine(name, np.zeros(2, np.int64), *[values] * 7)
        return GalleryCurve(reports[0].metric, sizes, n, (line,), reports).cite()

    rsa = report(ks=(0,), metric="rsa", rdm_distance="euclidean", rdm_comparison="kendall_tau_a")
    told_all(curve(rsa, rsa), "Kendall's tau a of euclidean distances, in nested", "the scores were 0.500 [0.500, 0.500]")
    fit = LinearFit(np.array([0.5]), "pearson", "median", 4, "run", (0.1, 1.0), (3, 1), 12)
    entry = AlignmentAtK(0, 0.1, 0.0, 0.1, Interval(0.0, 0.2), fit=fit)
    fitted = dataclasses.replace(report(metric="linear_predictivity"), by_k={0: entry})
    told_all(curve(fitted, fitted), "(median Pearson r of the second space's columns, ridge regression, 4 folds, 12 groups of 'run'")
    wide, narrow = (report(ks=(0,), metric="rbf_cka", bandwidths=(sigma, 2.0)) for sigma in (1.5, 1.25))
    assert "of sigma 1.250 and 2.000 in the largest gallery, in nested" in curve(wide, narrow)
    grouped = report(group_by="scene", groups=40)
    assert "items of equal scene compared as one thing, 40 of them in the largest" in curve(grouped, grouped, name="k = 10")
    strata = report(query_sampling="stratified", strata="label")
    told_all(curve(strata, strata, n=np.array([50, 200])), ", 200 queries chosen by a hash of their ids in strata of label in the largest")


def test_items_tell_what_was_compared_and_their_slices():
    slices = [
        ItemSlice(name, 5, score, 0.1, 0.1, Interval(0.1, 0.9), 0.01, p) for name, score, p in (("cat", 0.5, 0.02), ("dog", 0.2, 0.4))
    ]
    items = ItemReport(
        k=10,
        ids=np.array(["p"], dtype=object),
        overlaps=np.ones(1),
        headline=report().headline,
        least=(),
        most=(),
        shown={},
        slices=slices,
        n=256,
        gallery=1024,
        x=A,
        y=B,
        slice_by="label",
        query_sampling="given",
        dropped_x=5,
        preprocess="centre",
        permutations=99,
        seed=17,
        confidence=0.9,
        engine="7",
        similarity_x="cosine",
        similarity_y="cosine",
        interval_kind="queries",
    )
    told_all(
        items.cite(),
        "10 nearest neighbours in clip (version 3) and in bge (version 8)",
        "256 queries given among the 1,024 items",
        "5 of clip (version 3) had no partner",
        "columns centred",
        "nearness by cosine",
        "0.135 [0.128, 0.142], chance 0.0098",
        "90% intervals: sampling of queries",
        "99 random pairings of the items (seed 17",
        "2 slices by values of 'label'",
        "'cat' 0.500",
        "'dog'",
        "1 above chance at 0.05 adjusted for their number (Benjamini and Hochberg",
        "engine 7",
    )


def test_a_noise_ceiling_tells_repeats_comparison_and_bootstrap():
    ceiling = NoiseCeiling(
        A,
        0.4,
        0.6,
        ("s1", "s2"),
        np.ones(2),
        np.ones(2),
        np.array([15, 21]),
        7,
        dropped=3,
        comparison="kendall_tau_a",
        draws=500,
        seed=17,
        scores={"bge": CeilingScore(B, 0.3, np.ones(2), (0.1, 0.5), (0.5, 0.75), 2, "squared_euclidean")},
        confidence=0.9,
        engine="7",
    )
    told_all(
        ceiling.cite(),
        "clip (version 3)",
        "2 repeats (s1 and s2)",
        "Kendall's tau a over 15 to 21 pairs of 7 items (3 items",
        "Nili et al. 2014",
        "from 0.400",
        "to 0.600",
        "bge (version 8) (squared euclidean) 0.300 [0.100, 0.500], 0.500 to 0.750 of the ceiling, 2 draws undefined",
        "90% intervals: dual bootstrap",
        "500 draws, seed 17",
        "eLife",
        "engine 7",
    )
    recorded = Reliability((A, B), np.array([0.5, np.nan, 0.75]), 60, "7").cite()
    told_all(
        recorded, "clip (version 3) and bge (version 8) over 60 common items", "3 columns, 1 of them", "Spearman-Brown", "0.625", "engine 7"
    )


@pytest.mark.parametrize("alarm", [False, True])
def test_a_watch_tells_its_baseline_its_alarm_and_its_last_check(alarm):
    time = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)
    last = WatchResult(
        3,
        time,
        SpaceUse("clip", "u", 5),
        B,
        0.3,
        0.01,
        0.29,
        Interval(0.25, 0.35),
        0.5,
        -0.2,
        -0.25,
        -0.15,
        0.01,
        alarm,
        90,
        0.9,
        950,
        1000,
        1.0,
        1.0,
        0.0,
        0.0,
        engine="7",
        min_drop=0.05,
    )
    watch = Watch(
        "w",
        "u",
        "clip",
        "bge",
        "mutual_knn",
        10,
        100,
        17,
        0.02,
        True,
        None,
        "ok",
        alarm,
        "",
        "",
        0,
        WatchBaseline(A, B, 0.5, 100, 1000, 0.05, time),
        last,
        3,
        0.0,
        0.01,
    )
    told_all(
        watch.cite(),
        MUTUAL,
        "with k = 10",
        "clip (version 3) and bge (version 8) on 2026-05-01 12:00 UTC",
        "100 probes",
        "(seed 17)",
        "1,000 items then common",
        "0.500",
        "more than 0.050",
        "at most 0.02",
        "Waudby-Smith",
        "Check 3, of clip (version 5)",
        "90 probes in 950",
        "0.300 [0.250, 0.350] (chance 0.010)",
        "-0.200 [-0.250, -0.150]",
        "level 0.01",
        "an alarm." if alarm else "no alarm",
        "engine 7",
    )
