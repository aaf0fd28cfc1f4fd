"""Alignment of sides with layers: groups of stored spaces, and arrays that hold a model's layers."""

import asyncio
import re
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, replace

from consilience_server.app.alignment_query import check_spec, estimated_seconds, in_numbers, too_few
from consilience_server.app.alignment_spec import AlignmentLimits, AlignmentSpec, GroupQuery, SpaceQuery
from consilience_server.app.cache_key import cache_key
from consilience_server.app.call import Call
from consilience_server.app.cautions import report_cautions
from consilience_server.app.compute import ComputePool
from consilience_server.app.deduplication import Deduplication
from consilience_server.app.item_groups import ItemGroups, read_groups, with_folds, within_of
from consilience_server.app.item_sample import check_sample, sampled, sampled_items
from consilience_server.app.joins import Join, join
from consilience_server.app.layered_scores import LayeredComparison, LayeredSide
from consilience_server.app.metric_families.registry import FAMILY_OF
from consilience_server.app.pairwise_answer import pair_bandwidths, rdm_options
from consilience_server.app.pinned_versions import pin_versions
from consilience_server.app.ports import SpaceRecord
from consilience_server.app.reports import AlignmentReport, SpaceUse
from consilience_server.app.result_cache import ResultCache
from consilience_server.app.snapshots import Snapshots
from consilience_server.core.errors import InvalidArgument, NoCommonItems, NotServed, SpaceNotFound
from consilience_server.engine.protocol import ENGINE_VERSION
from consilience_server.engine.snapshot import Snapshot

_SHOWN = 10


class LayeredAlignment:
    """Use cases of sides with layers; answers about stored groups are cached. Must be used from one event loop."""

    def __init__(
        self,
        snapshots: Snapshots,
        comparison: LayeredComparison,
        deduplication: Deduplication,
        results: ResultCache,
        pool: ComputePool,
        limits: AlignmentLimits,
    ) -> None:
        self._snapshots = snapshots
        self._comparison = comparison
        self._deduplication = deduplication
        self._results = results
        self._pool = pool
        self._limits = limits

    async def align(
        self,
        call: Call,
        x: SpaceQuery | GroupQuery,
        y: SpaceQuery | GroupQuery,
        spec: AlignmentSpec,
        encode: Callable[[AlignmentReport], bytes],
    ) -> bytes:
        """The alignment of two sides, encoded: every layer of a group over the items common to all layers of both sides.

        Raises:
            SpaceNotFound: no space has the group.
            NoCommonItems: a layer without items, named.
            As `LayeredComparison.compare`, and what `Alignment.align` raises.
        """
        check_spec(spec, self._limits)
        layers = [await self._layers(x, "x"), await self._layers(y, "y")]
        queries, fields = [query for side in layers for query in side], [*["x"] * len(layers[0]), *["y"] * len(layers[1])]
        pinned = await pin_versions(self._snapshots, queries, fields)
        names = [query.name for query in (x, y)]
        key = cache_key("align", {**asdict(spec), "sides": names, "layers": [len(side) for side in layers]}, pinned)
        pinned_queries = [SpaceQuery(query.name, use.version) for query, use in zip(queries, pinned, strict=True)]

        async def compute(work: Call) -> bytes:
            async with AsyncExitStack() as held:
                snapshots = [
                    await held.enter_async_context(self._snapshots.hold(work, query.name, query.version, field=field, kernels=True))
                    for query, field in zip(pinned_queries, fields, strict=True)
                ]
                joined = await asyncio.to_thread(join, snapshots)
                left, right = snapshots[: len(layers[0])], snapshots[len(layers[0]) :]
                report = await self.report(work, _side(x, "x", left), _side(y, "y", right), joined, spec)
                return await self._pool.run(work, "encode", lambda: encode(report))

        return await self._results.serve(call, key, compute)

    async def estimate_seconds(self, x: SpaceQuery | GroupQuery, y: SpaceQuery | GroupQuery, spec: AlignmentSpec) -> float:
        """As `Alignment.estimate_seconds`."""
        check_spec(spec, self._limits)
        queries = [(query, field) for side, field in ((x, "x"), (y, "y")) for query in await self._layers(side, field)]
        records = [await self._snapshots.record(query.name, field=field) for query, field in queries]
        items = [record.item_count for record in records]
        numbers = in_numbers(spec, max(min(items), 1))
        if too_few(min(items), numbers):
            return 0.0
        return estimated_seconds(items, [record.width for record in records], numbers, self._limits)

    async def report(
        self, call: Call, x: LayeredSide, y: LayeredSide, joined: Join, spec: AlignmentSpec, groups: ItemGroups | None = None
    ) -> AlignmentReport:
        """The alignment of two sides whose layers are in memory; nothing is cached."""
        if spec.context:
            raise NotServed("layers tell no context; align single layers, or describe them one by one", field="spec.context")
        snapshots, common, threshold = [*x.layers, *y.layers], joined.n, spec.deduplicate
        if threshold:
            joined = await self._deduplication.apart(call.part(0.0, 0.2), snapshots, joined, threshold)
            call = call.part(0.2, 1.0)
        kept, spec = joined.n, replace(spec, deduplicate=0.0)
        if groups is not None and kept != common:
            raise InvalidArgument("within_groups are of all rows; drop the near-duplicates of arrays yourself", field="spec.deduplicate")
        if spec.within:
            groups = await read_groups(self._snapshots, call, snapshots, joined, spec.within)
        joined = await with_folds(self._snapshots, call, snapshots, joined, spec)
        check_sample(joined.n, spec)
        joined, groups = await asyncio.to_thread(sampled, joined, spec, groups)
        found = await self._comparison.compare(call, x, y, joined, spec, groups)
        certificates = found.certificates or (None, None)
        chosen = x.layers[found.layers.best[0]], y.layers[found.layers.best[1]]
        rules = ["" if layer.kernel is None else FAMILY_OF[spec.metric].kernel_rule(layer.kernel) for layer in chosen]
        x_similarity, y_similarity = (layer.similarity if layer.kernel is None else None for layer in chosen)
        return AlignmentReport(
            metric=spec.metric,
            by_k=tuple(found.by_k),
            n=found.n,
            gallery=found.n,
            dropped_x=max(layer.n for layer in x.layers) - common,
            dropped_y=max(layer.n for layer in y.layers) - common,
            duplicates=common - kept,
            deduplicate=threshold,
            preprocess=spec.preprocess,
            clips=found.clips,
            constant_columns=found.constant_columns,
            permutations=spec.permutations,
            seed=spec.seed,
            alpha=spec.alpha,
            x=x.use,
            y=y.use,
            engine=ENGINE_VERSION,
            certificate_x=certificates[0],
            certificate_y=certificates[1],
            warnings=report_cautions(found.by_k, found.n, spec.permutations, spec.alpha, found.groups, of=kept if joined.n < kept else 0),
            within=within_of(found.groups),
            layers=found.layers,
            kernel_rule_x=rules[0],
            kernel_rule_y=rules[1],
            similarities=(x_similarity, y_similarity),
            sampled_items=sampled_items(joined, kept, named=x.layers[0].version > 0),
            rdm=rdm_options(spec),
            bandwidths=pair_bandwidths(found.by_k),
        )

    async def _layers(self, query: SpaceQuery | GroupQuery, field: str) -> list[SpaceQuery]:
        """The spaces of one side, in the order of their layers."""
        if isinstance(query, SpaceQuery):
            return [query]
        members = await self._snapshots.members(query.name)
        if not members:
            known = await self._snapshots.groups()
            there = f"there are {', '.join(known[:_SHOWN])}" if known else "no space has one"
            raise SpaceNotFound(f"no space belongs to the group {query.name!r}; {there}: give group when a space is made", field=field)
        for record in members:
            if not record.item_count:
                raise NoCommonItems(f"space {record.spec.name!r} of group {query.name!r} has no items; upload them", field=field)
        return [SpaceQuery(record.spec.name) for record in in_layer_order(members)]


def _side(query: SpaceQuery | GroupQuery, field: str, layers: Sequence[Snapshot]) -> LayeredSide:
    if isinstance(query, GroupQuery):
        return LayeredSide(SpaceUse(f"groups/{query.name}", "", 0), field, layers, is_group=True)
    return LayeredSide(SpaceUse(layers[0].name, layers[0].uid, layers[0].version), field, layers)


def in_layer_order(members: Sequence[SpaceRecord]) -> list[SpaceRecord]:
    """By layer, numbers within it by their size (`block2` before `block10`), then by name."""

    def key(record: SpaceRecord) -> tuple[list[str | int], str]:
        parts = re.split(r"([0-9]+)", record.spec.layer)
        return [int(part) if at % 2 else part for at, part in enumerate(parts)], record.spec.name

    return sorted(members, key=key)
