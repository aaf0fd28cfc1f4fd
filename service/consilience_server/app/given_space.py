"""Alignment beyond a third space: what is left of the others once it has explained what it can, as spaces of their own."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.alignment_spec import AlignmentSpec, GroupQuery, SpaceQuery
from consilience_server.app.call import Call
from consilience_server.app.compute import ComputePool
from consilience_server.app.joined_scores import JoinedScores, of_sides
from consilience_server.app.joins import Join
from consilience_server.app.metric_families.registry import FAMILY_OF
from consilience_server.app.reports import Given, SpaceUse
from consilience_server.app.tables import item_digest
from consilience_server.core.errors import InvalidArgument, KernelSpace, NotServed
from consilience_server.core.partial import Partial, beyond
from consilience_server.engine.snapshot import Snapshot


@dataclass(frozen=True)
class Beyond:
    """The residuals of spaces as snapshots over the items that are left, and what the report tells of them and their preprocessing.

    Attributes:
        explained: of each of the snapshots the share of its variance that the given space explains.
        rows: (m,) the place of each item that is left in the join before.
    """

    snapshots: Sequence[Snapshot]
    joined: Join
    given: Given
    explained: Sequence[float]
    rows: NDArray[np.int64]
    clips: Sequence[float]
    constant_columns: Sequence[int]


def check_given(x: SpaceQuery | GroupQuery, y: SpaceQuery | GroupQuery, given: SpaceQuery, spec: AlignmentSpec) -> None:
    """Refuse a side as the given space, and what `check_beyond` refuses."""
    if given in (x, y):
        raise InvalidArgument(f"{given.name!r} is a side of this alignment; nothing of it would be left beyond itself", field="given")
    check_beyond(spec)


def check_beyond(spec: AlignmentSpec) -> None:
    """Refuse what residuals cannot be asked: their rows are exchangeable among all items alone."""
    if spec.within:
        raise NotServed(
            "permutations within groups are not served beyond a given space; give the groups as one-hot vectors in that space instead",
            field="spec.within",
        )
    if spec.predictivity.folds_by:
        raise NotServed(
            "residuals mix items, so that folds by an attribute would leak; leave folds_by out", field="spec.predictivity.folds_by"
        )
    if spec.group_by:
        raise NotServed("residuals mix items, so that they belong to no group; leave group_by out", field="spec.group_by")
    if spec.asks_some:
        field = "spec.query_ids" if spec.query_ids else "spec.sample_queries"
        raise NotServed("a sample of queries is not served beyond a given space; ask all items", field=field)


def beyond_bytes(n: int, widths: Sequence[int], given: int) -> int:
    """Peak bytes of the residuals of spaces of these widths on a given one, over n items."""
    together = sum(widths) + given
    return 4 * n * together + 8 * n * (3 * max(*widths, given) + together + 4 * given)


@asynccontextmanager
async def beyond_given(
    call: Call,
    scores: JoinedScores,
    pool: ComputePool,
    snapshots: Sequence[Snapshot],
    joined: Join,
    spec: AlignmentSpec,
    names: Sequence[str] = ("x", "y"),
    stacks: Sequence[Sequence[int]] = (),
) -> AsyncIterator[Beyond]:
    """The residuals of all snapshots but the last, the given one; the preprocessing of the spec comes first and is not to be done again.

    All are of the same items, whose choice looks at the given space alone: layers of one model keep their rows together.

    Args:
        call: pays.
        scores: prepares the spaces.
        pool: computes.
        snapshots: x, y (or their layers) and controls, then the given space.
        joined: their common items.
        spec: every k a number.
        names: of x and y, or of their layers, for refusals; what follows are controls.
        stacks: as in `JoinedScores.sides`.

    Raises:
        KernelSpace: one of them is no space of vectors.
        ConstantFeatures, TooFewItems: as in `core/partial.py`.
    """
    for snapshot in snapshots:
        if snapshot.kernel is not None:
            name = snapshot.name.removeprefix("spaces/")
            raise KernelSpace(
                f"{name} is a kernel: it has no vectors, which alignment beyond a given space is the regression of; leave given out",
                field="given",
            )
    given, n = snapshots[-1], joined.n
    least = max(FAMILY_OF[spec.metric].least_items, max(spec.ks) + 1 if FAMILY_OF[spec.metric].reads == "tables" else 0)
    async with scores.sides(call, snapshots, joined, spec, stacks) as sides:
        # Which items the residuals are of must not depend on the order of rows, which that of arrays' items may differ from.
        order = np.argsort(joined.ids, kind="stable")
        vectors = [side.vectors[order] for side in sides]
        nbytes = beyond_bytes(n, [side.shape[1] for side in vectors[:-1]], vectors[-1].shape[1])
        found = await pool.run(call, "statistics", lambda: beyond(vectors[:-1], vectors[-1], least, names), nbytes=nbytes)
        similarities = [side.similarity for side in sides[:-1]]
        clips = of_sides([side.clip for side in sides[: len(names)]], float("nan"))
        constant = of_sides([side.constant_columns for side in sides[: len(names)]], 0)
    ids = joined.ids[order][found.kept]
    left = Join(ids, tuple(np.arange(len(ids)) for _ in found.residuals), item_digest(ids.tolist()))
    with pool.holding(call, sum(4 * residuals.size for residuals in found.residuals)):
        made = [
            Snapshot(
                name=snapshot.name,
                # Residuals belong to all that they were computed from, and so do their tables and the hashes that decide their ties.
                uid=f"{snapshot.uid}|{given.uid}@{given.version}|{spec.preprocess}|{joined.digest}",
                version=snapshot.version,
                similarity=similarity,
                ids=ids,
                vectors=np.ascontiguousarray(residuals, dtype=np.float32),
            )
            for snapshot, similarity, residuals in zip(snapshots[:-1], similarities, found.residuals, strict=True)
        ]
        yield Beyond(made, left, _told(given, found, n), found.explained, order[found.kept], clips, constant)


def _told(given: Snapshot, found: Partial, n: int) -> Given:
    use = SpaceUse(given.name, given.uid, given.version)
    return Given(use, found.rank, n, found.explained[0], found.explained[1])
