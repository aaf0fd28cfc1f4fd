"""PmiService: spaces of what occurs together."""

# ruff: noqa: N802 - gRPC finds methods by the contract's names

import hashlib
import secrets
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
from google.longrunning import operations_pb2

from consilience.v1 import pmi_pb2, pmi_pb2_grpc
from consilience_server.app.call import Call
from consilience_server.app.memory_budget import Account
from consilience_server.app.pmi import Counts, PmiSpaces
from consilience_server.core.errors import InvalidArgument, ShapeMismatch
from consilience_server.rpc.convert.pmi import encode_pmi, read_counts, read_pmi
from consilience_server.rpc.current_call import current_call
from consilience_server.rpc.execution import Execution

_CELL_BYTES = 16
_SECONDS_PER_CELL_AXIS = 2e-8
"""Of a truncated decomposition, measured on one Zen 3 core with 200 axes."""


class PmiService(pmi_pb2_grpc.PmiServiceServicer):
    """Converts, calls, converts.

    Args:
        spaces: the use case.
        execution: decides between answer and operation.
        account: asked before counts are received.
    """

    def __init__(self, spaces: PmiSpaces, execution: Execution, account: Account) -> None:
        self._spaces = spaces
        self._execution = execution
        self._account = account

    async def CreatePmiSpace(
        self, requests: AsyncIterator[pmi_pb2.CreatePmiSpaceRequest], _context: Any
    ) -> bytes | pmi_pb2.CreatePmiSpaceResponse:
        """A space of the PMI of sparse counts."""
        first = await anext(requests, None)
        if first is None or first.WhichOneof("part") != "header":
            raise InvalidArgument("the first message is the header", field="header")
        header, query = first.header, read_pmi(first.header)
        # The name of the upload; a caller who gives none cannot repeat it.
        request_id = header.request_id or secrets.token_hex(16)
        await self._spaces.check(current_call(), query, request_id)
        counts, digest = await self._receive(requests, header.cells)

        async def work(call: Call) -> bytes:
            return await self._spaces.create(call, query, counts, request_id, encode_pmi)

        async def estimate() -> float:
            dense = 0.0 if query.options.is_sparse else 1e-8 * len(query.ids) * query.contexts * min(len(query.ids), query.contexts) ** 0.5
            return _SECONDS_PER_CELL_AXIS * len(counts.values) * query.rank + dense

        answer = await self._execution.run(
            current_call(),
            header.mode,
            estimate,
            work,
            request_id=header.request_id,
            request=header.SerializeToString(deterministic=True) + digest,
        )
        return pmi_pb2.CreatePmiSpaceResponse(operation=answer) if isinstance(answer, operations_pb2.Operation) else answer

    async def _receive(self, requests: AsyncIterator[pmi_pb2.CreatePmiSpaceRequest], announced: int) -> tuple[Counts, bytes]:
        """All cells of the stream, and their digest; the budget is asked while they arrive."""
        blocks: list[Counts] = []
        digest = hashlib.blake2b(digest_size=32)
        received = 0
        with self._account.borrowed(_CELL_BYTES * announced, f"{announced:,} counts"):
            async for request in requests:
                if request.WhichOneof("part") != "counts":
                    raise InvalidArgument("after the header come blocks of counts", field="counts")
                block = read_counts(request.counts)
                for part in (request.counts.rows, request.counts.columns, request.counts.counts):
                    digest.update(part)
                received += len(block.values)
                if announced and received > announced:
                    raise ShapeMismatch(f"{announced:,} cells were announced, more came", field="header.cells")
                blocks.append(block)
            if announced and received != announced:
                raise ShapeMismatch(f"{announced:,} cells were announced, {received:,} came", field="header.cells")
            if not blocks:
                raise InvalidArgument("there are no counts; send the cells above 0", field="counts")
            joined = Counts(*(np.concatenate([getattr(block, name) for block in blocks]) for name in ("rows", "columns", "values")))
        return joined, digest.digest()
