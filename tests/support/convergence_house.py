"""The use cases of alignment, trend and consensus over a store of dictionaries."""

from support.memory_bridges import MemoryBridges
from support.memory_store import MemoryStore
from support.silent_metrics import SilentMetrics

from consilience_server.app.alignment import Alignment
from consilience_server.app.alignment_spec import AlignmentLimits, SpaceQuery
from consilience_server.app.call import Call
from consilience_server.app.compute import ComputePool
from consilience_server.app.consensus import Consensus
from consilience_server.app.derived_space import DerivedSpaces
from consilience_server.app.memory_budget import Account
from consilience_server.app.memory_cache import MemoryCache
from consilience_server.app.ports import SpaceSpec
from consilience_server.app.result_cache import ResultCache
from consilience_server.app.snapshots import Snapshots
from consilience_server.app.spaces import SpaceLimits, Spaces
from consilience_server.app.tables import Tables
from consilience_server.app.trend import Trends
from consilience_server.core.similarity import Similarity
from consilience_server.engine.choose import make_engine


class Captured:
    """An encoder that keeps what it encodes."""

    def __init__(self):
        self.seen = []

    def __call__(self, report):
        self.seen.append(report)
        return repr(report).encode()


class ConvergenceHouse:
    def __init__(self):
        metrics = SilentMetrics()
        self.store, self.account = MemoryStore(), Account(1 << 30, metrics)
        self.pool = ComputePool(1, 8, self.account, metrics)
        engine = make_engine(1, "cpu")
        self.scans = 0
        self_join = engine.self_join

        def counted(*arguments, **keywords):
            self.scans += 1
            return self_join(*arguments, **keywords)

        engine = type("Counted", (), {"self_join": staticmethod(counted), "self_join_bytes": staticmethod(engine.self_join_bytes)})()
        self.snapshots = Snapshots(self.store, self.pool, self.account)
        self.tables = Tables(engine, self.pool, self.account, metrics)
        self.results = ResultCache(MemoryCache(1 << 22), None, metrics)
        self.alignment = Alignment(self.snapshots, self.tables, self.results, self.pool, AlignmentLimits(2048, 9999, 1, 1e10))
        self.bridges = MemoryBridges()
        spaces = Spaces(self.store, self.bridges, self.snapshots, self.account, SpaceLimits(4096, 512, 100_000, 1 << 20))
        self.consensus = Consensus(self.alignment, self.snapshots, self.tables, self.results, self.pool, DerivedSpaces(spaces))
        self.trends = Trends(self.alignment, self.snapshots, self.tables, self.results, self.pool)

    def put(self, name, ids, vectors, similarity=Similarity.COSINE):
        if name not in self.store.records:
            self.store.create(SpaceSpec(name, vectors.shape[1], similarity))
        self.store.put(name, ids, vectors)

    async def trend(self, query, call=None):
        """The report; None where the cache answered."""
        captured = Captured()
        await self.trends.trend(call or Call("trend"), query, captured)
        return captured.seen[0] if captured.seen else None

    async def agree(self, query, call=None, request_id="request"):
        """The report; None where the cache answered."""
        captured = Captured()
        await self.consensus.consensus(call or Call("consensus"), query, request_id, captured)
        return captured.seen[0] if captured.seen else None

    async def align(self, x, y, spec):
        captured = Captured()
        await self.alignment.align(Call("align"), SpaceQuery(x), SpaceQuery(y), spec, captured)
        return captured.seen[0]

    async def matrix(self, names, spec):
        captured = Captured()
        await self.alignment.align_matrix(Call("align_matrix"), [SpaceQuery(name) for name in names], "common", spec, captured)
        return captured.seen[0]
