"""`consilience curve`: alignment while the gallery grows."""

from typing import Annotated

import typer

from consilience._sync.client import Client
from consilience.commands.connected import Answer, answer, shows_progress
from consilience.commands.options import (
    AlphaOption,
    ConfidenceOption,
    DeduplicateOption,
    IntervalOption,
    KOption,
    MetricOption,
    PermutationsOption,
    PreprocessOption,
    SampleOption,
    SeedOption,
    parse_ks,
    sampling_options,
)
from consilience.errors import InvalidArgumentError


def curve(
    client: Client,
    x: Annotated[str, typer.Argument(help="A space (`clip`, `clip@7`).")],
    y: Annotated[str, typer.Argument(help="The other.")],
    *,
    k: KOption = "1,10,n/100",
    sizes: Annotated[str | None, typer.Option(help="Galleries, commas between; all items and halves of them where not given.")] = None,
    metric: MetricOption = "mutual_knn",
    preprocess: PreprocessOption = "none",
    permutations: PermutationsOption = 999,
    seed: SeedOption = 0,
    alpha: AlphaOption = 0.05,
    interval: IntervalOption = None,
    confidence: ConfidenceOption = 0.95,
    sample_queries: SampleOption = 0,
    deduplicate: DeduplicateOption = 0.0,
) -> Answer:
    """How alignment goes while the gallery grows, at fixed k and at shares of the items."""
    result = client.gallery_curve(
        x,
        y,
        ks=parse_ks(k),
        sizes=None if sizes is None else parse_sizes(sizes),
        metric=metric,
        preprocess=preprocess,
        permutations=permutations,
        seed=seed,
        alpha=alpha,
        confidence=confidence,
        progress=shows_progress(),
        deduplicate=deduplicate,
        **sampling_options(interval, sample_queries, None),
    )
    return answer(result)


def parse_sizes(text: str) -> list[int]:
    """`100,1000`; InvalidArgumentError else."""
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise InvalidArgumentError(f"sizes is {text!r}; give whole numbers with commas between", field="sizes") from None
