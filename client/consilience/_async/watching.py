"""Calls that watch the alignment of pairs of spaces."""

from typing import Any, cast

from consilience import _names
from consilience._async.operations import AsyncOperationCalls
from consilience._codec.watches import decode_watch, decode_watch_result
from consilience._methods import (
    CREATE_WATCH,
    DELETE_WATCH,
    GET_WATCH,
    LIST_WATCH_RESULTS,
    LIST_WATCHES,
    REBASELINE_WATCH,
    RUN_WATCH,
)
from consilience._numbers import UINT64, seconds, share, whole
from consilience._progress import Progress
from consilience._results.base import CallDetails
from consilience._results.space import Space
from consilience._results.watch import Watch, WatchResult
from consilience._results.watch_history import WatchHistory
from consilience.v1 import watch_pb2

_PAGE = 1000


class AsyncWatchCalls(AsyncOperationCalls):
    """Pairs of spaces that are measured again and again, with an alarm when their alignment has dropped."""

    async def watch(
        self,
        x: str | Space,
        y: str | Space,
        name: str,
        *,
        k: int = 10,
        metric: str = "mutual_knn",
        probes: int = 4096,
        seed: int = 0,
        min_drop: float | None = None,
        alpha: float = 0.05,
        on_versions: bool = True,
        every_seconds: float | None = None,
        progress: Progress = False,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> Watch:
        """Take the alignment of two spaces as a baseline, and watch from now on whether it drops.

        At every check the same probes are asked against the items of the baseline that both spaces still have, so a gallery that merely
        grows moves nothing. An alarm needs a mean drop beyond `min_drop` that is proven: while there is none, at most a share `alpha` of
        baselines ever alarms, however often it is checked.

        Args:
            x: a space; its newest versions are watched.
            y: another.
            name: `[a-z][a-z0-9-]{0,62}`.
            k: neighbours a list.
            metric: `mutual_knn`, or `lcs_knn` or `edit_distance_knn`, which see the order of the neighbours too.
            probes: items asked at every check, chosen by a hash; all of them where there are fewer.
            seed: chooses the probes.
            min_drop: a smaller drop of the mean overlap never alarms; None is a tenth of what the baseline scores above chance.
            alpha: chance of ever raising a false alarm while one baseline stands, above 0 and below 1.
            on_versions: check when a space has a new version.
            every_seconds: check at this interval, at least 1; None never.
            progress: for work that the server makes an operation of: True for a bar, or a function told (fraction done, 1).
            request_id: makes repeating the call safe across processes.
            timeout: seconds for everything; None is the client's for the call, and as long as it takes for an operation.

        Raises:
            InvalidArgumentError: a malformed name, a number out of its range, one space twice, an agreement that cannot drop by `min_drop`,
                or so few probes that a complete loss would prove nothing.
            NotFoundError: no such space.
            AlreadyExistsError: a watch has this name.
            OverloadedError: as many watches as the server keeps.
        """
        spec = watch_pb2.WatchSpec(
            x=_names.space_name(x, "x"),
            y=_names.space_name(y, "y"),
            metric=_names.METRICS.to_number(metric),
            k=whole(k, "k", least=1, reason="INVALID_K"),
            probes=whole(probes, "probes", least=1),
            seed=whole(seed, "seed", most=UINT64),
            min_drop=0.0 if min_drop is None else share(min_drop, "min_drop"),
            alpha=share(alpha, "alpha"),
            on_versions=on_versions,
            every_seconds=0.0 if every_seconds is None else seconds(every_seconds, "every_seconds"),
        )
        request = watch_pb2.CreateWatchRequest(watch_id=_names.new_name(name, "name"), spec=spec, request_id=_names.request_id(request_id))
        message, details = await self._call(CREATE_WATCH, request, timeout)
        return await self._watch(message, details, timeout, progress, owned=request_id is None)

    async def get_watch(self, watch: str | Watch, *, timeout: float | None = None) -> Watch:
        """A watch as it stands; NotFoundError."""
        message, details = await self._call(GET_WATCH, watch_pb2.GetWatchRequest(name=_names.watch_name(watch)), timeout)
        return decode_watch(message.watch, details)

    async def list_watches(self, *, timeout: float | None = None) -> list[Watch]:
        """All watches by name; asks page by page."""
        watches: list[Watch] = []
        token = ""
        while True:
            request = watch_pb2.ListWatchesRequest(page_size=_PAGE, page_token=token)
            message, details = await self._call(LIST_WATCHES, request, timeout)
            watches += [decode_watch(entry, details) for entry in message.watches]
            token = message.next_page_token
            if not token:
                return watches

    async def run_watch(self, watch: str | Watch, *, progress: Progress = False, timeout: float | None = None) -> Watch:
        """Check now, and answer the watch with what was found.

        Versions that the last result is of already are not measured again: that would be no new evidence.

        Args:
            watch: the watch or its name.
            progress: as in `watch`.
            timeout: as in `watch`.

        Raises:
            NotFoundError: no such watch, or one of its spaces is gone.
            FailedPreconditionError: too little is left of the baseline's items; `rebaseline_watch`.
        """
        request = watch_pb2.RunWatchRequest(name=_names.watch_name(watch), request_id=_names.request_id(None))
        message, details = await self._call(RUN_WATCH, request, timeout)
        return await self._watch(message, details, timeout, progress, owned=True)

    async def rebaseline_watch(
        self, watch: str | Watch, *, progress: Progress = False, request_id: str | None = None, timeout: float | None = None
    ) -> Watch:
        """Accept what is: the newest versions become the baseline, the alarm ends, alpha is whole again; the history stays.

        Args:
            watch: the watch or its name.
            progress: as in `watch`.
            request_id: makes repeating the call safe across processes.
            timeout: as in `watch`.

        Raises:
            NotFoundError: no such watch, or one of its spaces is gone.
            InvalidArgumentError: the spaces no longer agree by enough to drop.
        """
        request = watch_pb2.RebaselineWatchRequest(name=_names.watch_name(watch), request_id=_names.request_id(request_id))
        message, details = await self._call(REBASELINE_WATCH, request, timeout)
        return await self._watch(message, details, timeout, progress, owned=request_id is None)

    async def watch_history(self, watch: str | Watch, *, limit: int | None = None, timeout: float | None = None) -> WatchHistory:
        """Results of a watch, the newest first.

        Args:
            watch: the watch or its name.
            limit: the newest so many; None is all that the server keeps, at most 1,000.
            timeout: seconds a page.

        Raises:
            NotFoundError: no such watch.
        """
        results: list[WatchResult] = []
        token, name = "", _names.watch_name(watch)
        most = None if limit is None else whole(limit, "limit", least=1)
        while True:
            size = _PAGE if most is None else min(_PAGE, most - len(results))
            request = watch_pb2.ListWatchResultsRequest(name=name, page_size=size, page_token=token)
            message, details = await self._call(LIST_WATCH_RESULTS, request, timeout)
            results += [decode_watch_result(entry) for entry in message.results]
            token = message.next_page_token
            if not token or len(results) == most:
                metric = _names.METRICS.to_name(message.spec.metric)
                return WatchHistory(_names.bare(name), metric, message.spec.k, tuple(results), details=details)

    async def delete_watch(self, watch: str | Watch, *, request_id: str | None = None, timeout: float | None = None) -> None:
        """Remove a watch, its history and its gauges; NotFoundError."""
        request = watch_pb2.DeleteWatchRequest(name=_names.watch_name(watch), request_id=_names.request_id(request_id))
        await self._call(DELETE_WATCH, request, timeout)

    async def _watch(self, message: Any, details: CallDetails, timeout: float | None, progress: Progress, *, owned: bool) -> Watch:
        """The watch of an answer, or of the operation that it is."""
        if not message.HasField("operation"):
            return decode_watch(message.watch, details)
        return cast("Watch", await self._outcome(message.operation, details.left(timeout), progress, owned=owned))
