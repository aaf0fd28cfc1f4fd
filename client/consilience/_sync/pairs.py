# Generated from _async/pairs.py by client/unasync.py; edit that file.
"""Calls that pair the items of two spaces."""

import hashlib
import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, Literal, cast, overload

from google.protobuf import json_format

from consilience import _names
from consilience._sync.concurrency import Stream, run_blocking, sleep
from consilience._sync.operations import OperationCalls
from consilience._codec.mutual_pairs import decode_pairs, decode_summary, join_pairs, pairs_request
from consilience._codec.operations import decode_operation
from consilience._methods import MUTUAL_PAIRS
from consilience._progress import Progress, reporting
from consilience._results.arrow import facts
from consilience._results.base import NO_DETAILS, CallDetails
from consilience._results.bridge import Bridge
from consilience._results.mutual_pairs import MutualPairs, PairsSummary
from consilience._results.operation import Operation
from consilience._results.space import Space, SpaceUse
from consilience._resumable_parquet import ResumableParquet
from consilience._retry import CALLS
from consilience.errors import ConsilienceError, ServerError, Timeout
from consilience.v1 import alignment_pb2, match_pb2


class PairCalls(OperationCalls):
    """Pairs across two spaces: in memory, block by block, or into a file."""

    @overload
    def mutual_pairs(
        self,
        source: str | Space | SpaceUse,
        target: str | Space | SpaceUse,
        *,
        bridge: str | Bridge | None = None,
        mode: str = "intersect",
        correction: str = "none",
        correction_k: int | None = None,
        threshold: float | None = None,
        limit: int = 0,
        known_pair_ids: Any = None,
        known_target_ids: Any = None,
        known_attribute: str | None = None,
        wait: Literal[True] = True,
        progress: Progress = False,
        timeout: float | None = None,
    ) -> MutualPairs: ...

    @overload
    def mutual_pairs(
        self,
        source: str | Space | SpaceUse,
        target: str | Space | SpaceUse,
        *,
        bridge: str | Bridge | None = None,
        mode: str = "intersect",
        correction: str = "none",
        correction_k: int | None = None,
        threshold: float | None = None,
        limit: int = 0,
        known_pair_ids: Any = None,
        known_target_ids: Any = None,
        known_attribute: str | None = None,
        wait: Literal[False],
        progress: Progress = False,
        timeout: float | None = None,
    ) -> Operation: ...

    def mutual_pairs(
        self,
        source: str | Space | SpaceUse,
        target: str | Space | SpaceUse,
        *,
        bridge: str | Bridge | None = None,
        mode: str = "intersect",
        correction: str = "none",
        correction_k: int | None = None,
        threshold: float | None = None,
        limit: int = 0,
        known_pair_ids: Any = None,
        known_target_ids: Any = None,
        known_attribute: str | None = None,
        wait: bool = True,
        progress: Progress = False,
        timeout: float | None = None,
    ) -> MutualPairs | Operation:
        """Pairs across two spaces, best first; by default those that are each other's nearest.

        Candidates are every source with its best target and every target with its best source, by score. A stream that breaks is continued
        over the same versions; what the server found stays there while it has room, and serves other modes, thresholds and limits.

        Args:
            source: a space; `name@7` pins version 7.
            target: the other.
            bridge: maps the source into the target; None only where both have one width and one similarity.
            mode: `intersect` (each other's best), `forward` (each source's best), `backward` (each target's best) or `max` (all candidates
                in order of score, one taken where neither of its items is taken yet).
            correction: `none`, `csls`, `margin_ratio` or `margin_distance`; the first margin only under cosine.
            correction_k: its neighbourhood; None is 10 for `csls`, 4 for the margins.
            threshold: only pairs of at least this score.
            limit: at most this many pairs; 0 is all.
            known_pair_ids: items of the source whose partner is known; the answer's `agreement` tells precision and recall by them. They
                decide nothing. Pairs that the bridge was fitted on would flatter it, and are left out and counted.
            known_target_ids: their partners; None: the same ids.
            known_attribute: instead: items of both spaces with an equal value are partners, many-to-many, such as `group_id`.
            wait: False starts an operation that finds the pairs and returns it at once; its answer is a `PairsSummary`, and the same call
                again brings the pairs.
            progress: True for a bar, or a function told (fraction done, 1) while an operation finds the pairs, then (pairs read, pairs).
            timeout: seconds to the first block, and from one to the next; None is ten times the client's, and as long as it takes for an
                operation.

        Raises:
            InvalidArgumentError: no bridge, and different widths; a mode, correction or threshold that cannot be.
            NotFoundError: no such space or bridge, or known pairs of items that are not there.
            FailedPreconditionError: the bridge was fitted for other spaces.
        """
        request = pairs_request(
            source,
            target,
            bridge=bridge,
            mode=mode,
            correction=correction,
            correction_k=correction_k,
            threshold=threshold,
            limit=limit,
            known_pair_ids=known_pair_ids,
            known_target_ids=known_target_ids,
            known_attribute=known_attribute,
            wait=wait,
        )
        if not wait:
            started, details = self._download(MUTUAL_PAIRS, request, timeout)
            return decode_operation(started[0].operation, details)
        stream = _PairStream(request)
        with closing(self._pair_blocks(stream, timeout, progress)) as blocks:
            parts = [decode_pairs(message, stream.summary) for message in blocks]
        return join_pairs(parts, stream.summary, stream.details)

    def iterate_mutual_pairs(
        self,
        source: str | Space | SpaceUse,
        target: str | Space | SpaceUse,
        *,
        bridge: str | Bridge | None = None,
        mode: str = "intersect",
        correction: str = "none",
        correction_k: int | None = None,
        threshold: float | None = None,
        limit: int = 0,
        progress: Progress = False,
        timeout: float | None = None,
    ) -> Iterator[MutualPairs]:
        """The same block by block, some thousand pairs each, all over one version of either space; only a block is in memory.

        Args:
            source: as in `mutual_pairs`.
            target: as in `mutual_pairs`.
            bridge: as in `mutual_pairs`.
            mode: as in `mutual_pairs`.
            correction: as in `mutual_pairs`.
            correction_k: as in `mutual_pairs`.
            threshold: as in `mutual_pairs`.
            limit: as in `mutual_pairs`.
            progress: as in `mutual_pairs`.
            timeout: as in `mutual_pairs`.
        """
        request = pairs_request(
            source,
            target,
            bridge=bridge,
            mode=mode,
            correction=correction,
            correction_k=correction_k,
            threshold=threshold,
            limit=limit,
            known_pair_ids=None,
            known_target_ids=None,
            known_attribute=None,
        )
        stream = _PairStream(request)
        with closing(self._pair_blocks(stream, timeout, progress)) as blocks:
            for message in blocks:
                yield decode_pairs(message, stream.summary)

    def export_mutual_pairs(
        self,
        source: str | Space | SpaceUse,
        target: str | Space | SpaceUse,
        path: str | Path,
        *,
        bridge: str | Bridge | None = None,
        mode: str = "intersect",
        correction: str = "none",
        correction_k: int | None = None,
        threshold: float | None = None,
        limit: int = 0,
        known_pair_ids: Any = None,
        known_target_ids: Any = None,
        known_attribute: str | None = None,
        resume: bool = True,
        progress: Progress = False,
        timeout: float | None = None,
    ) -> PairsSummary:
        """The same into a Parquet file, row group by row group; a run that was interrupted goes on where it stopped. Needs pyarrow.

        Columns source_id, target_id, similarity, score; the schema's metadata tells under `consilience` the versions, bridge, mode,
        correction and threshold. Until the file is whole, its parts lie in a folder `<name>.partial` beside it; the same call again
        continues there, over the versions that it began with.

        Args:
            source: as in `mutual_pairs`.
            target: as in `mutual_pairs`.
            path: the file; replaced where it is there.
            bridge: as in `mutual_pairs`.
            mode: as in `mutual_pairs`.
            correction: as in `mutual_pairs`.
            correction_k: as in `mutual_pairs`.
            threshold: as in `mutual_pairs`.
            limit: as in `mutual_pairs`.
            known_pair_ids: as in `mutual_pairs`.
            known_target_ids: as in `mutual_pairs`.
            known_attribute: as in `mutual_pairs`.
            resume: False begins anew.
            progress: as in `mutual_pairs`.
            timeout: as in `mutual_pairs`.

        Raises:
            InvalidArgumentError: also: the path cannot be written, or the folder beside it holds the beginning of another export.
            FailedPreconditionError: also: what an interrupted run began with was cleaned up; begin anew with `resume=False`.
            MissingExtraError: pyarrow is not installed.
        """
        request = pairs_request(
            source,
            target,
            bridge=bridge,
            mode=mode,
            correction=correction,
            correction_k=correction_k,
            threshold=threshold,
            limit=limit,
            known_pair_ids=known_pair_ids,
            known_target_ids=known_target_ids,
            known_attribute=known_attribute,
        )
        asked = _asked(request)
        file = run_blocking(lambda: ResumableParquet(Path(path), asked, resume=resume))
        request.resume_token = file.next_token
        stream = _PairStream(request)
        if not file.is_complete:
            with closing(self._pair_blocks(stream, timeout, progress)) as blocks:
                for message in blocks:
                    run_blocking(partial(_append, file, message, stream.summary))
        run_blocking(file.finish)
        return PairsSummary.of_facts(file.told)

    def _pair_blocks(
        self, stream: "_PairStream", timeout: float | None, progress: Progress
    ) -> Stream[match_pb2.MutualPairsResponse]:
        """The blocks of an answer from `stream.request.resume_token` on; what breaks is continued."""
        seconds = 10 * self._settings.timeout if timeout is None else self._seconds(timeout)
        self._check_size(stream.request)
        request_id = _names.new_request_id()
        deadline, failures = time.monotonic() + seconds, 0
        with reporting(progress, "pairs") as told:
            while True:
                advanced, operation = False, None
                remaining = max(deadline - time.monotonic(), 0.001)
                try:
                    with closing(
                        self._transport.stream(MUTUAL_PAIRS, stream.request, remaining, request_id, stream.ended)
                    ) as messages:
                        for message in messages:
                            advanced, failures = True, 0
                            if message.HasField("operation"):
                                operation = message.operation
                                continue
                            stream.take(message)
                            told(message.first + len(message.source_ids), stream.summary.pairs)
                            yield message
                    if operation is None:
                        return
                    stream.request.resume_token = self._found(operation, timeout, told)
                    # Found but perhaps not kept: to ask for another operation could go on for ever.
                    stream.request.execution = alignment_pb2.EXECUTION_MODE_INLINE
                except ConsilienceError as error:
                    failures += 1
                    # A stream that moved on and then ran out of its time is continued at once.
                    late = isinstance(error, Timeout) and advanced and operation is None
                    wait = 0.0 if late else CALLS.delay(error, failures, deadline - time.monotonic())
                    if wait is None:
                        raise
                    sleep(wait)
                if advanced:
                    deadline = time.monotonic() + seconds

    def _found(self, operation: Any, timeout: float | None, progress: Progress) -> str:
        """The token of the pairs that an operation found."""
        found = cast("PairsSummary", self._outcome(operation, timeout, progress, owned=True))
        return found.resume_token


class _PairStream:
    """A request on its way through a stream that may break: each block moves it on."""

    def __init__(self, request: match_pb2.MutualPairsRequest) -> None:
        self.request = request
        self.details = NO_DETAILS
        self._summary: PairsSummary | None = None

    @property
    def summary(self) -> PairsSummary:
        """Of the whole answer; ServerError where no block told it."""
        if self._summary is None:
            raise ServerError("the stream of pairs told no summary", reason="INTERNAL")
        return self._summary

    def take(self, message: match_pb2.MutualPairsResponse) -> None:
        """What a block tells beside its pairs."""
        if message.HasField("summary"):
            self._summary = decode_summary(message)
        self.request.execution = alignment_pb2.EXECUTION_MODE_UNSPECIFIED
        if message.resume_token:
            self.request.resume_token = message.resume_token

    def ended(self, details: CallDetails) -> None:
        """How the call went."""
        self.details = details


def _asked(request: match_pb2.MutualPairsRequest) -> dict[str, Any]:
    """What is written into the file, for people and for comparison; known pairs, which may be many, by their digest."""
    plain = match_pb2.MutualPairsRequest()
    plain.CopyFrom(request)
    plain.ClearField("known")
    told: dict[str, Any] = json_format.MessageToDict(plain, preserving_proto_field_name=True)
    if request.HasField("known"):
        told["known"] = hashlib.blake2b(request.known.SerializeToString(deterministic=True), digest_size=16).hexdigest()
    return told


def _append(file: ResumableParquet, message: match_pb2.MutualPairsResponse, summary: PairsSummary) -> None:
    pairs = decode_pairs(message, summary)
    file.append(pairs.to_arrow(), {**facts("mutual_pairs", pairs), "pairs": summary.pairs}, message.resume_token)
