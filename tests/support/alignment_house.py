"""The use cases of alignment over a store in memory and the real engine, which counts its searches."""

from support.memory_store import MemoryStore
from support.silent_metrics import SilentMetrics

from consilience_server.app.alignment import Alignment
from consilience_server.app.alignment_spec import AlignmentLimits, AlignmentSpec, SpaceQuery
from consilience_server.app.call import Call
from consilience_server.app.compute import ComputePool
from consilience_server.app.memory_budget import Account
from consilience_server.app.memory_cache import MemoryCache
from consilience_server.app.ports import SpaceSpec
from consilience_server.app.result_cache import ResultCache
from consilience_server.app.snapshots import Snapshots
from consilience_server.app.tables import Tables
from consilience_server.core.similarity import Similarity
from consilience_server.engine.choose import make_engine


class AlignmentHouse:
    def __init__(self, budget=1 << 30):
        metrics, self._engine = SilentMetrics(), make_engine(1, "cpu")
        self.store, self.account = MemoryStore(), Account(budget, metrics)
        self.joins, self.queries = 0, 0
        self.pool = ComputePool(1, 8, self.account, metrics)
        self.snapshots = Snapshots(self.store, self.pool, self.account)
        self.tables = Tables(self, self.pool, self.account, metrics)
        self.results = ResultCache(MemoryCache(1 << 20), None, metrics)
        self.limits = AlignmentLimits(2048, 9999, 1, 1e10)
        self.alignment = Alignment(self.snapshots, self.tables, self.results, self.pool, self.limits)

    def self_join(self, *arguments, **keywords):
        self.joins += 1
        return self._engine.self_join(*arguments, **keywords)

    def query(self, *arguments, **keywords):
        self.queries += 1
        return self._engine.query(*arguments, **keywords)

    def __getattr__(self, name):
        return getattr(self._engine, name)

    def put(self, name, ids, vectors, similarity=Similarity.COSINE):
        if name not in self.store.records:
            self.store.create(SpaceSpec(name, vectors.shape[1], similarity))
        self.store.put(name, ids, vectors)

    async def align(self, spec: AlignmentSpec, x="x", y="y"):
        """The report, not encoded."""
        seen = []

        def keep(report):
            seen.append(report)
            return b"kept"

        await self.alignment.align(Call("align"), SpaceQuery(x), SpaceQuery(y), spec, keep)
        return seen[0]
