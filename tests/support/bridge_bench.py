"""Everything that bridging and matching need, wired over stores of dictionaries and the real engine."""

import numpy as np
from support.memory_bridges import MemoryBridges
from support.memory_store import MemoryStore
from support.silent_metrics import SilentMetrics

from consilience_server.adapters.onnx_head import OnnxHeads
from consilience_server.app.alignment_spec import SpaceQuery
from consilience_server.app.bridge_derivation import BridgeDerivations
from consilience_server.app.bridge_evaluation import BridgeEvaluations
from consilience_server.app.bridging import Bridging, FitLimits
from consilience_server.app.caller_head import CallerHeads
from consilience_server.app.compute import ComputePool
from consilience_server.app.derived_vectors import DerivedVectors
from consilience_server.app.fit_query import FitQuery
from consilience_server.app.matching import Matching, MatchLimits
from consilience_server.app.memory_budget import Account
from consilience_server.app.memory_cache import MemoryCache
from consilience_server.app.ports import SpaceSpec
from consilience_server.app.query_batching import QueryBatches
from consilience_server.app.result_cache import ResultCache
from consilience_server.app.snapshots import Snapshots
from consilience_server.app.tables import Tables
from consilience_server.bridges.training_host import TrainingHost
from consilience_server.core.similarity import Similarity
from consilience_server.engine.choose_index import ApproximateIndexes
from consilience_server.engine.exact_neighbours import ExactNeighbours
from consilience_server.engine.faiss_cpu import FaissCpuScan


class CountingEngine(ExactNeighbours):
    """The real engine; `asked` has (queries, gallery, k, whether with a bias) of every query."""

    def __init__(self):
        super().__init__(FaissCpuScan(1), 1)
        self.asked = []

    def query(self, queries, gallery, similarity, k_max, **options):
        self.asked.append((len(queries), len(gallery), k_max, options.get("bias") is not None))
        return super().query(queries, gallery, similarity, k_max, **options)


class BridgeBench:
    def __init__(self, budget=200_000_000):
        self.metrics = SilentMetrics()
        self.account = Account(budget, self.metrics)
        self.pool = ComputePool(2, 64, self.account, self.metrics)
        self.store, self.bridges, self.engine = MemoryStore(), MemoryBridges(), CountingEngine()
        self.snapshots = Snapshots(self.store, self.pool, self.account)
        self.tables = Tables(self.engine, self.pool, self.account, self.metrics)
        self.derived = DerivedVectors(self.bridges, self.pool, self.account)
        self.results = ResultCache(MemoryCache(10_000_000), None, self.metrics)
        self.bridging = Bridging(
            store=self.store,
            bridges=self.bridges,
            snapshots=self.snapshots,
            engine=self.engine,
            pool=self.pool,
            limits=FitLimits("1.0", 1e10),
            training=TrainingHost(),
        )
        self.derivations = BridgeDerivations(
            store=self.store,
            bridges=self.bridges,
            snapshots=self.snapshots,
            engine=self.engine,
            pool=self.pool,
            code_version="1.0",
            flops_per_second=1e10,
        )
        self.evaluations = BridgeEvaluations(
            bridges=self.bridges,
            snapshots=self.snapshots,
            pool=self.pool,
            engine=self.engine,
            heads=CallerHeads(OnnxHeads(1), 1 << 20),
            flops_per_second=1e10,
        )
        self.matching = Matching(
            snapshots=self.snapshots,
            tables=self.tables,
            derived=self.derived,
            pool=self.pool,
            engine=self.engine,
            indexes=ApproximateIndexes(1, "cpu"),
            results=self.results,
            metrics=self.metrics,
            limits=MatchLimits(max_k=100, max_answers=20_000, flops_per_second=1e10),
            batches=QueryBatches(self.pool, self.engine, self.metrics),
        )

    def space(self, name, vectors, ids=None, similarity=Similarity.COSINE):
        vectors = np.asarray(vectors, dtype=np.float32)
        self.store.create(SpaceSpec(name, vectors.shape[1], similarity))
        self.store.put(name, [f"i{row:04d}" for row in range(len(vectors))] if ids is None else ids, vectors)

    def query(self, name="b", source="x", target="y", **options):
        return FitQuery(name, SpaceQuery(source), SpaceQuery(target), **options)


def paired_clouds(n=200, width_x=12, width_y=9, noise=0.3, seed=0):
    """Two views of one latent cloud, each with a mean of its own."""
    rng = np.random.default_rng(seed)
    latent = rng.standard_normal((n, 6))
    sides = []
    for width in (width_x, width_y):
        clean = latent @ rng.standard_normal((6, width)) + 2 * rng.standard_normal(width)
        sides.append((clean + noise * rng.standard_normal((n, width))).astype(np.float32))
    return sides
