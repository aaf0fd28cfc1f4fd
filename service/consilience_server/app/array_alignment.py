"""The alignment of arrays that are stored nowhere."""

import asyncio

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.alignment_query import check_spec
from consilience_server.app.alignment_spec import AlignmentLimits, AlignmentSpec
from consilience_server.app.array_layers import ArrayLayers, check_array, cut_layers
from consilience_server.app.arrays_beside import NOTHING_BESIDE, ArraysBeside, sides_beside, snapshots_beside
from consilience_server.app.call import Call
from consilience_server.app.compute import ComputePool
from consilience_server.app.content_ids import content_ids
from consilience_server.app.given_space import check_beyond
from consilience_server.app.item_groups import numbered
from consilience_server.app.joins import Join
from consilience_server.app.layered_alignment import LayeredAlignment
from consilience_server.app.pair_reports import PairReports
from consilience_server.app.reports import AlignmentReport
from consilience_server.app.tables import item_digest
from consilience_server.core.errors import InvalidArgument, NotServed, ShapeMismatch
from consilience_server.core.kernel_kind import KernelKind
from consilience_server.core.similarity import Similarity
from consilience_server.engine.snapshot import Snapshot


class ArrayAlignment:
    """Measures two arrays, or the layers of two models; nothing is stored and nothing cached but neighbour tables."""

    def __init__(self, pairs: PairReports, layered: LayeredAlignment, pool: ComputePool, limits: AlignmentLimits) -> None:
        self._pairs = pairs
        self._layered = layered
        self._pool = pool
        self._limits = limits

    async def align(
        self,
        call: Call,
        x: NDArray[np.float32],
        y: NDArray[np.float32],
        similarity: Similarity,
        spec: AlignmentSpec,
        groups: NDArray[np.integer] | None = None,
        kernels: tuple[KernelKind | None, KernelKind | None] = (None, None),
        layers: tuple[ArrayLayers | None, ArrayLayers | None] = (None, None),
        folds: NDArray[np.int64] | None = None,
        beside: ArraysBeside = NOTHING_BESIDE,
    ) -> AlignmentReport:
        """The alignment of two arrays whose row i is the same item; nothing is stored and nothing cached.

        Items are named by their content, so the answer does not depend on the order of the rows. Random pairings stay within `groups`, one
        number an item, where they are given. A side that is a kernel is its matrix. A side with `layers` holds them one beside the other.
        Rows of equal `folds` stay in one fold of a cross-validation. Arrays `beside` them are controls, and one beyond which they are
        aligned.
        """
        check_spec(spec, self._limits)
        _check_arrays(spec, len(x), len(y))
        if layers == (None, None):
            for name, array, kernel in (("x", x, kernels[0]), ("y", y, kernels[1])):
                await asyncio.to_thread(check_array, array, similarity, kernel, name)
        are_kernels = (kernels[0] is not None, kernels[1] is not None)
        ids = await self._pool.run(call, "load", lambda: content_ids(x, y, kernels=are_kernels), nbytes=x.nbytes + y.nbytes)
        # The digest as a version would not fit a space: arrays are their own, keyed by content, so that a repeat finds its tables.
        digest = await asyncio.to_thread(item_digest, ids.tolist())
        rows, of_items = np.arange(len(ids)), None
        if groups is not None:
            if len(groups) != len(x):
                raise ShapeMismatch(f"within_groups has {len(groups):,} entries for {len(x):,} rows", field="header.within_groups")
            of_items = numbered("", groups, "header.within_groups")
        if folds is not None and len(folds) != len(x):
            raise ShapeMismatch(f"fold_groups has {len(folds):,} entries for {len(x):,} rows", field="header.fold_groups")
        if beside.given is not None:
            _check_beyond(spec, has_groups=of_items is not None, has_folds=folds is not None)
        if layers != (None, None) or beside.has_layers:
            with self._pool.holding(call, x.nbytes + y.nbytes + sum(control.array.nbytes for control in beside.controls)):
                cut = [
                    await asyncio.to_thread(cut_layers, field, array, of_side, similarity, kernel, ids, digest)
                    for field, array, of_side, kernel in zip(("x", "y"), (x, y), layers, kernels, strict=True)
                ]
                controls, given = await asyncio.to_thread(sides_beside, beside, similarity, ids, digest)
                count = sum(len(side.layers) for side in (*cut, *(control.side for control in controls))) + (given is not None)
                joined = Join(ids, (rows,) * count, digest, folds)
                return await self._layered.report(call, cut[0], cut[1], joined, spec, of_items, controls, given)
        snapshots = tuple(
            Snapshot(name, f"{name}-{digest}", 0, similarity, ids, array, kernel)
            for name, array, kernel in (("x", x, kernels[0]), ("y", y, kernels[1]))
        )
        if not beside:
            return await self._pairs.report(call, (snapshots[0], snapshots[1]), Join(ids, (rows, rows), digest, folds), spec, of_items)
        others = await self._pool.run(call, "load", lambda: snapshots_beside(beside, similarity, ids, digest), nbytes=x.nbytes)
        every, sides = [*snapshots, *others], [control.in_place_of for control in beside.controls]
        joined = Join(ids, (rows,) * len(every), digest, folds)
        if beside.given is None:
            return await self._pairs.report(call, every, joined, spec, of_items, sides)
        return await self._pairs.report_beyond(call, every, joined, spec, sides)


def _check_beyond(spec: AlignmentSpec, *, has_groups: bool, has_folds: bool) -> None:
    """Refuse what residuals cannot be asked: NotServed."""
    if has_groups:
        raise NotServed("permutations within groups are not served beyond a given array", field="header.within_groups")
    if has_folds:
        raise NotServed("residuals mix items, so that folds by groups would leak; leave folds_by out", field="header.fold_groups")
    check_beyond(spec)


def _check_arrays(spec: AlignmentSpec, rows_x: int, rows_y: int) -> None:
    """Rows that pair, and nothing that takes ids or attributes: ShapeMismatch, InvalidArgument."""
    if spec.within:
        raise InvalidArgument("arrays have no attributes; give the group of each row in within_groups", field="header.spec.within")
    if spec.predictivity.folds_by:
        raise InvalidArgument(
            "arrays have no attributes; give the group of each row in fold_groups", field="header.spec.predictivity.folds_by"
        )
    if rows_x != rows_y:
        raise ShapeMismatch(f"x has {rows_x:,} rows, y has {rows_y:,}; row i of both must be the same item", field="header.rows")
    if spec.group_by:
        raise InvalidArgument("arrays have no attributes to group by; leave it out, or store the spaces", field="header.spec.group_by")
    if spec.strata:
        raise InvalidArgument("arrays have no attributes to be strata; leave them out, or store the spaces", field="header.spec.strata")
    if spec.query_ids:
        raise InvalidArgument(
            "rows of arrays have no ids to ask for; ask a sample of queries, or store the spaces", field="header.spec.query_ids"
        )
