"""The steps of each call that measures alignment, one after the other, as bytes held at once; and its searches."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from consilience_server.app.alignment_query import in_numbers
from consilience_server.app.alignment_spec import AlignmentLimits, AlignmentSpec
from consilience_server.app.estimate_query import EstimateQuery
from consilience_server.app.gallery_curve_query import gallery_sizes
from consilience_server.app.given_space import beyond_bytes
from consilience_server.app.item_sample import compared_items
from consilience_server.app.metric_families.registry import FAMILY_OF
from consilience_server.app.priced_steps import Held, PricedSpace, held_by
from consilience_server.app.tables import Tables
from consilience_server.core.similarity import Similarity
from consilience_server.engine.consensus_coordinates import consensus_bytes

_NEAR = 16
"""Neighbours that near-duplicates are looked for among."""


@dataclass(frozen=True)
class PricedCall:
    """A call that was found good.

    Attributes:
        query: what is asked.
        spec: its spec, every k a number.
        sides: the layers of all that is named, in its order: a space alone is one layer.
        n: items that are compared, at most.
        tables: knows what searches take.
        limits: threads.
    """

    query: EstimateQuery
    spec: AlignmentSpec
    sides: Sequence[Sequence[PricedSpace]]
    n: int
    tables: Tables
    limits: AlignmentLimits

    def steps(self) -> list[Held]:
        """What each step holds at once."""
        kinds = {
            "align": self._align,
            "align_matrix": self._matrix,
            "trend": self._trend,
            "consensus": self._consensus,
            "gallery_curve": self._curve,
            "compare_alignments": self._compared,
        }
        return [*self._near_duplicates(), *self._contexts(), *kinds[self.query.call]()]

    def searches(self) -> int:
        """Of all tables that are not the same, where none is kept."""
        count, has_lists = len(self._all), FAMILY_OF[self.spec.metric].reads == "tables"
        apart = count if self.spec.deduplicate else 0
        if self.spec.context and not has_lists:
            apart += sum(len(side) for side in self._measured)
        if self.query.call == "consensus":
            # The agreement of items is of lists, whatever the metric; so are the leave-one-out spaces of a metric of lists.
            return apart + count + (count if has_lists else 0)
        if not has_lists:
            return apart
        if self.query.call == "align":
            layers = sum(len(side) for side in self._measured)
            return apart + layers + (layers + 2 * (len(self._measured) - 1) if self._is_halved else 0)
        if self.query.call == "gallery_curve":
            return apart + 2 * len(gallery_sizes(self.query.curve(), self.n))
        pairwise = self.query.call == "align_matrix" and self.query.items == "pairwise"
        return apart + (count * count if pairwise else len(set(self.query.asked)))

    @property
    def _all(self) -> list[PricedSpace]:
        return [space for side in self.sides for space in side]

    @property
    def _measured(self) -> Sequence[Sequence[PricedSpace]]:
        """x, y and controls."""
        return self.sides[: len(self.query.spaces) + len(self.query.controls)]

    @property
    def _is_halved(self) -> bool:
        return self.spec.layer_selection == "split_half" and any(len(side) > 1 for side in self._measured)

    def _step(self, spaces: Sequence[PricedSpace], n: int | None = None, spec: AlignmentSpec | None = None) -> Held:
        return held_by(spaces, self.n if n is None else n, spec or self.spec, self.tables, self.limits)

    def _near_duplicates(self) -> Iterator[Held]:
        """Near-duplicates are looked for in one space of vectors after the other."""
        if self.spec.deduplicate:
            lists = AlignmentSpec(ks=(min(_NEAR, self.n - 1),), permutations=0, interval_kind="queries")
            yield from (self._step([space], spec=lists) for space in self._all if space.kernel is None)

    def _contexts(self) -> Iterator[Held]:
        """Each space is described by itself, while what is compared is held."""
        if self.spec.context:
            lists = AlignmentSpec(ks=self.spec.ks[:1], permutations=0, interval_kind=self.spec.interval_kind)
            spaces = [space for side in self._measured for space in side]
            copied = sum(space.copied(self.n, self.spec) for space in spaces)
            yield from (replace(self._step([space], spec=lists), copied=copied) for space in spaces)

    def _align(self) -> Iterator[Held]:
        x, y, *controls = self._measured
        ready: int | None = None
        if self.query.given is not None:
            given, vectors = self.sides[-1][0], [space for side in self._measured for space in side]
            widths = [space.width(self.n) for space in vectors]
            copies = sum(space.copied(self.n, self.spec) for space in [*vectors, given])
            yield Held(copies, 0, beyond_bytes(self.n, widths, given.width(self.n)))
            # Residuals are there already, of all layers.
            ready = sum(4 * self.n * width for width in widths)
        yield from self._layers(x, y, ready)
        for control, told in zip(controls, self.query.controls, strict=True):
            yield from self._layers(*((control, y) if told.in_place_of == "x" else (x, control)), ready)

    def _layers(self, x: Sequence[PricedSpace], y: Sequence[PricedSpace], ready: int | None) -> Iterator[Held]:
        """The grid over all items, then over a half while all items are held."""
        layers, pairs = [*x, *y], [(i, len(x) + j) for i in range(len(x)) for j in range(len(y))]
        whole = held_by(layers, self.n, self.spec, self.tables, self.limits, pairs=pairs, copied=ready)
        yield whole
        if self._is_halved:
            half = max(self.n // 2, 1)
            spec = in_numbers(replace(self.query.spec, permutations=0, interval_kind="queries"), half)
            copies = whole.copied + sum(4 * half * layer.width(half) for layer in layers)
            yield held_by(layers, half, spec, self.tables, self.limits, pairs=pairs, copied=copies)

    def _matrix(self) -> Iterator[Held]:
        if self.query.items == "common":
            yield self._step(self._all)
            return
        for x, y in combinations(self._all, 2):
            # Each pair has its own items.
            yield self._step([x, y], compared_items(min(x.items, y.items), self.spec))

    def _trend(self) -> Iterator[Held]:
        if not self.query.has_reference:
            yield self._step(self._all, spec=replace(self.spec, permutations=0, interval_kind="queries"))
            return
        *spaces, reference = self._all
        yield from (self._step([space, reference]) for space in spaces)

    def _consensus(self) -> Iterator[Held]:
        lists = AlignmentSpec(ks=self.spec.ks[:1], permutations=0, interval_kind=self.spec.interval_kind)
        n = min(space.items for space in self._all)
        widths = [space.width(n) for space in self._all]
        yield self._step(self._all, n, lists)
        built = 8 * n * sum(widths) + consensus_bytes(n, widths, self.query.method, self.query.rank)
        axes = min(self.query.rank, sum(widths), n)
        consensus = PricedSpace(n, axes, Similarity.SQUARED_L2)
        for space in self._all:
            step = self._step([space, consensus])
            yield replace(step, scratch=step.scratch + built, copied=step.copied + consensus.nbytes)

    def _curve(self) -> Iterator[Held]:
        for size in gallery_sizes(self.query.curve(), min(space.items for space in self._all)):
            yield self._step(self._all, compared_items(size, self.spec), in_numbers(self.query.spec, size))

    def _compared(self) -> Iterator[Held]:
        yield self._step(self._all[:2])
        yield self._step(self._all[2:])
