"""Scores of snapshots over their common items, with every byte that they hold accounted for while they are computed."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.alignment_query import check_size
from consilience_server.app.alignment_spec import AlignmentSpec
from consilience_server.app.call import Call
from consilience_server.app.compute import ComputePool
from consilience_server.app.item_groups import ItemGroups, check_parts
from consilience_server.app.item_sample import sampled
from consilience_server.app.joins import Join
from consilience_server.app.metric_families.family import Compared, Side
from consilience_server.app.metric_families.judge import scored, scored_all
from consilience_server.app.metric_families.registry import FAMILY_OF, KERNEL_METRICS
from consilience_server.app.preparation import Prepared, prepare
from consilience_server.app.queries import query_rows, query_strata
from consilience_server.app.reports import ComparedSpace, MetricName
from consilience_server.app.tables import Tables, TableSubject, item_digest
from consilience_server.core.effective_rank import effective_rank, participation_ratio
from consilience_server.core.errors import ConstantFeatures, InvalidArgument, KernelSpace, NotServed, TooFewItems, ZeroVector
from consilience_server.core.kernel_kind import KernelKind
from consilience_server.core.paired_features import rows_are_equal
from consilience_server.core.preprocess import platonic_rep_clip
from consilience_server.core.score import Score
from consilience_server.core.similarity import Similarity
from consilience_server.core.space_geometry import SpaceGeometry
from consilience_server.core.tie_order import tie_keys
from consilience_server.engine.alignment_scores import Pair, ScoreOptions
from consilience_server.engine.group_scores import group_depth
from consilience_server.engine.item_agreement import item_agreement
from consilience_server.engine.neighbour_scores import table_depth
from consilience_server.engine.protocol import Certificate, NeighbourTable
from consilience_server.engine.snapshot import Snapshot
from consilience_server.engine.space_geometry import neighbour_geometry, spectrum, spectrum_bytes

T = TypeVar("T")

_ORDER = "items"
"""Names the hash that orders items for permutations and jackknife groups: the same for all spaces, so that order is no property of one."""


@dataclass(frozen=True)
class PairScores:
    """The scores of two spaces, one for each k.

    Attributes:
        by_k: the scores.
        certificates: where neighbours were searched.
        clips: what preprocessing clipped at, one a side; empty where it does not.
        constant_columns: how many columns preprocessing left out, one number a side; empty where it leaves none out.
        similarities: how nearness was measured in each side, None for a kernel.
        contexts: the geometry of each side, where it was at hand or asked.
    """

    by_k: Sequence[Score]
    certificates: tuple[Certificate, Certificate] | None
    clips: Sequence[float]
    constant_columns: Sequence[int]
    similarities: tuple[Similarity | None, Similarity | None]
    contexts: tuple[SpaceGeometry | None, SpaceGeometry | None] = (None, None)


class JoinedScores:
    """Computes scores from shared neighbour tables or from vectors. Must be used from one event loop."""

    def __init__(self, tables: Tables, pool: ComputePool, threads: int) -> None:
        self._tables = tables
        self._pool = pool
        self._threads = threads

    async def of_pair(
        self, call: Call, snapshots: Sequence[Snapshot], joined: Join, spec: AlignmentSpec, groups: ItemGroups | None = None
    ) -> PairScores:
        """Two spaces, every k; pairings stay within the groups. InvalidK, TooFewItems, ConstantFeatures, MemoryBudget."""
        joined, groups = await asyncio.to_thread(sampled, joined, spec, groups)
        family = FAMILY_OF[spec.metric]
        async with (
            self.sides(call, snapshots, joined, spec) as sides,
            self.compared_sides(call.part(0.0, 0.8), _varied(sides, snapshots, ("x", "y")), joined, spec, groups) as compared,
        ):
            control = call.part(0.8, 1.0).control
            found = await self._pool.run(call, "statistics", lambda: scored(family, compared, control), nbytes=family.nbytes(compared))
            certificates = (compared.tables[0].certificate, compared.tables[1].certificate) if compared.tables else None
            clips = of_sides([side.clip for side in compared.sides], float("nan"))
            constant = of_sides([side.constant_columns for side in compared.sides], 0)
            x, y = (side.similarity if side.kernel is None else None for side in compared.sides)
            contexts = await self._contexts(call, compared, joined)
            return PairScores(found, certificates, clips, constant, (x, y), contexts)

    async def _contexts(self, call: Call, compared: Compared, joined: Join) -> tuple[SpaceGeometry | None, SpaceGeometry | None]:
        """The geometry of two sides: of their neighbours where the lists of all items are held, all of it where the spec asks."""
        spec = compared.spec
        if compared.queries is not None or not (compared.tables or spec.context):
            return None, None
        if compared.tables:
            x, y = await self.geometries(call, compared, whole=spec.context)
            return x, y
        _check_context(spec, compared.n)
        async with self._held_tables(call, compared.sides, joined, spec, None) as tables:
            x, y = await self.geometries(call, replace(compared, tables=tables), whole=True)
            return x, y

    async def compared_spaces(self, call: Call, snapshots: Sequence[Snapshot], joined: Join, spec: AlignmentSpec) -> list[ComparedSpace]:
        """How each of many spaces enters their alignment over the items of the join; its context where the spec asks."""
        async with self.sides(call, snapshots, joined, spec) as sides:
            contexts = await self.contexts_of(call, sides, joined, spec) if spec.context else [None] * len(sides)
            rule = FAMILY_OF[spec.metric].kernel_rule
            return [
                ComparedSpace(
                    similarity=side.similarity if side.kernel is None else None,
                    kernel_rule="" if side.kernel is None else rule(side.kernel),
                    clip=side.clip,
                    constant_columns=side.constant_columns,
                    context=context,
                )
                for side, context in zip(sides, contexts, strict=True)
            ]

    async def contexts_of(self, call: Call, sides: Sequence[Side], joined: Join, spec: AlignmentSpec) -> list[SpaceGeometry]:
        """The geometry of each side by itself, from tables that alignments of the same items share, one held at a time; TooFewItems."""
        _check_context(spec, joined.n)
        lists = AlignmentSpec(ks=spec.ks[:1], preprocess=spec.preprocess, permutations=0, interval_kind=spec.interval_kind)
        found, alone = [], replace(joined, same=None)
        for at, side in enumerate(sides):
            part = call.part(at / len(sides), (at + 1) / len(sides))
            async with self.compared_sides(part, [side], alone, lists, None) as compared:
                found.extend(await self.geometries(part, compared, whole=True))
        return found

    async def geometries(self, call: Call, compared: Compared, *, whole: bool) -> list[SpaceGeometry]:
        """The geometry of every side from its table; `whole` adds what its vectors tell, in O(n d^2). ConstantFeatures."""
        k, found = compared.spec.ks[0], []
        for side, table in zip(compared.sides, compared.tables, strict=True):
            work = partial(neighbour_geometry, table, k, side.similarity, side.kernel)
            geometry = await self._pool.run(call, "statistics", work, nbytes=32 * table.gallery * (table.k_max + 1))
            if whole and side.kernel is None:
                nbytes = spectrum_bytes(*side.vectors.shape)
                strengths = await self._pool.run(call, "statistics", partial(spectrum, side.vectors, call.control), nbytes=nbytes)
                if len(strengths):
                    ranks = effective_rank(strengths), participation_ratio(strengths)
                    geometry = replace(geometry, effective_rank=ranks[0], participation_ratio=ranks[1])
            found.append(geometry)
        return found

    async def of_all(
        self,
        call: Call,
        snapshots: Sequence[Snapshot],
        joined: Join,
        spec: AlignmentSpec,
        groups: ItemGroups | None = None,
        pairs: Sequence[Pair] | None = None,
    ) -> Mapping[Pair, Score]:
        """Pairs i <= j of M spaces, all unless some are named, the other direction too where the metric is not symmetric.

        M tables, shared permutations, one k.
        """
        joined, groups = await asyncio.to_thread(sampled, joined, spec, groups)
        family = FAMILY_OF[spec.metric]
        async with (
            self.sides(call, snapshots, joined, spec) as sides,
            self.compared_sides(call.part(0.0, 0.6), _varied(sides, snapshots), joined, spec, groups) as compared,
        ):
            control, asked = call.part(0.6, 1.0).control, replace(compared, pairs=pairs)
            return await self._pool.run(call, "statistics", lambda: scored_all(family, asked, control), nbytes=family.nbytes(asked))

    async def agreement_of_items(self, call: Call, snapshots: Sequence[Snapshot], joined: Join, spec: AlignmentSpec) -> NDArray[np.float64]:
        """(n,) how well the spaces agree on each item's first k neighbours, from the shared tables: `core/item_agreement.py`."""
        # As deep as the alignments of the same spaces need them, so that neither searches again.
        lists = AlignmentSpec(ks=spec.ks[:1], preprocess=spec.preprocess, permutations=0, interval_kind=spec.interval_kind)
        async with self.compared(call.part(0.0, 0.9), snapshots, joined, lists) as compared:
            sets = [table.sets(lists.ks[0]) for table in compared.tables]
            control = call.part(0.9, 1.0).control
            nbytes = FAMILY_OF["mutual_knn"].nbytes(compared)
            return await self._pool.run(call, "statistics", lambda: item_agreement(sets, control), nbytes=nbytes)

    @asynccontextmanager
    async def compared(self, call: Call, snapshots: Sequence[Snapshot], joined: Join, spec: AlignmentSpec) -> AsyncIterator[Compared]:
        """The spaces with what the metric reads of them, for who computes something else from it; in the account while it is open."""
        async with self.sides(call, snapshots, joined, spec) as sides, self.compared_sides(call, sides, joined, spec, None) as compared:
            yield compared

    @asynccontextmanager
    async def compared_sides(
        self, call: Call, sides: Sequence[Side], joined: Join, spec: AlignmentSpec, groups: ItemGroups | None
    ) -> AsyncIterator[Compared]:
        """Sides with what the metric reads of them, in the account while the context is open.

        Args:
            call: pays for the neighbour tables that are not there yet.
            sides: from `sides`, or parts of them over fewer items.
            joined: names the items of the sides.
            spec: every k a number.
            groups: within which random pairings keep the items.
        """
        if spec.predictivity.folds_by and joined.fold_groups is None:
            raise NotServed(
                "folds by an attribute are served by align and align_matrix; leave folds_by empty here", field="spec.predictivity.folds_by"
            )
        queries = await asyncio.to_thread(query_rows, joined, spec) if spec.asks_some else None
        if queries is not None and groups is not None:
            await asyncio.to_thread(check_parts, groups, queries)
        options = await asyncio.to_thread(self._options, joined, spec, groups)
        async with AsyncExitStack() as held:
            tables: Sequence[NeighbourTable] = ()
            if FAMILY_OF[spec.metric].reads == "tables":
                tables = await held.enter_async_context(self._held_tables(call, sides, joined, spec, queries))
            yield Compared(
                spec,
                joined.ids,
                sides,
                tables,
                options,
                queries=queries,
                strata=query_strata(joined, queries),
                same=joined.same,
                fold_groups=joined.fold_groups,
            )

    @asynccontextmanager
    async def sides(
        self, call: Call, snapshots: Sequence[Snapshot], joined: Join, spec: AlignmentSpec, stacks: Sequence[Sequence[int]] = ()
    ) -> AsyncIterator[list[Side]]:
        """The common items of each space in the order of the join, preprocessed; copies count as the request's while they are used.

        Args:
            call: pays.
            snapshots: one a space.
            joined: their common items.
            spec: tells preprocessing and metric.
            stacks: positions of layers that came as one (n, L, d) array, which are clipped as one.
        """
        check_size(joined.n, spec)
        pairs = list(zip(snapshots, joined.rows, strict=True))
        changed = spec.preprocess != "none"
        if changed and all(snapshot.kernel is not None for snapshot in snapshots):
            message = f"{spec.preprocess} prepares vectors, and all these spaces are kernels; ask preprocess='none'"
            raise InvalidArgument(message, field="spec.preprocess")
        copies = sum(_copied_bytes(snapshot, joined.n, changed=changed) for snapshot in snapshots)
        with self._pool.holding(call, copies):
            clips = await self._clips(call, pairs, stacks) if spec.preprocess == "platonic_rep" else {}
            sides = []
            for at, (snapshot, rows) in enumerate(pairs):
                try:
                    sides.append(await self._side(call, snapshot, rows, joined, spec, clips.get(at)))
                except (ConstantFeatures, ZeroVector) as refusal:
                    if len(pairs) == 2:
                        raise
                    # Of many spaces, and of layers, only the name tells which.
                    raise type(refusal)(f"{snapshot.name}: {refusal.message}", field=refusal.field) from refusal
            fields = ("x", "y") if len(sides) == 2 else ["spaces"] * len(sides)
            for side, snapshot, field in zip(sides, snapshots, fields, strict=True):
                check_space(spec.metric, side.similarity, side.kernel, _name(snapshot), field)
            yield sides

    async def _clips(
        self, call: Call, pairs: Sequence[tuple[Snapshot, NDArray[np.int64]]], stacks: Sequence[Sequence[int]]
    ) -> dict[int, float]:
        """The clip of each layer of a stack, by its position."""
        clips: dict[int, float] = {}
        for stack in stacks:
            layers = [pairs[at][0].vectors[pairs[at][1]] for at in stack]
            clip = await self._pool.run(call, "load", partial(platonic_rep_clip, layers), nbytes=sum(layer.nbytes for layer in layers))
            clips.update(dict.fromkeys(stack, clip))
        return clips

    async def _side(
        self, call: Call, snapshot: Snapshot, rows: NDArray[np.int64], joined: Join, spec: AlignmentSpec, clip: float | None
    ) -> Side:
        if snapshot.kernel is not None:
            return await self._kernel_side(call, snapshot, rows, joined)
        vectors = snapshot.vectors
        if len(rows) != snapshot.n:
            vectors = await self._pool.run(call, "load", lambda: snapshot.vectors[rows])
        prepared = Prepared(vectors, snapshot.similarity)
        if spec.preprocess != "none":
            work = partial(prepare, spec.preprocess, vectors, snapshot.similarity, clip)
            prepared = await self._pool.run(call, "load", work, nbytes=2 * vectors.nbytes)
        form = spec.preprocess if clip is None else f"{spec.preprocess}, stacked"
        subject = TableSubject(snapshot.uid, snapshot.version, joined.digest, form)
        return Side(prepared.vectors, prepared.similarity, prepared.clip, subject, prepared.constant_columns)

    async def _kernel_side(self, call: Call, snapshot: Snapshot, rows: NDArray[np.int64], joined: Join) -> Side:
        """The matrix of the common items; preprocessing is of vectors and leaves it as it is."""
        matrix = snapshot.vectors
        if len(rows) != snapshot.n:
            matrix = await self._pool.run(call, "load", lambda: snapshot.vectors[np.ix_(rows, rows)])
        subject = TableSubject(snapshot.uid, snapshot.version, joined.digest, "none")
        return Side(matrix, snapshot.similarity, None, subject, kernel=snapshot.kernel)

    @asynccontextmanager
    async def _held_tables(
        self, call: Call, sides: Sequence[Side], joined: Join, spec: AlignmentSpec, queries: NDArray[np.int64] | None
    ) -> AsyncIterator[list[NeighbourTable]]:
        depth, share = table_depth(spec.ks, joined.n, spec.interval_kind), 1.0 / len(sides)
        if joined.same is not None:
            depth = group_depth(spec.ks, joined.n, int(np.bincount(joined.same).max()), spec.interval_kind)
        asked = "" if queries is None else item_digest(joined.ids[queries].tolist())
        async with AsyncExitStack() as held:
            tables = []
            for i, side in enumerate(sides):
                part = call.part(i * share, (i + 1) * share)
                subject = replace(side.subject, queries=asked)
                hold = self._tables.hold(part, subject, side.vectors, joined.ids, side.similarity, depth, queries, side.kernel)
                tables.append(await held.enter_async_context(hold))
            yield tables

    def _options(self, joined: Join, spec: AlignmentSpec, groups: ItemGroups | None) -> ScoreOptions:
        if spec.group_by and joined.same is None:
            raise InvalidArgument("this call compares single items, not groups of them; leave group_by out", field="spec.group_by")
        if spec.deduplicate:
            raise InvalidArgument(
                "this call measures all items, near-duplicates among them; leave deduplicate out",
                field="spec.deduplicate",
            )
        return ScoreOptions(
            permutations=spec.permutations,
            seed=spec.seed,
            alpha=spec.alpha,
            interval_kind=spec.interval_kind,
            confidence=spec.confidence,
            item_order=tie_keys(_ORDER, joined.ids.tolist()),
            threads=self._threads,
            groups=None if groups is None else groups.of,
        )


def of_sides(values: Sequence[T | None], of_kernel: T) -> tuple[T, ...]:
    """What preprocessing did, one a side; none where it did nothing of the kind. It leaves a kernel as it is, which has no value."""
    found = any(value is not None for value in values)
    return tuple(of_kernel if value is None else value for value in values) if found else ()


def _check_context(spec: AlignmentSpec, n: int) -> None:
    """Lists of the first k among n items: TooFewItems."""
    if spec.ks[0] >= n:
        few = f"the context of a space needs lists of {spec.ks[0]} neighbours, and {n} items are common; leave context out"
        raise TooFewItems(few, field="spec.context", n=n, least=spec.ks[0] + 1)


def _copied_bytes(snapshot: Snapshot, n: int, *, changed: bool) -> int:
    """Bytes of the copies of one space that a side of `n` items needs."""
    part = n != snapshot.n
    return 4 * n * n * part if snapshot.kernel is not None else 4 * n * snapshot.dim * (part + changed)


def _varied(sides: Sequence[Side], snapshots: Sequence[Snapshot], fields: Sequence[str] = ()) -> Sequence[Side]:
    """The sides; ConstantFeatures where one is the same for all items: what it answers, chance answers too."""
    for side, snapshot, field in zip(sides, snapshots, fields or ["spaces"] * len(sides), strict=True):
        if rows_are_equal(side.vectors):
            what = "vector" if side.kernel is None else "row"
            raise ConstantFeatures(
                f"all {len(side.vectors):,} items have the same {what} in {_name(snapshot)}, so that nothing can be said of its alignment; "
                "use a space that tells items apart",
                field=field,
            )
    return sides


def _name(snapshot: Snapshot) -> str:
    return snapshot.name.removeprefix("spaces/")


def check_space(metric: MetricName, similarity: Similarity, kernel: KernelKind | None, name: str, field: str) -> None:
    """Refuse a space that the metric is not defined on, by what it is compared by, or what the entries of its kernel are."""
    family = FAMILY_OF[metric]
    try:
        if kernel is None:
            family.check(similarity, name)
        elif family.check_kernel is None:
            kernels = ", ".join(KERNEL_METRICS)
            raise KernelSpace(f"{metric} needs vectors, and {name} is a kernel, a matrix over items; {kernels} serve kernels")
        else:
            family.check_kernel(kernel, name)
    except InvalidArgument as error:
        error.field = field
        raise
