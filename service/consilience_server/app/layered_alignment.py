"""Alignment of sides with layers: groups of stored spaces, and arrays that hold a model's layers."""

import asyncio
import re
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, replace
from itertools import islice

from consilience_server.app.alignment_query import at_size, check_spec, in_numbers, layers_seconds, too_few
from consilience_server.app.alignment_spec import AlignmentLimits, AlignmentSpec, ControlQuery, GroupQuery, SpaceQuery
from consilience_server.app.cache_key import cache_key
from consilience_server.app.call import Call
from consilience_server.app.cautions import Restriction, report_cautions
from consilience_server.app.compute import ComputePool
from consilience_server.app.controls import spaces_asked
from consilience_server.app.deduplication import Deduplication
from consilience_server.app.given_space import beyond_given
from consilience_server.app.item_groups import ItemGroups, read_groups, with_folds, within_of
from consilience_server.app.item_sample import check_sample, sampled, sampled_items
from consilience_server.app.joined_scores import JoinedScores
from consilience_server.app.joins import Join, join
from consilience_server.app.layered_controls import LayeredControl, has_choice, layered_cautions, layered_control_report
from consilience_server.app.layered_scores import LayeredComparison, LayeredSide, stacks_of, uses_of
from consilience_server.app.metric_families.registry import FAMILY_OF
from consilience_server.app.pairwise_answer import pair_bandwidths, rdm_options
from consilience_server.app.pinned_versions import pin_versions
from consilience_server.app.ports import SpaceRecord
from consilience_server.app.reports import AlignmentReport, ControlReport, SpaceUse
from consilience_server.app.result_cache import ResultCache
from consilience_server.app.snapshots import Snapshots
from consilience_server.core.errors import ConstantFeatures, InvalidArgument, NoCommonItems, SpaceNotFound
from consilience_server.engine.protocol import ENGINE_VERSION
from consilience_server.engine.snapshot import Snapshot

_SHOWN = 10


class LayeredAlignment:
    """Use cases of sides with layers; answers about stored groups are cached. Must be used from one event loop."""

    def __init__(
        self,
        snapshots: Snapshots,
        scores: JoinedScores,
        deduplication: Deduplication,
        results: ResultCache,
        pool: ComputePool,
        limits: AlignmentLimits,
    ) -> None:
        self._snapshots = snapshots
        self._scores = scores
        self._comparison = LayeredComparison(scores, pool, limits)
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
        controls: Sequence[ControlQuery] = (),
        given: SpaceQuery | None = None,
    ) -> bytes:
        """The alignment of two sides, encoded: every layer of a group over the items common to all layers of all that is named.

        Spec, controls and given space are already checked.

        Raises:
            SpaceNotFound: no space has the group.
            NoCommonItems: a layer without items, named.
            InvalidArgument: a control or the given space is a layer of a side.
            As `LayeredComparison.compare`, and what `Alignment.align` raises.
        """
        asked, named = spaces_asked(x, y, controls, given)
        layers = [await self.layers(query, field) for query, field in zip(asked, named, strict=True)]
        _check_apart(layers, named)
        queries = [query for side in layers for query in side]
        fields = [field for side, field in zip(layers, named, strict=True) for _ in side]
        pinned = await pin_versions(self._snapshots, queries, fields)
        told = {
            "sides": [query.name for query in asked],
            "layers": [len(side) for side in layers],
            "controls": [control.in_place_of for control in controls],
            "given": given is not None,
        }
        key = cache_key("align", {**asdict(spec), **told}, pinned)
        pinned_queries = [SpaceQuery(query.name, use.version) for query, use in zip(queries, pinned, strict=True)]

        async def compute(work: Call) -> bytes:
            async with AsyncExitStack() as held:
                snapshots = [
                    await held.enter_async_context(self._snapshots.hold(work, query.name, query.version, field=field, kernels=True))
                    for query, field in zip(pinned_queries, fields, strict=True)
                ]
                joined = await asyncio.to_thread(join, snapshots)
                rest = iter(snapshots)
                sides = [
                    _side(query, field, list(islice(rest, len(of_side))))
                    for query, field, of_side in zip(asked, named, layers, strict=True)
                ]
                among = [LayeredControl(side, control.in_place_of) for side, control in zip(sides[2:], controls, strict=False)]
                beyond = None if given is None else snapshots[-1]
                report = await self.report(work, sides[0], sides[1], joined, spec, None, among, beyond)
                return await self._pool.run(work, "encode", lambda: encode(report))

        return await self._results.serve(call, key, compute)

    async def estimate_seconds(self, asked: Sequence[SpaceQuery | GroupQuery], fields: Sequence[str], spec: AlignmentSpec) -> float:
        """As `Alignment.estimate_seconds`."""
        check_spec(spec, self._limits)
        sides = []
        for query, field in zip(asked, fields, strict=True):
            layers = await self.layers(query, field)
            sides.append([await self._snapshots.record(layer.name, field=field) for layer in layers])
        n = min(record.item_count for side in sides for record in side)
        if too_few(n, in_numbers(spec, max(n, 1))):
            return 0.0
        widths = [[record.width for record in side] for side in sides]
        x, y, beside = widths[0], widths[1], [side for side, field in zip(widths[2:], fields[2:], strict=True) if field != "given"]
        # A control is taken to be in the place of the narrower side: an upper estimate.
        return layers_seconds(n, x, y, spec, self._limits) + sum(
            max(layers_seconds(n, control, y, spec, self._limits), layers_seconds(n, x, control, spec, self._limits)) for control in beside
        )

    async def report(
        self,
        call: Call,
        x: LayeredSide,
        y: LayeredSide,
        joined: Join,
        spec: AlignmentSpec,
        groups: ItemGroups | None = None,
        controls: Sequence[LayeredControl] = (),
        given: Snapshot | None = None,
    ) -> AlignmentReport:
        """The alignment of two sides whose layers are in memory; nothing is cached.

        Args:
            call: pays.
            x: one side.
            y: the other.
            joined: the common items of the layers of x, of y and of each control, and of the given space, in this order.
            spec: what is asked.
            groups: of the items of arrays, within which random pairings keep them.
            controls: beside the score.
            given: a space of vectors, beyond which all layers are aligned.
        """
        snapshots, common, threshold = [*_layers_of((x, y, *(control.side for control in controls)))], joined.n, spec.deduplicate
        if threshold:
            everything = snapshots if given is None else [*snapshots, given]
            joined = await self._deduplication.apart(call.part(0.0, 0.2), everything, joined, threshold)
            call = call.part(0.2, 1.0)
        kept, spec = joined.n, replace(spec, deduplicate=0.0)
        if groups is not None and kept != common:
            raise InvalidArgument("within_groups are of all rows; drop the near-duplicates of arrays yourself", field="spec.deduplicate")
        if given is None:
            report = await self._over(call, x, y, joined, spec, groups, controls)
        else:
            report = await self._beyond(call, x, y, joined, spec, controls, given)
        told = [
            replace(each, dropped=max(layer.n for layer in control.side.layers) - common)
            for each, control in zip(report.controls, controls, strict=True)
        ]
        return replace(
            report,
            dropped_x=max(layer.n for layer in x.layers) - common,
            dropped_y=max(layer.n for layer in y.layers) - common,
            duplicates=common - kept,
            deduplicate=threshold,
            controls=told,
        )

    async def _beyond(
        self,
        call: Call,
        x: LayeredSide,
        y: LayeredSide,
        joined: Join,
        spec: AlignmentSpec,
        controls: Sequence[LayeredControl],
        given: Snapshot,
    ) -> AlignmentReport:
        """Of what the given space does not explain of each layer: the residuals of all layers are of the same items."""
        sides = (x, y, *(control.side for control in controls))
        snapshots, numbers = [*_layers_of(sides), given], at_size(spec, joined.n, self._limits)
        fields = {layer.name: side.field for side in sides for layer in side.layers}
        left = beyond_given(
            call.part(0.0, 0.2),
            self._scores,
            self._pool,
            snapshots,
            joined,
            numbers,
            names=[layer.name for layer in snapshots[:-1]],
            stacks=stacks_of(sides),
        )
        try:
            async with left as found:
                residuals = _with_layers(sides, found.snapshots)
                among = [LayeredControl(side, control.in_place_of) for side, control in zip(residuals[2:], controls, strict=True)]
                inner = replace(spec, preprocess="none")
                report = await self._over(call.part(0.2, 1.0), residuals[0], residuals[1], found.joined, inner, None, among)
        except ConstantFeatures as refusal:
            refusal.field = fields.get(refusal.field or "", refusal.field)
            raise
        assert report.layers is not None
        count, both = len(x.layers), len(x.layers) + len(y.layers)
        explained = tuple(found.explained[:count]), tuple(found.explained[count:both])
        best = report.layers.best
        sample = report.sampled_items
        if sample is not None and sample.rows:
            sample = replace(sample, rows=tuple(sorted(joined.rows[0][found.rows[list(sample.rows)]].tolist())))
        return replace(
            report,
            sampled_items=sample,
            preprocess=spec.preprocess,
            clips=found.clips[:both],
            constant_columns=found.constant_columns[:both],
            layers=replace(report.layers, x_layers=uses_of(x), y_layers=uses_of(y)),
            controls=[_named(told, control.among(x, y)) for told, control in zip(report.controls, controls, strict=True)],
            given=replace(
                found.given,
                explained_x=explained[0][best[0]],
                explained_y=explained[1][best[1]],
                layers_explained=explained if both > 2 else ((), ()),
            ),
        )

    async def _over(
        self,
        call: Call,
        x: LayeredSide,
        y: LayeredSide,
        joined: Join,
        spec: AlignmentSpec,
        groups: ItemGroups | None,
        controls: Sequence[LayeredControl],
    ) -> AlignmentReport:
        """Over the items of the join, near-duplicates gone."""
        snapshots, sides, kept = _layers_of((x, y, *(control.side for control in controls))), len(x.layers) + len(y.layers), joined.n
        if spec.within:
            groups = await read_groups(self._snapshots, call, snapshots[:sides], joined.of(*range(sides)), spec.within)
        joined = await with_folds(self._snapshots, call, snapshots, joined, spec)
        check_sample(joined.n, spec)
        joined, groups = await asyncio.to_thread(sampled, joined, spec, groups)
        halve, share = has_choice(x, y, controls), 1.0 / (1 + len(controls))
        found = await self._comparison.compare(call.part(0.0, share), x, y, joined.of(*range(sides)), spec, groups, halve=halve)
        told, start = [], sides
        for number, control in enumerate(controls, start=1):
            own = range(start, start + len(control.side.layers))
            start, stayed = own.stop, range(len(x.layers), sides) if control.in_place_of == "x" else range(len(x.layers))
            rows = joined.of(*own, *stayed) if control.in_place_of == "x" else joined.of(*stayed, *own)
            part = call.part(number * share, (number + 1) * share)
            bare = replace(spec, context=False)
            of_control = await self._comparison.compare(part, *control.among(x, y), rows, bare, groups, halve=halve)
            told.append(layered_control_report(control, of_control, found, joined.n))
        certificates = found.certificates or (None, None)
        contexts = tuple(found.contexts[: len(x.layers)]), tuple(found.contexts[len(x.layers) :])
        chosen = x.layers[found.layers.best[0]], y.layers[found.layers.best[1]]
        rules = ["" if layer.kernel is None else FAMILY_OF[spec.metric].kernel_rule(layer.kernel) for layer in chosen]
        x_similarity, y_similarity = (layer.similarity if layer.kernel is None else None for layer in chosen)
        return AlignmentReport(
            metric=spec.metric,
            by_k=tuple(found.by_k),
            n=found.n,
            gallery=found.n,
            dropped_x=0,
            dropped_y=0,
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
            warnings=(
                *report_cautions(
                    found.by_k,
                    found.n,
                    spec.permutations,
                    spec.alpha,
                    Restriction(found.groups, folds=found.folds),
                    of=kept if joined.n < kept else 0,
                ),
                *layered_cautions(found.layers, told, joined.n),
            ),
            within=within_of(found.groups),
            layers=found.layers,
            kernel_rule_x=rules[0],
            kernel_rule_y=rules[1],
            similarities=(x_similarity, y_similarity),
            contexts=(contexts[0][found.layers.best[0]], contexts[1][found.layers.best[1]]) if spec.context else (None, None),
            layer_contexts=contexts if sides > 2 else ((), ()),
            controls=told,
            sampled_items=sampled_items(joined, kept, named=x.layers[0].version > 0),
            rdm=rdm_options(spec),
            bandwidths=pair_bandwidths(found.by_k),
        )

    async def layers(self, query: SpaceQuery | GroupQuery, field: str) -> list[SpaceQuery]:
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


def _layers_of(sides: Sequence[LayeredSide]) -> list[Snapshot]:
    return [layer for side in sides for layer in side.layers]


def _with_layers(sides: Sequence[LayeredSide], layers: Sequence[Snapshot]) -> list[LayeredSide]:
    """The sides with other layers, which are not prepared any more."""
    rest = iter(layers)
    return [replace(side, layers=list(islice(rest, len(side.layers))), stacked=False) for side in sides]


def _named(told: ControlReport, sides: tuple[LayeredSide, LayeredSide]) -> ControlReport:
    """A control's report with the spaces that its layers were before anything was explained away."""
    assert told.layers is not None
    return replace(told, layers=replace(told.layers, x_layers=uses_of(sides[0]), y_layers=uses_of(sides[1])))


def _check_apart(layers: Sequence[Sequence[SpaceQuery]], fields: Sequence[str]) -> None:
    """InvalidArgument where what stands beside the sides is one of their layers."""
    own = {query.name for side in layers[:2] for query in side}
    for side, field in zip(layers[2:], fields[2:], strict=True):
        shared = [query.name for query in side if query.name in own]
        if shared:
            raise InvalidArgument(f"{shared[0]!r} is a layer of this alignment; give a space that is none", field=field)


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
