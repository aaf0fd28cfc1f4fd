"""Two alignments compared over the same items: the use case of ComparisonService."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, replace

from consilience_server.app.alignment import Alignment
from consilience_server.app.alignment_query import at_size, check_spec
from consilience_server.app.alignment_spec import AlignmentSpec, SpaceQuery
from consilience_server.app.cache_key import cache_key
from consilience_server.app.call import Call
from consilience_server.app.compute import ComputePool
from consilience_server.app.item_groups import with_attributes
from consilience_server.app.joins import Join, join
from consilience_server.app.pinned_versions import pin_versions
from consilience_server.app.reports import AlignmentReport
from consilience_server.app.result_cache import ResultCache
from consilience_server.app.snapshots import Snapshots
from consilience_server.core.differences import Difference, difference
from consilience_server.core.errors import InvalidArgument
from consilience_server.engine.snapshot import Snapshot

Pair = tuple[SpaceQuery, SpaceQuery]

_FIELDS = ("first.x", "first.y", "second.x", "second.y")


@dataclass(frozen=True)
class AlignmentComparison:
    """Two alignments of the same items, and for each k how much higher the first scores."""

    first: AlignmentReport
    second: AlignmentReport
    differences: Sequence[Difference]


class Comparing:
    """Compares alignments. Answers are cached by what they were computed from."""

    def __init__(self, alignment: Alignment, snapshots: Snapshots, results: ResultCache, pool: ComputePool) -> None:
        self._alignment = alignment
        self._snapshots = snapshots
        self._results = results
        self._pool = pool

    async def compare(
        self, call: Call, first: Pair, second: Pair, spec: AlignmentSpec, encode: Callable[[AlignmentComparison], bytes]
    ) -> bytes:
        """Whether the first pair is more aligned than the second, encoded; both over the items common to all their spaces.

        Raises:
            InvalidArgument: the pairs are the same.
            As `Alignment.align`.
        """
        check_spec(spec, self._alignment.limits)
        _check_pairs(first, second)
        asked = [*first, *second]
        pinned = await pin_versions(self._snapshots, asked, _FIELDS)
        key = cache_key("compare_alignments", asdict(spec), pinned)
        queries = [SpaceQuery(query.name, use.version) for query, use in zip(asked, pinned, strict=True)]

        async def compute(work: Call) -> bytes:
            async with AsyncExitStack() as held:
                a, b, c, d = [
                    await held.enter_async_context(self._snapshots.hold(work, query.name, query.version, field=field, kernels=True))
                    for query, field in zip(queries, _FIELDS, strict=True)
                ]
                reports = await self._reports(work, (a, b), (c, d), spec)
                differences = [difference(left, right) for left, right in zip(reports[0].by_k, reports[1].by_k, strict=True)]
                found = AlignmentComparison(*reports, differences)
                return await self._pool.run(work, "encode", lambda: encode(found))

        return await self._results.serve(call, key, compute)

    async def _reports(
        self, call: Call, first: tuple[Snapshot, Snapshot], second: tuple[Snapshot, Snapshot], spec: AlignmentSpec
    ) -> tuple[AlignmentReport, AlignmentReport]:
        """Of both pairs, over the same items: near-duplicates in any of the spaces leave all, and any may have the attributes."""
        every = [*first, *second]
        joined = await asyncio.to_thread(join, every)
        common, joined = joined.n, await self._alignment.apart(call.part(0.0, 0.1), every, joined, spec)
        inner = at_size(replace(spec, deduplicate=0.0), joined.n, self._alignment.limits)
        joined, groups = await with_attributes(self._snapshots, call, every, joined, inner)

        async def report(part: Call, pair: tuple[Snapshot, Snapshot], of_pair: Join) -> AlignmentReport:
            found = await self._alignment.report(part, pair, of_pair, inner, groups)
            # The near-duplicates are not without a partner.
            return replace(
                found,
                dropped_x=pair[0].n - common,
                dropped_y=pair[1].n - common,
                duplicates=common - joined.n,
                deduplicate=spec.deduplicate,
            )

        return (
            await report(call.part(0.1, 0.55), first, joined.of(0, 1)),
            await report(call.part(0.55, 1.0), second, joined.of(2, 3)),
        )

    async def estimate_seconds(self, first: Pair, second: Pair, spec: AlignmentSpec) -> float:
        """Of both alignments together; an upper estimate, as tables and spaces that both share are counted twice."""
        _check_pairs(first, second)
        return await self._alignment.estimate_seconds(list(first), spec, _FIELDS[:2]) + await self._alignment.estimate_seconds(
            list(second), spec, _FIELDS[2:]
        )


def _check_pairs(first: Pair, second: Pair) -> None:
    if first == second:
        raise InvalidArgument("both pairs are the same; compare with another alignment", field="second")
