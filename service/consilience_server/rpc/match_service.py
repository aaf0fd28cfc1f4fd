"""MatchService: predicted correspondences."""

# ruff: noqa: N802 - gRPC finds methods by the contract's names

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from google.longrunning import operations_pb2

from consilience.v1 import match_pb2, match_pb2_grpc
from consilience_server.app.call import Call
from consilience_server.app.matching import Matching
from consilience_server.app.reports import MatchReport
from consilience_server.app.translation import Translation
from consilience_server.rpc.convert.match import read_match, write_match
from consilience_server.rpc.convert.pairs import read_mutual_pairs, write_found_pairs, write_pair_block
from consilience_server.rpc.current_call import current_call
from consilience_server.rpc.execution import Execution
from consilience_server.rpc.translate_stream import translate_stream


class MatchService(match_pb2_grpc.MatchServiceServicer):
    """Converts, calls, converts.

    Args:
        matching: the use cases.
        translation: opens bridges for streams of vectors.
        execution: decides between answer and operation.
    """

    def __init__(self, matching: Matching, translation: Translation, execution: Execution) -> None:
        self._matching = matching
        self._translation = translation
        self._execution = execution

    async def Match(self, request: match_pb2.MatchRequest, _context: Any) -> bytes | match_pb2.MatchResponse:
        """The k nearest items of the gallery for each query."""
        query = read_match(request)

        async def work(call: Call) -> bytes:
            return await self._matching.match(call, query, _encode_match)

        call = current_call()
        # The request has no request id: every operation is new, and the query vectors need not be kept.
        answer = await self._execution.run(
            call, request.mode, lambda: self._matching.estimate_seconds(call, query), work, request_id="", request=b""
        )
        return match_pb2.MatchResponse(operation=answer) if isinstance(answer, operations_pb2.Operation) else answer

    async def MutualPairs(self, request: match_pb2.MutualPairsRequest, _context: Any) -> AsyncIterator[match_pb2.MutualPairsResponse]:
        """The pairs of two spaces in blocks, or the operation that finds them."""
        query = read_mutual_pairs(request)

        call = current_call()

        async def work(started: Call) -> bytes:
            if started is call:
                return b""  # within the call: the blocks below find the pairs themselves
            summary, token = await self._matching.find_mutual_pairs(started, query)
            return write_found_pairs(summary, token).SerializeToString(deterministic=True)

        answer = await self._execution.run(
            call, request.execution, lambda: self._matching.estimate_pairs_seconds(call, query), work, request_id="", request=b""
        )
        if isinstance(answer, operations_pb2.Operation):
            yield match_pb2.MutualPairsResponse(operation=answer)
            return
        # Closed with the call: a caller who left must not keep the spaces in memory.
        async with aclosing(self._matching.mutual_pairs(call, query, write_pair_block)) as blocks:
            async for block in blocks:
                yield block

    async def Translate(
        self, requests: AsyncIterator[match_pb2.TranslateRequest], _context: Any
    ) -> AsyncIterator[match_pb2.TranslateResponse]:
        """Vectors in, bridged vectors out, batch by batch."""
        async with aclosing(translate_stream(current_call(), self._translation, requests)) as answers:
            async for answer in answers:
                yield answer


def _encode_match(report: MatchReport) -> bytes:
    return match_pb2.MatchResponse(report=write_match(report)).SerializeToString(deterministic=True)
