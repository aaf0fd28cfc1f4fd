"""WatchService: pairs of spaces whose alignment is watched."""

# ruff: noqa: N802 - gRPC finds methods by the contract's names

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from consilience.v1 import watch_pb2, watch_pb2_grpc
from consilience_server.app.call import Call
from consilience_server.app.watch_records import WatchRecord
from consilience_server.app.watching import Watching
from consilience_server.rpc.convert.names import watch_id
from consilience_server.rpc.convert.watch import read_watch_spec, write_result, write_watch, write_watch_spec
from consilience_server.rpc.execution import Execution

Answer = TypeVar("Answer", watch_pb2.CreateWatchResponse, watch_pb2.RunWatchResponse, watch_pb2.RebaselineWatchResponse)


class WatchService(watch_pb2_grpc.WatchServiceServicer):
    """Converts, calls, converts.

    Args:
        watching: the use cases.
        execution: decides between answer and operation.
    """

    def __init__(self, watching: Watching, execution: Execution) -> None:
        self._watching = watching
        self._execution = execution

    async def CreateWatch(self, request: watch_pb2.CreateWatchRequest, _context: Any) -> bytes | watch_pb2.CreateWatchResponse:
        """Takes a baseline and keeps it."""
        spec = read_watch_spec(request)

        async def work(call: Call) -> WatchRecord:
            return await self._watching.create(call, spec, request.request_id)

        return await self._answer(request, watch_pb2.CreateWatchResponse, lambda: self._watching.estimate_seconds(spec), work)

    async def GetWatch(self, request: watch_pb2.GetWatchRequest, _context: Any) -> watch_pb2.GetWatchResponse:
        """A watch as it stands."""
        return watch_pb2.GetWatchResponse(watch=write_watch(*await self._watching.get(watch_id(request.name, "name"))))

    async def ListWatches(self, request: watch_pb2.ListWatchesRequest, _context: Any) -> watch_pb2.ListWatchesResponse:
        """A page of watches by name."""
        found, token = await self._watching.list(request.page_size, request.page_token)
        return watch_pb2.ListWatchesResponse(watches=[write_watch(*entry) for entry in found], next_page_token=token)

    async def DeleteWatch(self, request: watch_pb2.DeleteWatchRequest, _context: Any) -> watch_pb2.DeleteWatchResponse:
        """Removes a watch, its history and its gauges."""
        await self._watching.delete(watch_id(request.name, "name"), request.request_id)
        return watch_pb2.DeleteWatchResponse()

    async def RunWatch(self, request: watch_pb2.RunWatchRequest, _context: Any) -> bytes | watch_pb2.RunWatchResponse:
        """Checks now."""
        name = watch_id(request.name, "name")

        async def work(call: Call) -> WatchRecord:
            return await self._watching.check(call, name)

        return await self._answer(request, watch_pb2.RunWatchResponse, lambda: self._estimate(name), work)

    async def RebaselineWatch(self, request: watch_pb2.RebaselineWatchRequest, _context: Any) -> bytes | watch_pb2.RebaselineWatchResponse:
        """Accepts what is as the new baseline."""
        name = watch_id(request.name, "name")

        async def work(call: Call) -> WatchRecord:
            return await self._watching.rebaseline(call, name, request.request_id)

        return await self._answer(request, watch_pb2.RebaselineWatchResponse, lambda: self._estimate(name), work)

    async def ListWatchResults(self, request: watch_pb2.ListWatchResultsRequest, _context: Any) -> watch_pb2.ListWatchResultsResponse:
        """A page of results, the newest first."""
        name = watch_id(request.name, "name")
        spec, found, token = await self._watching.results(name, request.page_size, request.page_token)
        return watch_pb2.ListWatchResultsResponse(
            results=[write_result(result) for result in found], next_page_token=token, spec=write_watch_spec(spec)
        )

    async def _estimate(self, name: str) -> float:
        record, _ = await self._watching.get(name)
        return await self._watching.estimate_seconds(record.spec)

    async def _answer(
        self,
        request: watch_pb2.CreateWatchRequest | watch_pb2.RunWatchRequest | watch_pb2.RebaselineWatchRequest,
        response: type[Answer],
        estimate: Callable[[], Awaitable[float]],
        work: Callable[[Call], Awaitable[WatchRecord]],
    ) -> bytes | Answer:
        """The watch after the work, or the operation that does it."""

        async def encoded(call: Call) -> bytes:
            record = await work(call)
            watch = write_watch(record, await self._watching.standing(record))
            return response(watch=watch).SerializeToString(deterministic=True)

        return await self._execution.answer(request, response, estimate, encoded)
