"""Options that several commands have."""

from typing import Annotated

import typer

from consilience.errors import InvalidArgumentError

KOption = Annotated[str, typer.Option("-k", "--k", help="Neighbours, or a share of the items (n/100); commas between several.")]
_METRICS = (
    "mutual_knn, cycle_knn, lcs_knn, edit_distance_knn, cknna, cknna_paper, cknna_centred, cka, unbiased_cka, cca, svcca, procrustes or "
    "angular_shape."
)
MetricOption = Annotated[str, typer.Option(help=_METRICS)]
PreprocessOption = Annotated[str, typer.Option(help="none, or platonic_rep (the paper's clip and normalisation).")]
PermutationsOption = Annotated[int, typer.Option(help="Of the null; 0 skips it.")]
SeedOption = Annotated[int, typer.Option(help="Of the permutations.")]
AlphaOption = Annotated[float, typer.Option(help="Level of the calibrated score.")]
IntervalOption = Annotated[str, typer.Option("--interval", help="What the interval speaks of: items or queries.")]
ConfidenceOption = Annotated[float, typer.Option(help="Coverage of the interval.")]
SampleOption = Annotated[int, typer.Option("--sample-queries", help="Ask this many items against the full gallery; 0 asks all.")]
ComponentsOption = Annotated[int, typer.Option(help="Principal components of each space that svcca compares.")]
CorrectionOption = Annotated[str, typer.Option(help="none or csls.")]


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
