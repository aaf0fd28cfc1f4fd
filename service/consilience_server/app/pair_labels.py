"""Classes of pairs, for what tells them apart."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.call import Call
from consilience_server.app.item_values import item_values
from consilience_server.app.known_pairs import KnownPairs
from consilience_server.app.snapshots import Snapshots
from consilience_server.core.errors import InvalidArgument, InvalidAttribute, ShapeMismatch
from consilience_server.engine.snapshot import Snapshot


def check_labels(labels: Sequence[str], attribute: str, item_ids: Sequence[str]) -> None:
    """InvalidArgument where both name the classes, ShapeMismatch where labels and ids are not as many."""
    if labels and attribute:
        raise InvalidArgument("labels and labels_attribute both name the classes; give one of them", field="labels")
    if labels and len(labels) != len(item_ids):
        raise ShapeMismatch(f"{len(labels):,} labels came with {len(item_ids):,} item_ids; label i is that of item_ids[i]", field="labels")


def check_shared(labels: NDArray[np.object_], attribute: str) -> None:
    """InvalidAttribute where no two pairs have one label, so that a probe could learn none of them from others.

    Args:
        labels: (n,) text.
        attribute: where they come from; empty: from the request.
    """
    if len(set(labels.tolist())) == len(labels):
        raise InvalidAttribute(
            f"each of the {len(labels):,} pairs has a label of its own, so a probe can learn none from other pairs; give labels that "
            "several pairs share",
            field="labels_attribute" if attribute else "labels",
        )


async def pair_labels(
    snapshots: Snapshots,
    call: Call,
    labels: Sequence[str],
    attribute: str,
    item_ids: Sequence[str],
    pairs: KnownPairs,
    spaces: tuple[Snapshot, Snapshot],
) -> NDArray[np.object_] | None:
    """The class of each pair as text, (n,); None where none is asked for.

    Args:
        snapshots: of the attributes.
        call: the caller.
        labels: one for each of `item_ids`, or empty.
        attribute: of either space, or empty.
        item_ids: as asked.
        pairs: some of them.
        spaces: source and target.

    Raises:
        InvalidAttribute: no such attribute, a pair without a value, one class for all.
    """
    if labels:
        given = dict(zip(item_ids, labels, strict=True))
        found = [given[item] for item in pairs.source_ids]
    elif attribute:
        sides = zip(spaces, (pairs.source_rows, pairs.target_rows), strict=True)
        columns = {space.name: await snapshots.attributes(call, space, rows) for space, rows in sides}
        found = [str(value) for value in item_values(attribute, columns, pairs.source_ids.tolist(), "labels_attribute")]
    else:
        return None
    if len(set(found)) < 2:
        raise InvalidAttribute(
            f"all {len(found):,} pairs have one label, so nothing can be told apart; give pairs of others",
            field="labels" if labels else "labels_attribute",
        )
    return np.array(found, dtype=object)
