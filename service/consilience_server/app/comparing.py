"""Two alignments compared over the same items: the use case of ComparisonService."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass

from consilience_server.app.alignment import Alignment
from consilience_server.app.alignment_query import check_spec
from consilience_server.app.alignment_spec import AlignmentSpec, SpaceQuery
from consilience_server.app.cache_key import cache_key
from consilience_server.app.call import Call
from consilience_server.app.compute import ComputePool
from consilience_server.app.joins import join
from consilience_server.app.pinned_versions import pin_versions
from consilience_server.app.reports import AlignmentReport
from consilience_server.app.result_cache import ResultCache
from consilience_server.app.snapshots import Snapshots
from consilience_server.core.differences import Difference, difference
from consilience_server.core.errors import InvalidArgument

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
                joined = await asyncio.to_thread(join, [a, b, c, d])
                reports = (
                    await self._alignment.report(work.part(0.0, 0.5), (a, b), joined.of(0, 1), spec),
                    await self._alignment.report(work.part(0.5, 1.0), (c, d), joined.of(2, 3), spec),
                )
                differences = [difference(left, right) for left, right in zip(reports[0].by_k, reports[1].by_k, strict=True)]
                found = AlignmentComparison(*reports, differences)
                return await self._pool.run(work, "encode", lambda: encode(found))

        return await self._results.serve(call, key, compute)

    async def estimate_seconds(self, first: Pair, second: Pair, spec: AlignmentSpec) -> float:
        """Of both alignments together; an upper estimate, as tables and spaces that both share are counted twice."""
        _check_pairs(first, second)
        return await self._alignment.estimate_seconds(list(first), spec, _FIELDS[:2]) + await self._alignment.estimate_seconds(
            list(second), spec, _FIELDS[2:]
        )


def _check_pairs(first: Pair, second: Pair) -> None:
    if first == second:
        raise InvalidArgument("both pairs are the same; compare with another alignment", field="second")
