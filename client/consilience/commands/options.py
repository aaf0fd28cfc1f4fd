"""Options that several commands have."""

from pathlib import Path
from typing import Annotated, Any

import typer

from consilience.commands.connected import read_lines
from consilience.errors import InvalidArgumentError

KOption = Annotated[str, typer.Option("-k", "--k", help="Neighbours, or a share of the items (n/100); commas between several.")]
_METRICS = (
    "mutual_knn, cycle_knn, lcs_knn, edit_distance_knn, cknna, cknna_paper, cknna_centred, cka, unbiased_cka, cca, svcca, procrustes, "
    "angular_shape, linear_predictivity, rsa or rbf_cka."
)
MetricOption = Annotated[str, typer.Option(help=_METRICS)]
PreprocessOption = Annotated[
    str, typer.Option(help="none, centre, standardize, unit, or platonic_rep (the paper's clip and normalisation).")
]
PermutationsOption = Annotated[int, typer.Option(help="Of the null; 0 skips it.")]
SeedOption = Annotated[int, typer.Option(help="Of the permutations.")]
AlphaOption = Annotated[float, typer.Option(help="Level of the calibrated score.")]
IntervalOption = Annotated[
    str | None,
    typer.Option("--interval", help="Of the sampling of items or queries; queries where some are asked.", show_default="items"),
]
ConfidenceOption = Annotated[float, typer.Option(help="Coverage of the interval.")]
ComponentsOption = Annotated[int, typer.Option(help="Principal components of each space that svcca compares.")]
TargetScoreOption = Annotated[str, typer.Option(help="Of a column that linear_predictivity predicts: r2 or pearson.")]
AggregateOption = Annotated[str, typer.Option(help="Of the columns' scores of linear_predictivity: mean or median.")]
FoldsOption = Annotated[int, typer.Option(help="Of the cross-validation of linear_predictivity.")]
FoldsByOption = Annotated[str, typer.Option(help="Attribute (of .npz files: array) whose groups stay in one fold.")]
PenaltiesOption = Annotated[
    str | None, typer.Option(help="Ridge penalties of linear_predictivity, commas between several.", show_default=".0001,.001 .. 1000")
]
ContextOption = Annotated[bool, typer.Option("--context", help="Hubness, intrinsic dimension and effective rank of each space too.")]
RdmDistanceOption = Annotated[str, typer.Option(help="Of rsa: correlation, cosine, euclidean or squared_euclidean.")]
RdmComparisonOption = Annotated[str, typer.Option(help="Of rsa: spearman, pearson, kendall_tau_b, kendall_tau_a or cosine.")]
BandwidthOption = Annotated[str, typer.Option(help="Sigma of rbf_cka: median, a multiple of it (0.5*median), or a number.")]
SampleItemsOption = Annotated[
    str | None,
    typer.Option(
        help="Items that rsa and rbf_cka compare, chosen by hash where there are more, or all.", show_default="2048; 512 for Kendall"
    ),
]
SampleOption = Annotated[int, typer.Option("--sample-queries", help="Ask this many items, chosen by hash, against all; 0 asks all.")]
StrataOption = Annotated[str | None, typer.Option(help="Attribute whose values --sample-queries are shared among in proportion.")]
GroupByOption = Annotated[str | None, typer.Option(help="Attribute whose equal values are the same thing, such as group_id.")]
DeduplicateOption = Annotated[float, typer.Option(help="Cosine from which items are near-duplicates, one of which is kept; 0 keeps all.")]
QueriesOption = Annotated[Path | None, typer.Option("--query-ids", help="Ask the items of this file, one id a line, against all.")]
ControlOption = Annotated[
    list[str] | None,
    typer.Option(
        "--control",
        help="Space, group or .npy file (commas between layers) beside the score, in the place of x (`pixels`) or y (`pixels:y`); repeat.",
    ),
]
GivenOption = Annotated[str | None, typer.Option(help="A third space (or .npy file): align what it does not explain of the two.")]
StopOption = Annotated[int, typer.Option("--stop-after", help="End the permutations once so many score as high: a p alone, sooner.")]
WithinOption = Annotated[str, typer.Option(help="Attribute (of .npz files: array) whose groups restrict the random pairings.")]
KernelOption = Annotated[
    str | None,
    typer.Option(help="For a file that is a matrix over its items: similarity, dissimilarity, euclidean or squared_euclidean distances."),
]
LayerSelectionOption = Annotated[
    str, typer.Option(help="Where a side has layers: split_half (chosen on one half of the items, scored on the other) or max.")
]
CorrectionOption = Annotated[str, typer.Option(help="none, csls, inverted_softmax, margin_ratio or margin_distance.")]


def sampling_options(interval: str | None, sample_queries: int, query_ids: Path | None) -> dict[str, Any]:
    """The keywords of a call that choose queries and interval; what is not given is left out."""
    told = {"interval_kind": interval, "query_ids": None if query_ids is None else read_lines(query_ids, "query_ids")}
    return {"sample_queries": sample_queries, **{name: value for name, value in told.items() if value is not None}}


def parse_controls(given: list[str] | None) -> dict[str, str]:
    """`pixels` and `pixels:y`: each control with the side whose place it takes."""
    parted = (control.rpartition(":") if control.endswith((":x", ":y")) else (control, ":", "x") for control in given or ())
    return {name: side for name, _, side in parted}


def predictivity_options(target_score: str, aggregate: str, folds: int, penalties: str | None) -> dict[str, Any]:
    """The keywords of a call that linear predictivity reads; InvalidArgumentError where penalties are no numbers."""
    told: dict[str, Any] = {"target_score": target_score, "aggregate": aggregate, "folds": folds}
    if penalties is not None:
        told["penalties"] = parse_penalties(penalties)
    return told


def parse_penalties(penalties: str) -> list[float]:
    """`.01,1,100`; InvalidArgumentError where they are no numbers."""
    try:
        return [float(part) for part in penalties.split(",")]
    except ValueError:
        raise InvalidArgumentError(
            f"penalties is {penalties!r}; give numbers of 0 or more, separated by commas", field="penalties"
        ) from None


def pairwise_options(distance: str, comparison: str, bandwidth: str, sample_items: str | None) -> dict[str, Any]:
    """The keywords of a call that `rsa` and `rbf_cka` read."""
    told: dict[str, Any] = {"rdm_distance": distance, "rdm_comparison": comparison, **_parse_bandwidth(bandwidth)}
    if sample_items is not None:
        told["sample_items"] = int(sample_items) if sample_items.isdecimal() else sample_items
    return told


def _parse_bandwidth(text: str) -> dict[str, float]:
    """`median`, `0.5*median` or `1.0`; InvalidArgumentError else."""
    factor, times, rest = text.rpartition("*")
    try:
        if rest.strip() == "median":
            return {"bandwidth_factor": float(factor)} if times else {}
        return {"bandwidth": float(text)}
    except ValueError:
        raise InvalidArgumentError(
            f"bandwidth is {text!r}; give median, a multiple like 0.5*median, or a number", field="bandwidth"
        ) from None


def parse_ks(text: str) -> list[int | float | str]:
    """`10`, `10,50` or `10,n/100`; InvalidArgumentError else."""
    return [parse_one_k(part) for part in text.split(",")]


def parse_one_k(text: str) -> int | float | str:
    """`10`, `n/100` or `.01`; InvalidArgumentError else."""
    if "/" in text:
        return text.strip()
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        expected = "give whole numbers, then shares of the items like n/100, separated by commas"
        raise InvalidArgumentError(f"k is {text!r}; {expected}", reason="INVALID_K", field="k") from None
