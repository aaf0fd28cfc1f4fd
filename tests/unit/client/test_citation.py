"""Methods sentences: every parameter that it takes to repeat the number, and a source for every metric."""

import dataclasses

import numpy as np
import pytest

from consilience import _names
from consilience._results import sources
from consilience.results import (
    AlignmentAtK,
    AlignmentReport,
    Control,
    Difference,
    Given,
    Interval,
    LinearFit,
    SampledItems,
    SpaceUse,
    Within,
)
from consilience.v1 import alignment_pb2
from consilience_server.app.metric_families.registry import FAMILY_OF


def at_k(k=10, score=0.135, **told):
    values = {"chance": 0.0098, "excess": 0.127, "interval": Interval(0.128, 0.142), "p_value": 0.001, "calibrated": 0.1}
    return AlignmentAtK(k, score, **{**values, **told})


def report(*entries, **told):
    values = {
        "metric": "mutual_knn", "interval_kind": "items", "n": 1024, "gallery": 1024, "permutations": 999, "seed": 17, "alpha": 0.01,
        "x": SpaceUse("clip", "u", 3), "y": SpaceUse("bge", "v", 8), "engine": "7", "similarity_x": "cosine", "similarity_y": "cosine",
    }  # fmt: skip
    entries = entries or (at_k(),)
    return AlignmentReport(by_k={entry.k: entry for entry in entries}, **{**values, **told})


def test_every_metric_and_preprocessing_of_the_contract_has_a_source():
    for enum, names, table in (
        (alignment_pb2.Metric, _names.METRICS, sources.METRICS),
        (alignment_pb2.Preprocess, _names.PREPROCESS, sources.PREPROCESSING),
    ):
        known = {names.to_name(number) for number in enum.values() if number}
        assert set(table) == known
    assert set(FAMILY_OF) <= set(sources.METRICS)
    assert set(sources.INTERVALS) == {"items", "queries"}


def test_every_parameter_is_told():
    control = Control(SpaceUse("pixels", "w", 2), "x", {10: at_k(score=0.05)}, {10: Difference(0.085, Interval(0.07, 0.1))})
    text = report(
        at_k(), at_k(50, 0.2), n=256, query_sampling="hash", interval_kind="queries", confidence=0.9, dropped_x=5, preprocess="standardize",
        within=Within("label", 10, 0), controls={"pixels": control},
    ).cite()  # fmt: skip
    for told in (
        "clip (version 3) and bge (version 8)", "mutual k-nearest neighbours (Huh et al. 2024, arXiv:2405.07987) with k = 10 and 50",
        "256 queries chosen by a hash of their ids among the 1,024 items common to all spaces",
        "5 items of clip (version 3) had no partner",
        "columns standardised", "nearness by cosine", "0.135 [0.128, 0.142] at k = 10, chance 0.0098, excess 0.127", "at k = 50",
        "90% intervals", "finite gallery", "999 random pairings of the items within 10 groups of label (seed 17;", "p <= .001 at k = 10",
        "Calibrated at alpha = 0.01", "pixels (version 2) in the place of clip (version 3): 0.050, difference +0.085 [0.070, 0.100]",
        "engine 7",
    ):  # fmt: skip
        assert told in text, told


@pytest.mark.parametrize("metric", sorted(sources.METRICS))
def test_each_metric_is_cited_by_its_source(metric):
    entry = at_k(10 if metric in FAMILY_OF and FAMILY_OF[metric].reads == "tables" else 0)
    text = report(entry, metric=metric).cite()
    assert str(sources.METRICS[metric]) in text
    assert ("with k = 10" in text) == bool(entry.k)


def test_how_layers_were_chosen_is_told():
    layers = {"layer_scores": np.zeros((2, 3)), "best_layers": (1, 2)}
    assert "Layers 1 and 2 were chosen among 6 pairs on 512 other items (split half)." in report(selection_n=512, **layers).cite()
    top = report(layer_selection="max", **layers).cite()
    assert "Layers 1 and 2 have the maximum of 6 pairs, which is calibrated as a maximum" in top
    assert "its interval takes the choice of the pair as given." in top
    assert "which is not calibrated; its" in report(layer_selection="max", permutations=0, **layers).cite()
    of_x = {"layer_scores": np.zeros((3, 1)), "best_layers": (2, 0)}
    assert "Layer 2 of the first space was chosen among 3 pairs on 512" in report(selection_n=512, **of_x).cite()
    of_y = {"layer_scores": np.zeros((1, 3)), "best_layers": (0, 1)}
    assert "Layer 1 of the second space has the maximum of 3 pairs" in report(layer_selection="max", **of_y).cite()
    spaces = {"x_layers": tuple(SpaceUse(f"llama-{at}", "u", 4) for at in range(2)), "x": SpaceUse("groups/llama", "", 0)}
    told = report(selection_n=512, layers_n=1024, **spaces, **layers).cite()
    assert "The alignment of the layers of llama and " in told
    assert " of the 1,024 items common to all layers" in told
    assert "Layers llama-1 (version 4) and 2 were chosen" in told


def test_the_layers_of_a_control_are_told():
    def beside(interval, **told):
        values = {"layer_scores": np.zeros((3, 2)), "best_layers": (2, 1), **told}
        untrained = SpaceUse("groups/untrained", "", 0)
        control = Control(untrained, "x", {10: at_k(score=0.05)}, {10: Difference(0.085, interval)}, **values)
        return report(controls={"untrained": control}).cite()

    layers = {"x_layers": tuple(SpaceUse(f"untrained-{at}", "u", 4) for at in range(3))}
    half = beside(Interval(0.07, 0.1), layer_selection="split_half", selection_n=512, **layers)
    assert "(layers untrained-2 (version 4) and 1, of 6 pairs, chosen on the same half): 0.050" in half
    assert "(paired over the items)" in half
    top = beside(None, layer_selection="max", **layers)
    assert "of 6 pairs, its maximum): 0.050, difference +0.085 (differences of maxima, without interval)." in top
    assert "paired over the items" not in top
    one = beside(Interval(0.07, 0.1), layer_scores=np.zeros((1, 2)), best_layers=(0, 1), selection_n=512)
    assert "(layer 1, of 2 pairs, chosen on the same half)" in one
    assert "(layer" not in beside(Interval(0.07, 0.1), layer_scores=np.zeros((1, 1)), best_layers=(0, 0))


def test_the_figure_of_differences_says_whether_they_have_intervals():
    pytest.importorskip("matplotlib")
    for interval, title in ((Interval(0.07, 0.1), "differences, paired over the items"), (None, "differences, without interval")):
        control = Control(SpaceUse("pixels", "w", 2), "x", {10: at_k(score=0.05)}, {10: Difference(0.085, interval)})
        drawn = report(controls={"pixels": control}).figures()["controls"]()
        assert title in [axes.get_title(loc) for axes in drawn.axes for loc in ("left", "center")]


def test_what_decides_predictivity_and_svcca_is_told():
    fit = LinearFit(np.array([0.5]), "pearson", "median", 4, "run", (0.1, 1.0), (3, 1), 12)
    text = report(at_k(0, fit=fit), metric="linear_predictivity").cite()
    told = "(median Pearson r of the second space's columns, ridge regression, 4 folds, 12 groups of 'run' in one fold each, "
    assert f"{told}each column's penalty chosen by generalised cross-validation from 0.1 and 1 times the mean eigenvalue)" in text
    assert "of the 10 strongest components" in report(at_k(0, components_x=10, components_y=10), metric="svcca").cite()
    assert "of the 10 and 12 strongest components" in report(at_k(0, components_x=10, components_y=12), metric="svcca").cite()


def test_the_form_of_a_metric_and_what_was_left_out_is_told():
    cca = dataclasses.replace(at_k(0), components_x=7, components_y=5)
    assert "of 7 and 5 directions over" in report(cca, metric="cca").cite()
    assert "12 near-duplicates, of cosine 0.95 or more, were left out" in report(deduplicate=0.95, duplicates=12).cite()
    assert "of sigma 1.500 and 2.000 over" in report(at_k(0), metric="rbf_cka", bandwidths=(1.5, 2.0)).cite()
    text = report(at_k(0), metric="rsa", rdm_distance="correlation", rdm_comparison="spearman").cite()
    assert ", Spearman's rho of correlation distances, over" in text
    assert "a sample of 50,000 by a hash" in report(sampled_items=SampledItems(1024, 50_000)).cite()
    assert "items of equal scene compared as one thing, 40 of them" in report(group_by="scene", groups=40).cite()
    assert "queries chosen by a hash of their ids in strata of label" in report(n=9, query_sampling="stratified", strata="label").cite()
    given = Given(SpaceUse("pixels", "w", 2), 5, 1030, 0.25, 0.5)
    beyond = report(given=given).cite()
    assert "over the 1,024 residuals of the 1,030 items common to all (below), from" in beyond
    assert beyond.count("1,030") == 1
    assert "common to both" not in beyond
    assert "on pixels (version 2), which spans 5 dimensions and explains 25.0% and 50.0%" in beyond
    half = report(given=given, selection_n=512, layers_n=1024, n=512, gallery=512).cite()
    assert "over the 512 of the 1,024 residuals of the 1,030 items common to all (below)" in half
    asked = report(given=given, n=256, query_sampling="given").cite()
    assert "256 queries given among the 1,024 residuals of the 1,030 items" in asked


def test_arrays_and_reports_without_a_null():
    bare = dataclasses.replace(at_k(0), p_value=None, calibrated=None)
    text = report(bare, metric="cka", x=None, y=None, permutations=0).cite()
    assert "the first array and the second array" in text
    assert "of the array x and" in report(x=SpaceUse("x", "u", 0)).cite()
    assert not any(word in text for word in ("Significance", "Calibrated", "k = ", "nearness", "Controls"))


def test_entries_of_stored_matrices_are_told_by_their_rule():
    entry = AlignmentAtK(k=0, score=0.5, chance=0, excess=0.5, interval=Interval(0.4, 0.6))
    one = report(entry, metric="cka", kernel_rule_x="-d^2/2")
    assert "the vectors as stored and entries of the stored matrix of clip (version 3) as -d^2/2" in one.cite()
    both = report(entry, metric="rsa", kernel_rule_x="d", kernel_rule_y="-s", rdm_distance="correlation", rdm_comparison="pearson")
    assert "from entries of the stored matrices of clip (version 3) as d and bge (version 8) as -s" in both.cite()
    assert repr(both).startswith("rsa (pearson of stored matrices) = 0.500")
