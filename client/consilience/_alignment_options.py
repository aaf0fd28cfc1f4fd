"""How an alignment is measured: the keywords that all alignment calls share, told once."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, TypedDict


class AlignmentOptions(TypedDict, total=False):
    """How an alignment is measured, beside the spaces, k and metric: keywords of `align`, `align_arrays` and `align_matrix`.

    Attributes:
        preprocess: `none`, `centre` (columns less their mean over the common items), `standardize` (z-scored columns, divisor n; constant
            ones are left out and counted), `unit` (rows to unit length), or `platonic_rep` (the paper's clip and normalisation).
        permutations: of the null behind p_value and calibrated, 999 by default; 0 skips it.
        seed: of the permutations, 0 by default.
        alpha: level of the calibrated score, .05 by default.
        interval_kind: `items` (sampling of items, the default) or `queries` (sampling of queries from the gallery; the default, and the
            only one, where some items are asked).
        confidence: coverage of the interval, .95 by default.
        components: principal components of each space that `svcca` compares, 10 by default.
        target_score: of a column of y that `linear_predictivity` predicts, `r2` (the default) or `pearson`.
        aggregate: what makes one score of the columns', `mean` (the default) or `median`.
        folds: of its cross-validation, 5 by default; items are spread by their hash.
        folds_by: attribute of the items whose groups stay in one fold, and are left out whole for the interval; `align_arrays` takes one
            label a row instead.
        penalties: ridge penalties that each column's is chosen from on the training items alone, in units of the mean eigenvalue of their
            X'X; one number fixes it, 0 is least squares. By default .0001, .001 .. 1000.
        context: describe either side by itself too, `report.context_x` and `context_y`: hubness and intrinsic dimension, which metrics of
            neighbours have at hand anyway, at k or 10, and effective rank. Of layers each (`layer_contexts_x`), and of the spaces of a
            matrix (`matrix.contexts`).
        rdm_distance: between two items, for `rsa`: `correlation` (1 - Pearson's r, the default), `cosine`, `euclidean` or
            `squared_euclidean`.
        rdm_comparison: of two matrices, for `rsa`: `spearman` (the default), `pearson`, `kendall_tau_b`, `kendall_tau_a` or `cosine`.
        bandwidth: sigma of `rbf_cka`; None, the default, is bandwidth_factor times the median distance, each space its own.
        bandwidth_factor: of the median, 1 by default.
        sample_items: `rsa` and `rbf_cka` compare all pairs of items, so from more than 2,048 of them (512 for Kendall's tau) they take a
            sample, those of smallest hash: the same in every space and version, named in `report.sampled_items`. A number asks another
            size, `"all"` asks all; what that costs is the server's to refuse.
        sample_queries: ask this many items, those of smallest hash, against all: the same in every space and version. 0, the default, and
            as many as there are ask all. For metrics that need the queries' lists alone: `mutual_knn`, `lcs_knn`, `edit_distance_knn`.
        query_ids: ask these items against all; not for arrays.
        strata: attribute of the items whose values the queries are sampled from in proportion, two of each at least: a narrower interval
            where strata differ in agreement. Needs `sample_queries`; not for arrays.
        group_by: attribute whose equal values are the same thing, such as `group_id` of five captions of one image: the own group is left
            out of an item's lists, and a neighbour counts where its group is in the other list. Of `mutual_knn`, not of layers.
        deduplicate: cosine from which items are near-duplicates, such as .999, or 1 for equal directions: one of each cluster is kept, and
            `report.duplicates` counts the rest. 0, the default, keeps all.
        stop_after: draw permutations one by one until this many score as high, `permutations` at the most: a valid p at little cost where
            there is nothing, without calibrated score and null. 0, the default, draws all. Not for `align_matrix`.
        within: attribute of the items whose groups restrict the random pairings; `align_arrays` takes one label a row instead. An item is
            only exchanged with others of its group, so that "both see the class" is part of chance and not mistaken for more.
        layer_selection: how a pair of layers is chosen where a side has several. `split_half`, the default: on one half of the items, and
            scored on the other; the maximum over all pairs is told beside it (`maximum`). `max`: the maximum, calibrated as a maximum.
    """

    preprocess: str
    permutations: int
    seed: int
    alpha: float
    interval_kind: str
    confidence: float
    components: int
    target_score: str
    aggregate: str
    folds: int
    folds_by: Any
    penalties: float | Sequence[float]
    context: bool
    rdm_distance: str
    rdm_comparison: str
    bandwidth: float | None
    bandwidth_factor: float
    sample_items: int | str | None
    sample_queries: int
    query_ids: Sequence[str]
    strata: str | None
    group_by: str | None
    deduplicate: float
    within: Any
    layer_selection: str
    stop_after: int


def check_options(options: Mapping[str, Any], known: type = AlignmentOptions) -> None:
    """Every keyword is an option. TypeError, as for any call with a wrong keyword."""
    unknown = [name for name in options if name not in known.__annotations__]
    if unknown:
        near = get_close_matches(unknown[0], known.__annotations__, 1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(sorted(known.__annotations__))}"
        raise TypeError(f"unexpected keyword argument {unknown[0]!r}{hint}")
