"""How users write against the SDK. Never run: `test_typing.py` type-checks it."""

from pathlib import Path
from typing import assert_type

import numpy as np
from numpy.typing import NDArray

import consilience
from consilience import (
    AlignmentMatrix,
    AlignmentReport,
    AsyncClient,
    Bridge,
    BridgeEstimate,
    BridgeEvaluation,
    Classification,
    Client,
    ConsensusReport,
    DeleteResult,
    Embeddings,
    ExportResult,
    IndexRecall,
    Interval,
    MatchResult,
    MutualPairs,
    NoiseCeiling,
    Operation,
    PairsSummary,
    PmiReport,
    Reliability,
    ServerInfo,
    Space,
    TrendReport,
    UpgradeReport,
    UpsertResult,
    Watch,
    WatchHistory,
    cooccurrence,
)


def without_a_server(x: NDArray[np.float32]) -> None:
    assert_type(consilience.align_arrays(x, x, k=10), AlignmentReport)


def synchronous(client: Client, ids: list[str], x: NDArray[np.float32]) -> None:
    assert_type(client.create_space("a", dim=3, similarity="cosine", modality=None), Space)
    assert_type(client.list_spaces(), list[Space])
    assert_type(client.upsert("a", ids, x, attributes={"label": [1]}, progress=True), UpsertResult)
    assert_type(client.upsert("a", ids, x, progress=lambda done, total: print(done / total)), UpsertResult)
    report = client.align("a", "b@7", k=[10, 50])
    assert_type(report, AlignmentReport)
    assert_type(report.score, float)
    assert_type(report.p_value, float | None)
    assert_type(report.interval, Interval)
    assert_type(report.by_k[10].score, float)
    assert_type(client.align("a", "b", wait=False), Operation)
    matrix = client.align_matrix(["a", "b"])
    assert_type(matrix, AlignmentMatrix)
    assert_type(matrix.scores, NDArray[np.float64])
    trend = client.trend(["a", "b", "c"], {"a": 1e9, "b": 3e9, "c": 7e9}, reference="d", scale="log10")
    assert_type(trend, TrendReport)
    assert_type(trend.interval, Interval)
    assert_type(client.trend(["a", "b", "c"], [1, 2, 3], wait=False), Operation)
    agreed = client.consensus(["a", "b", "c"], name="agreed", method="procrustes")
    assert_type(agreed, ConsensusReport)
    assert_type(agreed.scores, NDArray[np.float64])
    assert_type(agreed.most[0].id, str)
    assert_type(agreed.space, Space | None)
    counts = cooccurrence.from_sequences([["a", "b"]], window=2)
    assert_type(client.pmi_space("pmi", None, counts), PmiReport)
    assert_type(client.pmi_space("pmi", ids, x, wait=False), Operation)
    assert_type(client.compose_bridges(["a-to-b", "b-to-c"], name="a-to-c"), Bridge)
    assert_type(client.invert_bridge("a-to-b", name="b-to-a", wait=False), Operation)
    assert_type(client.export_bridge("a-to-b"), bytes)
    assert_type(client.export_bridge("a-to-b", "a-to-b.onnx"), Path)
    assert_type(client.fit_bridge("a", "b", name="a-to-b", pair_ids=ids[:3]), Bridge)
    assert_type(client.fit_bridge("a", "b", name="a-to-b", wait=False), Operation)
    assert_type(client.estimate_bridge("a", "b", ids[:3]), BridgeEstimate)
    assert_type(client.evaluate_bridge("a-to-b", pair_attribute="photo"), BridgeEvaluation)
    assert_type(client.evaluate_bridge("a-to-b", wait=False), Operation)
    assert_type(client.evaluate_upgrade("a", "b", thresholds={"recall@10": 0.9}), UpgradeReport)
    assert_type(client.evaluate_upgrade("a", "b", wait=False), Operation)
    assert_type(client.classify("a", "b", bridge="a-to-b", labels="label"), Classification)
    assert_type(client.watch("a", "b", "pair", every_seconds=60), Watch)
    assert_type(client.watch_history("pair", limit=5), WatchHistory)
    found = client.match(queries=x, bridge="a-to-b", k=5, correction="csls")
    assert_type(found, MatchResult)
    assert_type(found.similarities, NDArray[np.float64])
    assert_type(client.match(queries=x, space="a", index="hnsw", ef_search=64).recall, IndexRecall | None)
    assert_type(client.match(queries=x, space="a", gallery_ids=ids, exclude_ids=ids[:1]).gallery_items, int)
    assert_type(client.match(queries=x, bridge="b", filter="label = 'cat'", probability=True).probability, NDArray[np.float64] | None)
    assert_type(client.match(queries=x, bridge="b", one_to_one=True).warnings, tuple[str, ...])
    assert_type(client.mutual_pairs("a", "b").source_ids, list[str])
    assert_type(client.mutual_pairs("a", "b", mode="max", threshold=1.05, wait=False), Operation)
    for block in client.iterate_mutual_pairs("a", "b"):
        assert_type(block, MutualPairs)
    assert_type(client.export_mutual_pairs("a", "b", "pairs.parquet"), PairsSummary)
    assert_type(client.export_embeddings("a", "a.parquet"), ExportResult)
    assert_type(client.get_embeddings("a", ids), Embeddings)
    assert_type(client.delete_embeddings("a", ids), DeleteResult)
    assert_type(client.server_info(), ServerInfo)
    for page in client.iterate_embeddings("a"):
        assert_type(page, Embeddings)
    with client.writer("a", publish_seconds=1) as writer:
        writer.append(ids, x)
        assert_type(writer.published, tuple[UpsertResult, ...])
    with Client.local("data") as local:
        assert_type(local, Client)


async def asynchronous(ids: list[str], x: NDArray[np.float32]) -> None:
    async with AsyncClient("localhost:50051", api_key="key", tls=True, timeout=5) as client:
        assert_type(await client.align("a", "b"), AlignmentReport)
        assert_type(await client.align("a", "b", wait=False), Operation)
        assert_type(await client.mutual_pairs("a", "b"), MutualPairs)
        assert_type(await client.noise_ceiling("a", ["b"]), NoiseCeiling)
        assert_type(await client.reliability(["a", "b"]), Reliability)
        async for page in client.iterate_embeddings("a"):
            assert_type(page, Embeddings)
        async with client.writer("a") as writer:
            await writer.append(ids, x)


def refused(client: Client) -> None:
    try:
        client.get_space("a")
    except consilience.OverloadedError as error:
        assert_type(error.retry_after, float | None)
    except consilience.ServerError as error:
        assert_type(error.error_id, str)
    except consilience.ConsilienceError as error:
        assert_type(error.field, str | None)
