"""What weakens the answer on an upgrade, in plain sentences."""

from consilience_server.app.upgrade_fit import FittedUpgrade
from consilience_server.app.upgrade_items import Asked
from consilience_server.app.upgrade_judgements import Judged
from consilience_server.app.upgrade_query import DEPTH

_SMALL = 100 * DEPTH


def upgrade_notes(
    items: tuple[int, int, int],
    asked: Asked,
    fitted: FittedUpgrade | None,
    judged: Judged | None,
    slices: int | None,
    *,
    copied: int,
    finds: bool,
) -> list[str]:
    """The notes of a report.

    Args:
        items: of the old space, of the new one, of both.
        asked: who asks.
        fitted: the bridge, None where there were too few pairs.
        judged: the judgements, or None.
        slices: how many are judged, or None.
        copied: queries of spaces of their own that have a near-copy among the items.
        finds: whether full re-embedding finds anything.
    """
    notes = []
    old, new, n = items
    for side, count in (("old", old), ("new", new)):
        if count > n:
            notes.append(f"{count - n:,} items of the {side} space have no vector in the other and were left out of the gallery")
    if old > n:
        notes.append(f"the gallery searched has {n:,} items, not {old:,}: a smaller one is easier, and more is kept in it")
    if n < _SMALL:
        notes.append(f"by chance {DEPTH / (n - 1):.1%} of the {DEPTH} nearest are found among {n:,} items")
    if asked.fitted:
        notes.append(f"{asked.fitted:,} queries were left out because the bridge was fitted on them")
    if asked.unknown:
        notes.append(f"{asked.unknown:,} judged queries are not in both spaces")
    if copied:
        notes.append(
            f"{copied:,} queries have a near-copy among the items, which any way finds first: this flatters what is kept; ask others"
        )
    if judged is not None:
        notes.extend(judged.notes)
    if not finds:
        notes.append("full re-embedding finds none of the relevant items, so nothing can be told of what is kept")
    if fitted is None:
        notes.append("too few pairs are left for a bridge, so none was measured: give more items in both spaces, or ask fewer queries")
    else:
        notes.extend(fitted.notes)
    if slices is not None:
        notes.append(
            f"{slices:,} slices are judged: to pass, all queries and every slice must, each by its own 95% interval; a failure is "
            "corrected for all tests (Bonferroni)"
        )
    return notes
