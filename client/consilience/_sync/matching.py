# Generated from _async/matching.py by client/unasync.py; edit that file.
"""Calls that predict correspondences."""

from collections.abc import Callable
from typing import Any, Literal, cast, overload

from consilience._sync.match_batches import MatchBatches
from consilience._sync.operations import OperationCalls
from consilience._sync.transport import Transport
from consilience._codec.matches import decode_match, join_matches
from consilience._codec.operations import decode_operation
from consilience._match_queries import check_assigned_whole, check_filter_size, encode_queries, match_request, pin_gallery
from consilience._methods import MATCH
from consilience._progress import Progress, reporting
from consilience._results.bridge import Bridge
from consilience._results.match_result import MatchResult
from consilience._results.operation import Operation
from consilience._results.space import Space, SpaceUse
from consilience._settings import ClientSettings
from consilience.v1 import match_pb2


class MatchCalls(OperationCalls):
    """Matches within a space or through a bridge."""

    def _begin(self, settings: ClientSettings, transport: Transport) -> None:
        super()._begin(settings, transport)
        self._match_batches = MatchBatches(self._send_match, settings.timeout)

    def _send_match(self, request: match_pb2.MatchRequest, timeout: float | None, lift: Callable[[], None]) -> MatchResult:
        """One request to its result; `lift` is called where that is an operation's."""
        message, details = self._call(MATCH, request, timeout)
        if message.HasField("operation"):
            lift()
            return cast("MatchResult", self._outcome(message.operation, details.left(timeout), progress=False, owned=True))
        return decode_match(message.report, details)

    @overload
    def match(
        self,
        queries: Any = None,
        *,
        query_ids: Any = None,
        bridge: str | Bridge | None = None,
        space: str | Space | SpaceUse | None = None,
        source: str | Space | SpaceUse | None = None,
        k: int | None = None,
        correction: str = "none",
        correction_k: int = 10,
        beta: float = 30.0,
        index: str = "exact",
        ef_search: int | None = None,
        nprobe: int | None = None,
        itopk_size: int | None = None,
        gallery_ids: Any = None,
        exclude_ids: Any = None,
        filter: str | None = None,
        probability: bool = False,
        one_to_one: bool = False,
        gallery_version: int = 0,
        wait: Literal[True] = True,
        progress: Progress = False,
        timeout: float | None = None,
    ) -> MatchResult: ...

    @overload
    def match(
        self,
        queries: Any = None,
        *,
        query_ids: Any = None,
        bridge: str | Bridge | None = None,
        space: str | Space | SpaceUse | None = None,
        source: str | Space | SpaceUse | None = None,
        k: int | None = None,
        correction: str = "none",
        correction_k: int = 10,
        beta: float = 30.0,
        index: str = "exact",
        ef_search: int | None = None,
        nprobe: int | None = None,
        itopk_size: int | None = None,
        gallery_ids: Any = None,
        exclude_ids: Any = None,
        filter: str | None = None,
        probability: bool = False,
        one_to_one: bool = False,
        gallery_version: int = 0,
        wait: Literal[False],
        progress: Progress = False,
        timeout: float | None = None,
    ) -> Operation: ...

    def match(
        self,
        queries: Any = None,
        *,
        query_ids: Any = None,
        bridge: str | Bridge | None = None,
        space: str | Space | SpaceUse | None = None,
        source: str | Space | SpaceUse | None = None,
        k: int | None = None,
        correction: str = "none",
        correction_k: int = 10,
        beta: float = 30.0,
        index: str = "exact",
        ef_search: int | None = None,
        nprobe: int | None = None,
        itopk_size: int | None = None,
        gallery_ids: Any = None,
        exclude_ids: Any = None,
        filter: str | None = None,  # noqa: A002 - what everybody calls it
        probability: bool = False,
        one_to_one: bool = False,
        gallery_version: int = 0,
        wait: bool = True,
        progress: Progress = False,
        timeout: float | None = None,
    ) -> MatchResult | Operation:
        """The k nearest items of the gallery for each query, exact relative to the mapped query unless an approximate index is named.

        More queries than a message takes are asked in parts, all against one version of the gallery. Where calls are
        awaited side by side, those that overlap and differ in nothing but a few vectors travel in one request; no answer depends on it.

        Args:
            queries: (n, d) or (d,) vectors of the bridge's source space, or of the space itself without a bridge.
            query_ids: items of that space instead; within a space an item is not its own match.
            bridge: maps the queries into its target space, which is the gallery.
            space: searches within one space; `name@7` pins version 7. Exactly one of bridge and space.
            source: the space that the queries are of, beside a bridge: one that leads from elsewhere is refused. Equal widths hide a wrong
                direction, so name it where you can. A `Bridge` whose name has gone to another one is refused by itself.
            k: matches a query; None is 10, and 1 with `one_to_one`.
            correction: of hubs, items that are near to everything; the bank is all items of the bridge's source space, mapped, or of
                the space itself. `csls`: 2 s(q, t) - r_T(q) - r_S(t), the r being mean similarities to the `correction_k` nearest of the
                gallery and of the bank. `margin_distance`: half of that. `margin_ratio`: s(q, t) over the mean of r_T and r_S, which is
                clamped at 1e-6. `inverted_softmax`: the logarithm of exp(beta s(q, t)) over its sum for the bank. The last two under
                cosine only, which is what every bridge compares by.
            correction_k: neighbourhood of `csls` and the margins.
            beta: inverse temperature of `inverted_softmax`.
            index: `exact`; or, by name and never chosen for you, the approximate `hnsw` or `ivf`, and `cagra` or `gpu_flat` where the
                server has a GPU. Scores are exact all the same; `recall` of the result tells how much of the exact answer such an
                index finds. With a correction it holds the terms as one dimension more, and the neighbourhoods of `csls` and the margins
                are those that it finds. Not with part of a gallery, nor with a correction under squared L2.
            ef_search: of `hnsw`, candidates kept, 1 to 4,096; None is 128.
            nprobe: of `ivf`, cells scanned, 1 to 4,096; None is 32.
            itopk_size: of `cagra`, candidates kept, 1 to 512; None is 128.
            gallery_ids: only these items of the gallery are matched with; None is all. The answer is that of the full ranking without
                the others: no score changes, with a correction neither.
            exclude_ids: these items of the gallery are not matched with.
            filter: only items whose attributes fulfil this are matched with: `"label == 'cat' and year >= 2020"`, with = == != <> < <= >
                >=, `in (...)`, `is null`, and, or, not and parentheses; names other than words between backticks. A condition on a missing
                value is neither true nor false. Joins `gallery_ids` and `exclude_ids`; no score changes either.
            probability: tell how probable each match is, through a bridge: `result.probability`, learned from the items that both spaces
            have and the bridge has not seen, for this gallery, correction and k (`result.calibration`). It holds for queries like those,
                whose partner is in the gallery. None, and `result.warnings` says why, where too few are known, with a filter, an
                approximate index or `one_to_one`.
            one_to_one: give no item twice: the assignment of the largest sum of scores. For small sets, queries times items up to
                4,194,304; beyond, `mutual_pairs` pairs greedily.
            gallery_version: pins the gallery's version behind a bridge; 0 is the newest.
            wait: False starts an operation and returns it at once; the queries must then fit one message.
            progress: True for a bar, or a function told (queries answered, queries in all).
            timeout: seconds a part; None is the client's for the call, and as long as it takes for an operation.

        Raises:
            InvalidArgumentError: vectors that do not fit the space, k above the gallery (or what is left of it) or the limit; not one
                kind of queries and one route; or a parameter of another index.
            NotFoundError: no such bridge, space or item, in `gallery_ids` and `exclude_ids` too.
            FailedPreconditionError: the bridge leads from another space than `source`, or is not the `Bridge` given any more; the index
                needs a GPU, and the server has or uses none.
        """
        asked = encode_queries(queries, query_ids)
        request = match_request(
            bridge=bridge,
            space=space,
            source=source,
            k=k,
            correction=correction,
            correction_k=correction_k,
            beta=beta,
            index=index,
            index_parameters={"ef_search": ef_search, "nprobe": nprobe, "itopk_size": itopk_size},
            gallery_ids=gallery_ids,
            exclude_ids=exclude_ids,
            filter=filter,
            probability=probability,
            one_to_one=one_to_one,
            gallery_version=gallery_version,
            wait=wait,
        )
        if not wait:
            asked.fill(request, 0, len(asked))
            message, details = self._call(MATCH, request, timeout)
            return decode_operation(message.operation, details)
        parts: list[MatchResult] = []
        limits = self._limits()
        check_filter_size(request, limits)
        check_assigned_whole(request, asked, limits)
        # An assignment weighs queries against each other: those of other calls must stay out.
        most = 1 if one_to_one else min(limits.batch_queries, asked.most(request.k, limits))
        with reporting(progress, "match") as told:
            for start, stop in asked.parts(request.k, limits):
                asked.fill(request, start, stop)
                part = self._match_batches.match(request, timeout, most)
                parts.append(part)
                told(stop, len(asked))
                pin_gallery(request, part.gallery)
        return join_matches(parts)
