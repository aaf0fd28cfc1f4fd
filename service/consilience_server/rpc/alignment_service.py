"""AlignmentService: how far spaces agree."""

# ruff: noqa: N802 - gRPC finds methods by the contract's names

from collections.abc import AsyncIterator
from typing import Any

from consilience.v1 import alignment_pb2, alignment_pb2_grpc
from consilience_server.app.alignment import Alignment
from consilience_server.app.call import Call
from consilience_server.app.consensus import Consensus
from consilience_server.app.gallery_curves import GalleryCurves
from consilience_server.app.memory_budget import Account
from consilience_server.app.reports import AlignmentMatrix, AlignmentReport
from consilience_server.app.trend import Trends
from consilience_server.rpc.convert.alignment import read_controls, read_policy, read_spec, write_report
from consilience_server.rpc.convert.alignment_arrays import (
    read_array_similarity,
    read_beside,
    read_fold_groups,
    read_groups,
    read_kernels,
    read_layers,
)
from consilience_server.rpc.convert.alignment_matrix import write_alignment_matrix
from consilience_server.rpc.convert.consensus import encode_consensus, read_consensus
from consilience_server.rpc.convert.gallery_curve import encode_gallery_curve, read_gallery_curve
from consilience_server.rpc.convert.names import side_query, space_query
from consilience_server.rpc.convert.trend import encode_trend, read_trend
from consilience_server.rpc.current_call import current_call
from consilience_server.rpc.execution import Execution
from consilience_server.rpc.received_arrays import ReceivedArrays, memory_for, read_header, receive


class AlignmentService(alignment_pb2_grpc.AlignmentServiceServicer):
    """Converts, calls, converts.

    Args:
        alignment: the use cases.
        trends: likewise.
        consensus: likewise.
        curves: likewise.
        execution: decides between answer and operation.
        account: asked before arrays are received.
        max_dim: widest arrays received.
    """

    def __init__(
        self,
        alignment: Alignment,
        trends: Trends,
        consensus: Consensus,
        curves: GalleryCurves,
        execution: Execution,
        account: Account,
        max_dim: int,
    ) -> None:
        self._alignment = alignment
        self._trends = trends
        self._consensus = consensus
        self._curves = curves
        self._execution = execution
        self._account = account
        self._max_dim = max_dim

    async def Align(self, request: alignment_pb2.AlignRequest, _context: Any) -> bytes | alignment_pb2.AlignResponse:
        """The alignment of two spaces."""
        x, y, spec = side_query(request.x, "x"), side_query(request.y, "y"), read_spec(request.spec)
        controls = read_controls(request.controls)
        given = space_query(request.given, "given") if request.HasField("given") else None

        async def work(call: Call) -> bytes:
            return await self._alignment.align(call, x, y, spec, _encode_report, controls, given)

        async def estimate() -> float:
            return await self._alignment.estimate_align(x, y, spec, controls, given)

        return await self._execution.answer(request, alignment_pb2.AlignResponse, estimate, work)

    async def AlignArrays(
        self, requests: AsyncIterator[alignment_pb2.AlignArraysRequest], _context: Any
    ) -> alignment_pb2.AlignArraysResponse:
        """The alignment of two arrays; nothing is stored."""
        header = await read_header(requests, self._max_dim)
        similarity, spec = read_array_similarity(header), read_spec(header.spec)
        with memory_for(header, self._account):
            arrays = ReceivedArrays(header)
            await receive(requests, arrays)
            x, y = arrays.finish()
            groups, kernels, layers = read_groups(header), read_kernels(header), read_layers(header)
            report = await self._alignment.align_arrays(
                current_call(),
                x,
                y,
                similarity,
                spec,
                groups,
                kernels,
                layers,
                read_fold_groups(header),
                read_beside(header, arrays.beside),
            )
        return alignment_pb2.AlignArraysResponse(report=write_report(report))

    async def AlignMatrix(self, request: alignment_pb2.AlignMatrixRequest, _context: Any) -> bytes | alignment_pb2.AlignMatrixResponse:
        """All pairs of M spaces."""
        spaces = [space_query(reference, f"spaces[{position}]") for position, reference in enumerate(request.spaces)]
        policy, spec = read_policy(request.items), read_spec(request.spec)

        async def work(call: Call) -> bytes:
            return await self._alignment.align_matrix(call, spaces, policy, spec, _encode_matrix)

        async def estimate() -> float:
            # No spaces: the use case refuses at once.
            return await self._alignment.estimate_seconds(spaces, spec) if spaces else 0.0

        return await self._execution.answer(request, alignment_pb2.AlignMatrixResponse, estimate, work)

    async def Trend(self, request: alignment_pb2.TrendRequest, _context: Any) -> bytes | alignment_pb2.TrendResponse:
        """How alignment goes with a number that each space has."""
        query = read_trend(request)

        async def work(call: Call) -> bytes:
            return await self._trends.trend(call, query, encode_trend)

        return await self._execution.answer(request, alignment_pb2.TrendResponse, lambda: self._trends.estimate_seconds(query), work)

    async def GalleryCurve(self, request: alignment_pb2.GalleryCurveRequest, _context: Any) -> bytes | alignment_pb2.GalleryCurveResponse:
        """Alignment over nested galleries."""
        query = read_gallery_curve(request)

        async def work(call: Call) -> bytes:
            return await self._curves.curve(call, query, encode_gallery_curve)

        return await self._execution.answer(request, alignment_pb2.GalleryCurveResponse, lambda: self._curves.estimate_seconds(query), work)

    async def Consensus(self, request: alignment_pb2.ConsensusRequest, _context: Any) -> bytes | alignment_pb2.ConsensusResponse:
        """What the spaces agree on, kept as a space where a name is given."""
        query = read_consensus(request)

        async def work(call: Call) -> bytes:
            return await self._consensus.consensus(call, query, request.request_id, encode_consensus)

        return await self._execution.answer(request, alignment_pb2.ConsensusResponse, lambda: self._consensus.estimate_seconds(query), work)


def _encode_report(report: AlignmentReport) -> bytes:
    return alignment_pb2.AlignResponse(report=write_report(report)).SerializeToString(deterministic=True)


def _encode_matrix(matrix: AlignmentMatrix) -> bytes:
    return alignment_pb2.AlignMatrixResponse(matrix=write_alignment_matrix(matrix)).SerializeToString(deterministic=True)
