"""`consilience gate`: whether an encoder can change without re-embedding, as an exit code."""

import json
from pathlib import Path
from typing import Annotated

import typer

from consilience._sync.client import Client
from consilience.commands.connected import Answer, answer, read_lines, shows_progress
from consilience.commands.exit_codes import KEEP, REEMBED, UNDECIDED
from consilience.errors import InvalidArgumentError

_CODES = {"drop_in": 0, "bridge": 0, "reembed": REEMBED, "undecided": UNDECIDED, "keep": KEEP}

ThresholdOption = Annotated[float | None, typer.Option(help="Share of full re-embedding that must be kept.", show_default=False)]


def gate(
    client: Client,
    old: Annotated[str, typer.Argument(help="The gallery as it is (`clip`, `clip@7`).")],
    new: Annotated[str, typer.Argument(help="The same items under the new encoder.")],
    *,
    recall_at_1: ThresholdOption = None,
    recall_at_5: ThresholdOption = None,
    recall_at_10: Annotated[
        float | None,
        typer.Option(help="Share of full re-embedding that must be kept.", show_default="0.9 where no threshold is given"),
    ] = None,
    mrr_at_10: ThresholdOption = None,
    ndcg_at_10: ThresholdOption = None,
    qrels: Annotated[
        Path | None, typer.Option(help="Judgements: lines of `query item grade`, or of TREC's `query 0 item grade`; or a JSON object.")
    ] = None,
    queries: Annotated[Path | None, typer.Option("--query-ids", help="Ask the queries of this file, one id a line.")] = None,
    query_spaces: Annotated[
        str | None, typer.Option(help="The queries under the old and the new encoder, with a comma between.", metavar="OLD,NEW")
    ] = None,
    sample_queries: Annotated[int, typer.Option(help="Queries to sample by hash.")] = 1000,
    bridge: Annotated[str | None, typer.Option(help="A bridge from NEW into OLD; without one it is fitted.")] = None,
    method: Annotated[str, typer.Option(help="Of the bridge that is fitted, as in `bridge fit`.")] = "auto",
    slices: Annotated[str | None, typer.Option(help="Attribute of the queries by whose values they are judged too.")] = None,
    prefix: Annotated[str | None, typer.Option(help="Text that ends the part of the id by which queries are judged instead.")] = None,
    seed: Annotated[int, typer.Option(help="Chooses sample and splits.")] = 0,
    reembed: Annotated[int, typer.Option(help="How many items to name that should be re-embedded first.")] = 1000,
) -> Answer:
    """Exit 0 where new queries may ask the old gallery, as they are or through a bridge; 7 re-embed, 8 undecided, 9 keep the old encoder.

    Decided by the lower end of the interval, for all queries and in every slice.
    """
    given = {"recall@1": recall_at_1, "recall@5": recall_at_5, "recall@10": recall_at_10, "mrr@10": mrr_at_10, "ndcg@10": ndcg_at_10}
    thresholds = {measure: least for measure, least in given.items() if least is not None} or {"recall@10": 0.9}
    result = client.evaluate_upgrade(
        old,
        new,
        queries=None if queries is None else read_lines(queries, "query_ids"),
        query_spaces=None if query_spaces is None else parse_spaces(query_spaces),
        sample_queries=sample_queries,
        qrels=None if qrels is None else parse_qrels("\n".join(read_lines(qrels, "judgements"))),
        thresholds=thresholds,
        bridge=bridge,
        method=method,
        slices=slices,
        prefix=prefix,
        seed=seed,
        reembed=reembed,
        progress=shows_progress(),
    )
    told = answer(result)
    return Answer(told.text, told.data, _CODES.get(result.verdict, UNDECIDED), told.results)


def parse_spaces(text: str) -> tuple[str, str]:
    """`old-queries,new-queries`; InvalidArgumentError else."""
    old, comma, new = text.partition(",")
    if not (old and comma and new) or "," in new:
        raise InvalidArgumentError(f"query_spaces is {text!r}; give two spaces with a comma between", field="query_spaces")
    return old, new


def parse_qrels(text: str) -> dict[str, dict[str, float]]:
    """Judgements as TREC writes them (`query 0 item grade`), without the 0, or as a JSON object; InvalidArgumentError else."""
    try:
        if text.lstrip().startswith("{"):
            told = json.loads(text)
            listed = {query: dict.fromkeys(items, 1.0) if isinstance(items, list) else dict(items) for query, items in told.items()}
            return {query: {item: float(grade) for item, grade in items.items()} for query, items in listed.items()}
        found: dict[str, dict[str, float]] = {}
        for line in filter(str.strip, text.splitlines()):
            parts = line.split("\t") if "\t" in line else line.split()
            query, item, grade = parts if len(parts) == 3 else (parts[0], parts[2], parts[3])
            found.setdefault(query, {})[item] = float(grade)
    except (ValueError, TypeError, IndexError, AttributeError) as error:
        raise InvalidArgumentError(
            f"the judgements cannot be read: {error}; give lines of `query item grade` or a JSON object", field="judgements"
        ) from None
    return found
