"""The geometry of one space: the use case of GeometryService."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from consilience_server.app.alignment_query import check_spec
from consilience_server.app.alignment_spec import AlignmentLimits, AlignmentSpec, SpaceQuery
from consilience_server.app.cache_key import cache_key
from consilience_server.app.call import Call
from consilience_server.app.compute import ComputePool
from consilience_server.app.joined_scores import JoinedScores
from consilience_server.app.joins import join
from consilience_server.app.pinned_versions import pin_versions
from consilience_server.app.reports import PreprocessName, SpaceUse
from consilience_server.app.result_cache import ResultCache
from consilience_server.app.snapshots import Snapshots
from consilience_server.app.tables import Tables
from consilience_server.core.space_geometry import SpaceGeometry
from consilience_server.engine.protocol import ENGINE_VERSION, Certificate


@dataclass(frozen=True)
class SpaceDescription:
    """The geometry of one space over all its items."""

    geometry: SpaceGeometry
    space: SpaceUse
    n: int
    dim: int
    preprocess: PreprocessName
    certificate: Certificate
    engine: str


class Geometry:
    """Describes spaces one by one, from the tables that alignment keeps."""

    def __init__(self, snapshots: Snapshots, tables: Tables, results: ResultCache, pool: ComputePool, limits: AlignmentLimits) -> None:
        self._snapshots = snapshots
        self._scores = JoinedScores(tables, pool, limits.threads)
        self._results = results
        self._pool = pool
        self._limits = limits

    async def describe_space(
        self, call: Call, space: SpaceQuery, k: int, preprocess: PreprocessName, encode: Callable[[SpaceDescription], bytes]
    ) -> bytes:
        """Hubness, intrinsic dimension and effective rank of a space, encoded.

        Raises:
            SpaceNotFound, VersionExpired, InvalidK, TooFewItems, ConstantFeatures, ZeroVector, MemoryBudget, Overloaded.
        """
        spec = AlignmentSpec(ks=(k,), preprocess=preprocess, permutations=0)
        check_spec(spec, self._limits)
        (pinned,) = await pin_versions(self._snapshots, [space], ["space"])
        key = cache_key("describe_space", {"k": k, "preprocess": preprocess}, [pinned])

        async def compute(work: Call) -> bytes:
            async with self._snapshots.hold(work, space.name, pinned.version, field="space", kernels=True) as snapshot:
                joined = await asyncio.to_thread(join, [snapshot])
                async with self._scores.compared(work.part(0.0, 0.8), [snapshot], joined, spec) as compared:
                    (geometry,) = await self._scores.geometries(work.part(0.8, 1.0), compared, whole=True)
                    (table,), (side,) = compared.tables, compared.sides
                    use = SpaceUse(snapshot.name, snapshot.uid, snapshot.version)
                    width = side.vectors.shape[1]
                    told = SpaceDescription(geometry, use, joined.n, width, preprocess, table.certificate, ENGINE_VERSION)
                return await self._pool.run(work, "encode", lambda: encode(told))

        return await self._results.serve(call, key, compute)
