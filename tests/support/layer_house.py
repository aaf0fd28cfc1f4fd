"""Groups of stored spaces over a store in memory and the real engine."""

import numpy as np
from support.memory_store import MemoryStore
from support.silent_metrics import SilentMetrics

from consilience_server.app.alignment import Alignment
from consilience_server.app.alignment_spec import AlignmentLimits, AlignmentSpec, GroupQuery
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

N = 80
DRAW = np.random.default_rng(1)
Z = DRAW.normal(size=(N, 4))
SPEC = AlignmentSpec(ks=(5,), permutations=19)
LLAMA, DINO = GroupQuery("llama"), GroupQuery("dino")


def layer(width, share):
    return (share * Z @ DRAW.normal(size=(4, width)) + DRAW.normal(size=(N, width))).astype(np.float32)


class LayerHouse:
    def __init__(self):
        metrics = SilentMetrics()
        self.store, account = MemoryStore(), Account(1 << 30, metrics)
        pool = ComputePool(1, 8, account, metrics)
        engine = make_engine(1, "cpu")
        results = ResultCache(MemoryCache(1 << 20), None, metrics)
        snapshots = Snapshots(self.store, pool, account)
        tables = Tables(engine, pool, account, metrics)
        self.alignment = Alignment(snapshots, tables, results, pool, AlignmentLimits(2048, 9999, 1, 1e10))
        self.computed, self.vectors = 0, {}

    def put(self, name, vectors, group, layer, ids=None):
        self.vectors[name] = vectors
        self.store.create(SpaceSpec(name, vectors.shape[1], Similarity.COSINE, layer=layer, group=group))
        self.store.put(name, ids or [f"i{row:03}" for row in range(len(vectors))], vectors)

    async def align(self, x=LLAMA, y=DINO, spec=SPEC, call=None, controls=(), given=None):
        seen = []

        def encode(report):
            seen.append(report)
            return b"encoded"

        assert await self.alignment.align(call or Call("align"), x, y, spec, encode, controls, given) == b"encoded"
        self.computed += len(seen)
        return seen[0] if seen else None
