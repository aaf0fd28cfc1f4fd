"""`consilience report`: how far spaces agree, as one page of HTML."""

from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from consilience._report_page import write_report
from consilience._sync.client import Client
from consilience.commands.connected import Answer, shows_progress
from consilience.commands.options import KOption, MetricOption, PermutationsOption, PreprocessOption, SeedOption, parse_ks
from consilience.errors import InvalidArgumentError

if TYPE_CHECKING:
    from consilience._results.base import Result


def report(
    client: Client,
    spaces: Annotated[list[str], typer.Argument(help="Spaces (`clip`, `clip@7`), at least two.")],
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="The page, ending in .html.")] = Path("report.html"),
    title: Annotated[str, typer.Option(help="Of the page.")] = "",
    pairs: Annotated[bool, typer.Option("--pairs/--no-pairs", help="A section for each pair as well.")] = True,
    k: KOption = "10",
    metric: MetricOption = "mutual_knn",
    preprocess: PreprocessOption = "none",
    permutations: PermutationsOption = 999,
    seed: SeedOption = 0,
) -> Answer:
    """Compare spaces and write one self-contained page with figures, numbers and what is needed to repeat them.

    More than two spaces: the matrix over the items common to all, then each pair over the items that it shares.
    """
    if len(spaces) < 2:
        raise InvalidArgumentError("a report needs two or more spaces", field="spaces")
    ks = parse_ks(k)
    results: list[Result] = []
    if len(spaces) > 2:
        results.append(
            client.align_matrix(
                spaces,
                k=ks[0],
                metric=metric,
                preprocess=preprocess,
                permutations=permutations,
                seed=seed,
                progress=shows_progress(),
            )
        )
    if pairs or len(spaces) == 2:
        results.extend(
            client.align(x, y, k=ks, metric=metric, preprocess=preprocess, permutations=permutations, seed=seed, progress=shows_progress())
            for x, y in combinations(spaces, 2)
        )
    write_report(output, results, title=title or f"Alignment of {', '.join(spaces)}")
    told = "\n".join("\n".join(filter(None, [result.subject(), result.text()])) for result in results)
    return Answer(f"{told}\n{output}", {"path": str(output), "results": [result.to_dict() for result in results]})
