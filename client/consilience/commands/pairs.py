"""`consilience pairs`: pairs across two spaces."""

from pathlib import Path
from typing import Annotated, Any

import typer

from consilience._sync.client import Client
from consilience.commands.bridge import parse_pairs
from consilience.commands.connected import Answer, answer, read_lines, shows_progress


def pairs(
    client: Client,
    source: Annotated[str, typer.Argument(help="A space.")],
    target: Annotated[str, typer.Argument(help="The other.")],
    *,
    bridge: Annotated[str | None, typer.Option(help="Maps the source into the target.")] = None,
    mode: Annotated[str, typer.Option(help="intersect (each other's best), forward, backward, or max (one-to-one).")] = "intersect",
    correction: Annotated[str, typer.Option(help="none, csls, margin_ratio or margin_distance.")] = "none",
    correction_k: Annotated[
        int | None, typer.Option(help="Neighbourhood of the correction.", show_default="10 for csls, 4 for margins")
    ] = None,
    threshold: Annotated[float | None, typer.Option(help="Only pairs of at least this score.")] = None,
    limit: Annotated[int, typer.Option(help="At most this many; 0 is all.")] = 0,
    known: Annotated[Path | None, typer.Option(help="Known pairs: text file with an id a line, or source, tab, target.")] = None,
    known_attribute: Annotated[str | None, typer.Option(help="Attribute whose equal values are partners, such as group_id.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Parquet file to write; what was interrupted goes on.")] = None,
    restart: Annotated[bool, typer.Option("--restart", help="With --out: begin anew.")] = False,
) -> Answer:
    """Pairs across two spaces, best first: a line a pair, with both ids and the score between tabs.

    With known pairs, precision and recall by them are told on standard error.
    """
    known_ids, partners = (None, None) if known is None else parse_pairs(read_lines(known, "known"))
    options: dict[str, Any] = {
        "bridge": bridge,
        "mode": mode,
        "correction": correction,
        "correction_k": correction_k,
        "threshold": threshold,
        "limit": limit,
        "known_pair_ids": known_ids,
        "known_target_ids": partners,
        "known_attribute": known_attribute,
        "progress": shows_progress(),
    }
    if out is not None:
        return answer(client.export_mutual_pairs(source, target, out, resume=not restart, **options))
    result = client.mutual_pairs(source, target, wait=True, **options)
    if result.agreement is not None:
        typer.echo(repr(result.agreement), err=True)
    rows = zip(result.source_ids, result.target_ids, result.scores.tolist(), strict=True)
    return Answer("\n".join(f"{left}\t{right}\t{score:.6f}" for left, right, score in rows), result.to_dict())
