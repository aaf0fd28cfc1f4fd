"""Methods sentences of matrices: every parameter, and what the tests of all pairs found."""

import numpy as np

from consilience.results import AlignmentMatrix, SampledItems, SpaceUse, Within


def matrix(**told):
    scores = np.array([[1.0, 0.25, 0.5], [0.25, 1.0, 0.125], [0.5, 0.125, 1.0]])
    arrays = dict.fromkeys(("scores", "excess", "calibrated", "interval_low", "interval_high"), scores)
    small = np.where(np.eye(3, dtype=bool), np.nan, 0.01)
    values = {
        "metric": "mutual_knn", "k": 10, "spaces": ("a", "b", "c"), "versions": tuple(SpaceUse(name, "u", 3) for name in "abc"),
        "chance": np.full((3, 3), 0.2), "p_values": small, "interval_kind": "items", "confidence": 0.9, "n": np.full((3, 3), 500),
        "items": "common", "permutations": 99, "seed": 17, "alpha": 0.05, "preprocess": "none", "engine": "7",
        "gallery": np.full((3, 3), 500), "p_adjusted": np.where(scores == 0.125, 0.5, small), "q_values": small,
    }  # fmt: skip
    return AlignmentMatrix(**{**arrays, **values, **told})


def test_parameters_and_findings_are_told():
    text = matrix(within=Within("label", 10, 0), deduplicate=0.99, duplicates=4).cite()
    for told in (
        "each two of a (version 3), b (version 3) and c (version 3) was measured by mutual k-nearest neighbours (Huh et al. 2024",
        "with k = 10 over the 500 items common to all (4 near-duplicates, of cosine 0.99 or more, were left out), from the spaces as ",
        "The scores of 3 pairs ranged from 0.125 to 0.500, their chance levels from 0.200 to 0.200 (90% intervals: delete-group jackknife",
        "99 random pairings of the items within 10 groups of label, the same of every pair (seed 17;",
        "of 3 pairs 2 at p <= 0.05 adjusted for all pairs at once (Westfall and Young 1993",
        "3 at q <= 0.05 (Benjamini and Hochberg 1995",
        "calibrated at alpha = 0.05",
        "engine 7",
    ):
        assert told in text, told


def test_what_metrics_were_told_and_what_was_asked_is_told():
    assert "of the 4 strongest components over" in matrix(k=0, metric="svcca", components=4).cite()
    asked = {"target_score": "pearson", "aggregate": "median", "folds": 4, "folds_by": "run", "penalties": (0.1,)}
    told = "(median Pearson r of the second space's columns, ridge regression, 4 folds, groups of 'run' in one fold each, a penalty of 0.1 "
    assert told in matrix(k=0, metric="linear_predictivity", **asked).cite()
    sample = matrix(
        k=0, metric="rsa", rdm_comparison="kendall_tau_b", rdm_distance="squared_euclidean", sampled_items=SampledItems(500, 900)
    )
    assert "Kendall's tau b of squared euclidean distances, over the 500 items common to all (a sample of 900" in sample.cite()
    queries = matrix(n=np.full((3, 3), 60), query_sampling="stratified", strata="label", interval_kind="queries").cite()
    assert "over the 60 queries chosen by a hash of their ids in strata of label among the 500 items common to all" in queries
    assert "finite gallery" in queries
    apart = matrix(n=np.full((3, 3), 500) - np.triu(np.ones((3, 3), int), 2), items="pairwise", p_adjusted=None)
    assert "adjusted for all pairs" not in apart.cite()
    assert "the same of every pair" not in apart.cite()
    untested = matrix(p_values=np.full((3, 3), np.nan), p_adjusted=None, q_values=None).cite()
    assert "random pairings" not in untested
