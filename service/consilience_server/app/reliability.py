"""Reliability of the columns of recordings: the use case of NoiseCeilingService that reads vectors."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.alignment_spec import SpaceQuery
from consilience_server.app.cache_key import cache_key
from consilience_server.app.call import Call
from consilience_server.app.compute import ComputePool
from consilience_server.app.joins import join
from consilience_server.app.pinned_versions import pin_versions
from consilience_server.app.reports import SpaceUse
from consilience_server.app.result_cache import ResultCache
from consilience_server.app.snapshots import Snapshots
from consilience_server.core.errors import DimensionMismatch, InvalidArgument
from consilience_server.core.reliability import column_reliability
from consilience_server.engine.protocol import ENGINE_VERSION


@dataclass(frozen=True)
class ReliabilityReport:
    """Of each column the reliability of the mean over the spaces, (d,) float64, over the `n` items common to all."""

    spaces: Sequence[SpaceUse]
    n: int
    reliability: NDArray[np.float64]
    engine: str = ENGINE_VERSION


class Reliabilities:
    """Measures how far recordings agree with themselves. Answers are cached by what they were computed from."""

    def __init__(self, snapshots: Snapshots, results: ResultCache, pool: ComputePool) -> None:
        self._snapshots = snapshots
        self._results = results
        self._pool = pool

    async def measure(self, call: Call, spaces: Sequence[SpaceQuery], encode: Callable[[ReliabilityReport], bytes]) -> bytes:
        """The reliability of every column, encoded.

        Raises:
            InvalidArgument: fewer than two spaces, or one named twice.
            DimensionMismatch: spaces of different widths.
            SpaceNotFound, VersionExpired, KernelSpace, NoCommonItems, TooFewItems, MemoryBudget, Overloaded.
        """
        if len(spaces) < 2 or len({query.name for query in spaces}) < len(spaces):
            raise InvalidArgument("reliability needs two or more spaces, each named once: one a session or repeat", field="spaces")
        fields = [f"spaces[{at}]" for at in range(len(spaces))]
        records = [await self._snapshots.record(query.name, field=field) for query, field in zip(spaces, fields, strict=True)]
        widths = [record.spec.dim for record in records]
        if len(set(widths)) > 1:
            raise DimensionMismatch(
                f"the spaces have dims {', '.join(map(str, widths))}; column j of all must be the same thing, so give spaces of one dim",
                field="spaces",
            )
        pinned = await pin_versions(self._snapshots, spaces, fields)
        queries = [SpaceQuery(query.name, use.version) for query, use in zip(spaces, pinned, strict=True)]

        async def compute(work: Call) -> bytes:
            async with AsyncExitStack() as held:
                snapshots = [
                    await held.enter_async_context(self._snapshots.hold(work, each.name, each.version, field=field))
                    for each, field in zip(queries, fields, strict=True)
                ]
                joined = await asyncio.to_thread(join, snapshots, "spaces")

                def measure() -> NDArray[np.float64]:
                    stack = np.array([snapshot.vectors[rows] for snapshot, rows in zip(snapshots, joined.rows, strict=True)])
                    return column_reliability(stack)

                nbytes = joined.n * widths[0] * (4 * len(snapshots) + 32)
                found = await self._pool.run(work, "statistics", measure, nbytes=nbytes)
                return encode(ReliabilityReport(pinned, joined.n, found))

        return await self._results.serve(call, cache_key("reliability", {}, pinned), compute)
