# ruff: noqa: N802 - the methods are named by the contract
"""A server of hand-made servicers: does what the script says, remembers what it saw."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import grpc
import numpy as np
from google.longrunning import operations_pb2, operations_pb2_grpc
from google.protobuf import any_pb2, duration_pb2, empty_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from consilience.v1 import (
    alignment_pb2,
    alignment_pb2_grpc,
    bridge_algebra_pb2,
    bridge_algebra_pb2_grpc,
    bridge_pb2,
    bridge_pb2_grpc,
    match_pb2,
    match_pb2_grpc,
    matrix_pb2,
    operation_pb2,
    server_pb2,
    server_pb2_grpc,
    space_pb2,
    space_pb2_grpc,
    watch_pb2,
    watch_pb2_grpc,
)


def packed(message):
    holder = any_pb2.Any()
    holder.Pack(message)
    return holder


def status(code, message="told", reason="", retry_after=None, field=""):
    details = [packed(error_details_pb2.ErrorInfo(reason=reason, domain="consilience"))]
    if retry_after is not None:
        delay = duration_pb2.Duration()
        delay.FromMilliseconds(int(1000 * retry_after))
        details.append(packed(error_details_pb2.RetryInfo(retry_delay=delay)))
    if field:
        violation = error_details_pb2.BadRequest.FieldViolation(field=field, description=message)
        details.append(packed(error_details_pb2.BadRequest(field_violations=[violation])))
    return status_pb2.Status(code=code.value[0], message=message, details=details)


@dataclass
class Failure:
    """What a call answers once instead of its answer."""

    code: grpc.StatusCode
    reason: str = ""
    retry_after: float | None = None
    field: str = ""

    def abort(self, context):
        context.abort_with_status(rpc_status.to_status(status(self.code, "told", self.reason, self.retry_after, self.field)))


def matrix(values):
    array = np.asarray(values, dtype=np.float64)
    return matrix_pb2.Matrix(data=array.tobytes(), dtype=matrix_pb2.DATA_TYPE_FLOAT64, rows=array.shape[0], columns=array.shape[1])


def report(score=0.5):
    at_k = alignment_pb2.AlignmentAtK(
        k=10, score=score, chance=0.1, excess=0.4, interval={"low": 0.4, "high": 0.6, "confidence": 0.95, "kind": 2}
    )
    return alignment_pb2.AlignmentReport(
        metric=1, headline=at_k, by_k=[at_k], n=100, gallery=100, x={"name": "spaces/a", "version": 1}, y={"name": "spaces/b", "version": 2}
    )


PAIRS_SUMMARY = match_pb2.MutualPairsSummary(
    pairs=3, source_items=5, target_items=6, source={"name": "spaces/a", "version": 1}, target={"name": "spaces/b", "version": 2},
    mode=match_pb2.PAIR_MODE_MAX, threshold=0.5, correction=match_pb2.CORRECTION_MARGIN_RATIO, correction_k=4, bridge="bridges/a-to-b",
    agreement={"known_sources": 4, "judged": 2, "right": 1, "found": 1, "precision": 0.5, "precision_interval": {"low": 0.1, "high": 0.9},
               "recall": 0.25, "recall_interval": {"low": 0.05, "high": 0.7}},
)  # fmt: skip


@dataclass
class Scripted:
    """What the server does, and what it saw."""

    failures: dict[str, list] = field(default_factory=dict)
    calls: list = field(default_factory=list)
    spaces: dict = field(default_factory=dict)
    staged: dict = field(default_factory=dict)
    committed: dict = field(default_factory=dict)
    break_after: list = field(default_factory=list)
    """Of each upload stream in turn: how many batches it takes before it breaks, None for none."""
    limits: dict = field(default_factory=lambda: {"max_message_bytes": 64 << 20, "upload_batch_bytes": 1 << 20})
    operation_steps: int = 0
    """How often an operation is asked before it is done; 0 answers within the call."""
    operation_ends: object = None
    serving: bool = True
    alarm: bool = False
    delay: float = 0.0
    match_requests: list = field(default_factory=list)
    broken_pairs: list = field(default_factory=list)
    """Of each stream of pairs in turn: after how many blocks it breaks, None for none."""

    def seen(self, name):
        return [call for call in self.calls if call[0] == name]

    def enter(self, name, context):
        metadata = dict(context.invocation_metadata())
        self.calls.append((name, metadata, context.time_remaining()))
        context.set_trailing_metadata(
            (("x-request-id", metadata["x-request-id"]), ("consilience-stage-scan-seconds", "0.25"), ("consilience-total-seconds", "0.5"),
             ("consilience-cache-tier", "memory"), ("consilience-unknown", "?"))
        )  # fmt: skip
        time.sleep(self.delay)
        waiting = self.failures.get(name)
        if waiting:
            waiting.pop(0).abort(context)


class SpaceServicer(space_pb2_grpc.SpaceServiceServicer):
    def __init__(self, script):
        self.script = script

    def CreateSpace(self, request, context):
        self.script.enter("CreateSpace", context)
        assert request.request_id
        space = request.space
        space.name = f"spaces/{request.space_id}"
        space.uid = "u"
        self.script.spaces[space.name] = space
        return space_pb2.CreateSpaceResponse(space=space)

    def GetSpace(self, request, context):
        self.script.enter("GetSpace", context)
        if request.name not in self.script.spaces:
            Failure(grpc.StatusCode.NOT_FOUND, "SPACE_NOT_FOUND").abort(context)
        return space_pb2.GetSpaceResponse(space=self.script.spaces[request.name])

    def ListSpaces(self, request, context):
        self.script.enter("ListSpaces", context)
        names = sorted(self.script.spaces)
        start = int(request.page_token or 0)
        token = str(start + 2) if start + 2 < len(names) else ""
        return space_pb2.ListSpacesResponse(spaces=[self.script.spaces[name] for name in names[start : start + 2]], next_page_token=token)

    def DeleteSpace(self, request, context):
        self.script.enter("DeleteSpace", context)
        del self.script.spaces[request.name]
        return space_pb2.DeleteSpaceResponse()

    def UpsertEmbeddings(self, requests, context):
        self.script.enter("UpsertEmbeddings", context)
        most = self.script.break_after.pop(0) if self.script.break_after else None
        header = next(requests).header
        if header.request_id in self.script.committed:
            # Repeated: the rows are compared, and nothing is staged.
            ids = [item for request in requests for item in request.batch.ids]
            if ids != [item for item, _ in self.script.staged[header.request_id]]:
                Failure(grpc.StatusCode.ABORTED, "UPLOAD_CONFLICT", field="header.request_id").abort(context)
            return self.script.committed[header.request_id]
        rows = self.script.staged.setdefault(header.request_id, [])
        if header.first_row != len(rows):
            Failure(grpc.StatusCode.ABORTED, "UPLOAD_CONFLICT").abort(context)
        for count, request in enumerate(requests):
            if count == most:
                context.abort(grpc.StatusCode.UNAVAILABLE, "broken")
            vectors = np.frombuffer(request.batch.vectors.data, "<f4").reshape(request.batch.vectors.rows, -1)
            if not np.isfinite(vectors).all():
                del self.script.staged[header.request_id]
                Failure(grpc.StatusCode.INVALID_ARGUMENT, "NOT_FINITE").abort(context)
            rows += zip(request.batch.ids, vectors.tolist(), strict=True)
        if most == "lost answer":
            self.script.committed[header.request_id] = self.answer(header, rows)
            context.abort(grpc.StatusCode.UNAVAILABLE, "broken after the commit")
        assert header.total_rows in {0, len(rows)}
        self.script.committed[header.request_id] = self.answer(header, rows)
        return self.script.committed[header.request_id]

    def answer(self, header, rows):
        return space_pb2.UpsertEmbeddingsResponse(version=len(self.script.committed) + 1, inserted=len(rows), space={"name": header.space})

    def GetUpload(self, request, context):
        self.script.enter("GetUpload", context)
        if request.request_id not in self.script.staged:
            Failure(grpc.StatusCode.NOT_FOUND, "UPLOAD_NOT_FOUND").abort(context)
        rows = self.script.staged[request.request_id]
        return space_pb2.GetUploadResponse(staged_rows=len(rows), committed=self.script.committed.get(request.request_id))

    def GetEmbeddings(self, request, context):
        self.script.enter("GetEmbeddings", context)
        start = int(request.page_token or 0)
        ids = list(request.ids) or [f"item-{row}" for row in range(5)]
        part = ids[start : start + 2]
        data = np.arange(start, start + len(part), dtype="<f4")
        attributes = [] if start else [{"name": "label", "integers": {"values": [1] * len(part)}}]
        return space_pb2.GetEmbeddingsResponse(
            space={"name": request.space.name, "version": 3},
            ids=part,
            vectors=matrix_pb2.Matrix(data=data.tobytes(), dtype=1, rows=len(part), columns=1),
            attributes=attributes,
            next_page_token=str(start + 2) if start + 2 < len(ids) else "",
        )

    def DeleteEmbeddings(self, request, context):
        self.script.enter("DeleteEmbeddings", context)
        return space_pb2.DeleteEmbeddingsResponse(version=2, deleted=len(request.ids), absent=0)


class AlignmentServicer(alignment_pb2_grpc.AlignmentServiceServicer):
    def __init__(self, script):
        self.script = script

    def Align(self, request, context):
        self.script.enter("Align", context)
        self.script.last = request
        if self.script.operation_steps or request.mode == alignment_pb2.EXECUTION_MODE_OPERATION:
            return alignment_pb2.AlignResponse(operation=operation(self.script, 0))
        return alignment_pb2.AlignResponse(report=report())

    def AlignArrays(self, requests, context):
        self.script.enter("AlignArrays", context)
        self.script.last = list(requests)
        return alignment_pb2.AlignArraysResponse(report=report())

    def AlignMatrix(self, request, context):
        self.script.enter("AlignMatrix", context)
        self.script.last = request
        square = matrix(np.eye(len(request.spaces)))
        names = ("scores", "chance", "excess", "calibrated", "p_values", "interval_low", "interval_high")
        return alignment_pb2.AlignMatrixResponse(
            matrix=alignment_pb2.AlignmentMatrix(
                metric=1, k=10, items=request.items, spaces=[{"name": ref.name, "version": 1} for ref in request.spaces],
                n=[7] * len(request.spaces) ** 2, **dict.fromkeys(names, square),
            )
        )  # fmt: skip

    def Consensus(self, request, context):
        self.script.enter("Consensus", context)
        self.script.last = request
        if request.mode == alignment_pb2.EXECUTION_MODE_OPERATION:
            self.script.operation_ends = consensus(request)
            return alignment_pb2.ConsensusResponse(operation=operation(self.script, 0))
        return consensus(request)

    def Trend(self, request, context):
        self.script.enter("Trend", context)
        self.script.last = request
        if request.mode == alignment_pb2.EXECUTION_MODE_OPERATION:
            self.script.operation_ends = trend(request)
            return alignment_pb2.TrendResponse(operation=operation(self.script, 0))
        return trend(request)


def trend(request):
    """A trend of made-up numbers, with what was asked in it."""
    count = len(request.spaces)
    told = alignment_pb2.TrendReport(
        metric=1, k=10, spaces=[{"name": ref.name, "version": 1} for ref in request.spaces], against=request.against,
        scores=[0.1 * at for at in range(count)], chance=[0.01] * count, excess=[0.1] * count, families=request.families,
        scale=request.scale or 1, spearman=0.875, spearman_interval={"low": 0.5, "high": 0.99, "confidence": 0.95}, pearson=0.5,
        pearson_interval={"low": -0.25, "high": 0.9, "confidence": 0.95}, spearman_p_value=0.0125, pearson_p_value=0.25, pairings=24,
        exact=True, slope=0.002, intercept=0.25, buckets=[{"low": 1, "high": 9, "members": range(count), "mean": 0.3, "count": 3}],
        n=100, permutations=999, warnings=["few spaces"], against_name=request.against_name, against_kind=request.against_kind,
    )  # fmt: skip
    if request.HasField("reference"):
        told.reference.name = request.reference.name
        return alignment_pb2.TrendResponse(report=told, spearman=0.875, reports=[report(0.1 * at) for at in range(count)])
    told.pair_scores.CopyFrom(matrix(np.full((count, count), 0.5)))
    told.across.CopyFrom(matrix([[0.3]]))
    return alignment_pb2.TrendResponse(report=told, spearman=0.875)


def consensus(request):
    """A consensus of made-up numbers, with what was asked in it."""
    told = alignment_pb2.ConsensusReport(
        method=request.method or 1, spaces=[{"name": ref.name, "version": 1} for ref in request.spaces],
        weights=[1 / len(request.spaces)] * len(request.spaces), n=100, dim=7, kept=0.875, ratio=0.5, converged=True,
        leave_one_out=[report(0.1 * at) for at in range(len(request.spaces))], k=10, ids=["p", "q"],
        agreement=matrix([[0.25], [0.75]]), mean_agreement=0.5, chance=0.1, most=[{"id": "q", "agreement": 0.75}],
        least=[{"id": "p", "agreement": 0.25}], warnings=["look at c"],
    )  # fmt: skip
    space = {"name": f"spaces/{request.consensus_space_id}", "dim": 7} if request.consensus_space_id else None
    return alignment_pb2.ConsensusResponse(space=space, report=told)


class BridgeAlgebraServicer(bridge_algebra_pb2_grpc.BridgeAlgebraServiceServicer):
    def __init__(self, script):
        self.script = script

    def ComposeBridges(self, request, context):
        self.script.enter("ComposeBridges", context)
        self.script.last = request
        return bridge_algebra_pb2.ComposeBridgesResponse(bridge={"name": f"bridges/{request.bridge_id}", "method": 50, "derivation": 2})

    def InvertBridge(self, request, context):
        self.script.enter("InvertBridge", context)
        self.script.last = request
        parent = {"name": request.bridge, "method": 5}
        made = {"name": f"bridges/{request.bridge_id}", "method": 5, "derivation": 3, "parents": [parent], "notes": ["As told."]}
        return bridge_algebra_pb2.InvertBridgeResponse(bridge=made)


class BridgeServicer(bridge_pb2_grpc.BridgeServiceServicer):
    def __init__(self, script):
        self.script = script

    def FitBridge(self, request, context):
        self.script.enter("FitBridge", context)
        self.script.last = request
        return bridge_pb2.FitBridgeResponse(bridge={"name": f"bridges/{request.bridge_id}", "method": 4, "fit_pairs": 3})

    def EvaluateBridge(self, request, context):
        self.script.enter("EvaluateBridge", context)
        self.script.last = request
        return bridge_pb2.EvaluateBridgeResponse(report={"method": 4, "queries": 2, "gallery": 3}, notes=["As told."])

    def ExportBridge(self, request, context):
        self.script.enter("ExportBridge", context)
        self.script.last = request
        content = b"safetensors" if request.format == 2 else f"onnx of side {request.side}".encode()
        part = content[request.offset : request.offset + 8]
        return bridge_pb2.ExportBridgeResponse(
            onnx=b"" if request.format == 2 else part, safetensors=part if request.format == 2 else b"", total_bytes=len(content), uid="u"
        )

    def ListBridges(self, request, context):
        self.script.enter("ListBridges", context)
        return bridge_pb2.ListBridgesResponse(
            bridges=[{"name": f"bridges/b{request.page_token}"}], next_page_token="" if request.page_token else "2"
        )


def watch(name="watches/w", *, alarm=False):
    use = {"name": "spaces/a", "uid": "u", "version": 1}
    last = watch_pb2.WatchResult(
        number=3, x=use, y={"name": "spaces/b", "uid": "v", "version": 2}, score=0.3, chance=0.01, interval={"low": 0.25, "high": 0.35},
        baseline_score=0.5, difference=-0.2, difference_low=-0.25, difference_high=-0.15, level=0.01, alarm=alarm, probes=4096,
        coverage=1.0, gallery_items=5000, common_items=6000, kept_x=1.0, kept_y=0.25,
        fallen=[{"item_id": "p", "baseline_overlap": 0.5, "overlap": 0.25, "x_before": ["q"], "x_now": ["q"], "y_before": ["q"],
                 "y_now": ["r"]}],
    )  # fmt: skip
    return watch_pb2.Watch(
        name=name, spec={"x": "spaces/a", "y": "spaces/b", "metric": 1, "k": 10}, state=2 if alarm else 1, alarm=alarm, checks=3,
        baseline={"x": use, "y": use, "score": 0.5, "probes": 4096, "gallery_items": 5000, "min_drop": 0.05}, last_result=last,
        false_alarms_per_year=0.0125,
    )  # fmt: skip


class WatchServicer(watch_pb2_grpc.WatchServiceServicer):
    def __init__(self, script):
        self.script = script

    def CreateWatch(self, request, context):
        self.script.enter("CreateWatch", context)
        self.script.last = request
        if self.script.operation_steps:
            self.script.operation_ends = watch_pb2.CreateWatchResponse(watch=watch("watches/late"))
            return watch_pb2.CreateWatchResponse(operation=operation(self.script, 0))
        return watch_pb2.CreateWatchResponse(watch=watch(f"watches/{request.watch_id}"))

    def GetWatch(self, request, context):
        self.script.enter("GetWatch", context)
        return watch_pb2.GetWatchResponse(watch=watch(request.name, alarm=self.script.alarm))

    def ListWatches(self, request, context):
        self.script.enter("ListWatches", context)
        end = bool(request.page_token)
        watches = [watch("watches/v" if end else "watches/w", alarm=self.script.alarm and end)]
        return watch_pb2.ListWatchesResponse(watches=watches, next_page_token="" if end else "2")

    def RunWatch(self, request, context):
        self.script.enter("RunWatch", context)
        return watch_pb2.RunWatchResponse(watch=watch(request.name, alarm=self.script.alarm))

    def RebaselineWatch(self, request, context):
        self.script.enter("RebaselineWatch", context)
        self.script.last = request
        return watch_pb2.RebaselineWatchResponse(watch=watch(request.name))

    def ListWatchResults(self, request, context):
        self.script.enter("ListWatchResults", context)
        first = 5 - int(request.page_token or 0)
        numbers = range(first, max(first - min(request.page_size, 4), 0), -1)
        results = [watch_pb2.WatchResult(number=number, level=0.01) for number in numbers]
        return watch_pb2.ListWatchResultsResponse(
            results=results, spec={"metric": 1, "k": 10}, next_page_token=str(5 - numbers[-1] + 1) if numbers[-1] > 1 else ""
        )

    def DeleteWatch(self, request, context):
        self.script.enter("DeleteWatch", context)
        assert request.request_id
        return watch_pb2.DeleteWatchResponse()


class MatchServicer(match_pb2_grpc.MatchServiceServicer):
    def __init__(self, script):
        self.script = script

    def Match(self, request, context):
        self.script.enter("Match", context)
        self.script.match_requests.append(request)
        kind = request.WhichOneof("queries")
        count = len(request.ids.ids) if kind == "ids" else request.vectors.rows
        scores = matrix(np.full((count, request.k), len(self.script.match_requests)))
        return match_pb2.MatchResponse(
            report=match_pb2.MatchReport(
                queries=count, k=request.k, ids=["x"] * (count * request.k), similarities=scores, scores=scores,
                correction=request.correction, gallery={"name": "spaces/b", "version": 9},
                certificate={"certified_rows": count, "error_bound": 1e-6},
            )
        )  # fmt: skip

    def MutualPairs(self, request, context):
        self.script.enter("MutualPairs", context)
        self.script.last = request
        if request.execution == alignment_pb2.EXECUTION_MODE_OPERATION or (self.script.operation_steps and not request.resume_token):
            self.script.operation_ends = match_pb2.MutualPairsResponse(summary=PAIRS_SUMMARY, resume_token="0")
            yield match_pb2.MutualPairsResponse(operation=operation(self.script, 0))
            return
        most = self.script.broken_pairs.pop(0) if self.script.broken_pairs else None
        begin = int(request.resume_token or 0)
        for count, block in enumerate(range(begin, 3)):
            if count == most:
                context.abort(grpc.StatusCode.UNAVAILABLE, "broken")
            yield match_pb2.MutualPairsResponse(
                source_ids=["abc"[block]], target_ids=["xyz"[block]], scores=matrix([[0.9 - block / 10]]), first=block,
                similarities=matrix([[0.5]]), resume_token=str(block + 1) if block < 2 else "",
                summary=PAIRS_SUMMARY if count == 0 and self.script.operation_ends != "no summary" else None,
            )  # fmt: skip


class ServerServicer(server_pb2_grpc.ServerServiceServicer):
    def __init__(self, script):
        self.script = script

    def GetServerInfo(self, request, context):
        self.script.enter("GetServerInfo", context)
        return server_pb2.GetServerInfoResponse(
            version="9", limits=self.script.limits, metrics=[1, 2], cache_tiers=["memory"], bridge_methods=[1]
        )


def operation(script, step):
    done = step >= script.operation_steps
    told = operations_pb2.Operation(
        name="operations/align-1",
        done=done,
        metadata=packed(operation_pb2.OperationMetadata(kind="align", progress=step / max(1, script.operation_steps))),
    )
    if done and isinstance(script.operation_ends, Failure):
        told.error.CopyFrom(status(script.operation_ends.code, "told", script.operation_ends.reason))
    elif done:
        told.response.CopyFrom(packed(script.operation_ends or alignment_pb2.AlignResponse(report=report(0.75))))
    return told


class OperationsServicer(operations_pb2_grpc.OperationsServicer):
    def __init__(self, script):
        self.script = script
        self.step = 0

    def WaitOperation(self, request, context):
        self.script.enter("WaitOperation", context)
        self.step += 1
        return operation(self.script, self.step)

    def GetOperation(self, request, context):
        self.script.enter("GetOperation", context)
        return operation(self.script, self.step)

    def ListOperations(self, request, context):
        self.script.enter("ListOperations", context)
        return operations_pb2.ListOperationsResponse(operations=[operation(self.script, self.step)])

    def CancelOperation(self, request, context):
        self.script.enter("CancelOperation", context)
        self.script.last = request
        return empty_pb2.Empty()


def scripted_server(script):
    """A running server on a free loopback port, and its address."""
    server = grpc.server(ThreadPoolExecutor(8), options=(("grpc.max_receive_message_length", 128 << 20),))
    space_pb2_grpc.add_SpaceServiceServicer_to_server(SpaceServicer(script), server)
    alignment_pb2_grpc.add_AlignmentServiceServicer_to_server(AlignmentServicer(script), server)
    bridge_pb2_grpc.add_BridgeServiceServicer_to_server(BridgeServicer(script), server)
    bridge_algebra_pb2_grpc.add_BridgeAlgebraServiceServicer_to_server(BridgeAlgebraServicer(script), server)
    watch_pb2_grpc.add_WatchServiceServicer_to_server(WatchServicer(script), server)
    match_pb2_grpc.add_MatchServiceServicer_to_server(MatchServicer(script), server)
    server_pb2_grpc.add_ServerServiceServicer_to_server(ServerServicer(script), server)
    operations_pb2_grpc.add_OperationsServicer_to_server(OperationsServicer(script), server)
    health = grpc.unary_unary_rpc_method_handler(lambda request, context: b"\x08\x01" if script.serving else b"\x08\x02")
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": health}),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, f"127.0.0.1:{port}"
