"""Alignment while the gallery grows: over nested galleries chosen by hash ("Back into Plato's Cave", arXiv 2604.18572)."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict, replace

import numpy as np

from consilience_server.app.alignment import Alignment
from consilience_server.app.alignment_query import check_spec, estimated_seconds, in_numbers
from consilience_server.app.alignment_spec import SpaceQuery
from consilience_server.app.cache_key import cache_key
from consilience_server.app.call import Call
from consilience_server.app.compute import ComputePool
from consilience_server.app.gallery_curve_query import (
    GalleryCurveQuery,
    GalleryCurveReport,
    check_curve,
    curve_cautions,
    curve_lines,
    gallery_sizes,
)
from consilience_server.app.joins import Join, join
from consilience_server.app.pinned_versions import pin_versions
from consilience_server.app.result_cache import ResultCache
from consilience_server.app.snapshots import Snapshots
from consilience_server.core.errors import InvalidArgument, InvalidK
from consilience_server.core.query_sample import hash_sample, sampling_keys
from consilience_server.engine.snapshot import Snapshot


class GalleryCurves:
    """Measures two spaces in nested galleries: the items of smallest hash (`core/query_sample.py`), so that each holds the smaller ones.

    One search a space and gallery serves every k. Galleries that halve cost together a third more than the largest alone. With
    `sample_queries` the same queries are asked in every gallery that holds them.
    """

    def __init__(self, alignment: Alignment, snapshots: Snapshots, results: ResultCache, pool: ComputePool) -> None:
        self._alignment = alignment
        self._snapshots = snapshots
        self._results = results
        self._pool = pool

    async def curve(self, call: Call, query: GalleryCurveQuery, encode: Callable[[GalleryCurveReport], bytes]) -> bytes:
        """The curve, encoded.

        Raises:
            InvalidArgument, InvalidK: sizes that are too many, not unique, above the number of common items, or not above every k.
            What `Alignment.align` raises.
        """
        check_spec(query.spec, self._alignment.limits)
        check_curve(query)
        pinned = await pin_versions(self._snapshots, [query.x, query.y], ["x", "y"])
        key = cache_key("gallery_curve", {**asdict(query.spec), "gallery_sizes": sorted(query.sizes)}, pinned)
        x, y = (SpaceQuery(each.name, use.version) for each, use in zip((query.x, query.y), pinned, strict=True))

        async def compute(work: Call) -> bytes:
            async with (
                self._snapshots.hold(work, x.name, x.version, field="x", kernels=True) as snapshot_x,
                self._snapshots.hold(work, y.name, y.version, field="y", kernels=True) as snapshot_y,
            ):
                joined = await asyncio.to_thread(join, [snapshot_x, snapshot_y])
                report = await self._report(work, (snapshot_x, snapshot_y), joined, query)
                return await self._pool.run(work, "encode", lambda: encode(report))

        return await self._results.serve(call, key, compute)

    async def estimate_seconds(self, query: GalleryCurveQuery) -> float:
        """All galleries one after the other; what will be refused is 0."""
        check_spec(query.spec, self._alignment.limits)
        check_curve(query)
        records = [await self._snapshots.record(space.name, field=field) for space, field in ((query.x, "x"), (query.y, "y"))]
        try:
            sizes = gallery_sizes(query, min(record.item_count for record in records))
        except (InvalidArgument, InvalidK):
            return 0.0
        widths, limits = [record.width for record in records], self._alignment.limits
        return sum(estimated_seconds([size, size], widths, in_numbers(query.spec, size), limits) for size in sizes if size > 1)

    async def _report(self, call: Call, snapshots: tuple[Snapshot, Snapshot], joined: Join, query: GalleryCurveQuery) -> GalleryCurveReport:
        common, joined = joined.n, await self._alignment.apart(call.part(0.0, 0.1), snapshots, joined, query.spec)
        spec = replace(query.spec, deduplicate=0.0)
        sizes = gallery_sizes(query, joined.n)
        keys = await asyncio.to_thread(sampling_keys, joined.ids.tolist())
        reports = []
        # A gallery's search grows with the square of its size.
        ends = np.cumsum(np.square(np.array(sizes, dtype=np.float64)))
        for at, size in enumerate(sizes):
            part = call.part(0.1 + 0.9 * float(ends[at - 1] / ends[-1]) if at else 0.1, 0.1 + 0.9 * float(ends[at] / ends[-1]))
            nested = joined if size == joined.n else await asyncio.to_thread(joined.some, hash_sample(keys, size))
            report = await self._alignment.report(part, snapshots, nested, spec)
            # Items outside a gallery are not without a partner.
            reports.append(
                replace(
                    report,
                    dropped_x=snapshots[0].n - common,
                    dropped_y=snapshots[1].n - common,
                    duplicates=common - joined.n,
                    deduplicate=query.spec.deduplicate,
                )
            )
        return GalleryCurveReport(reports, curve_lines(spec, sizes), curve_cautions(spec, sizes))
