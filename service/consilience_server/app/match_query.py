"""What is asked of matching, and what of it can be refused before anything is read."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.alignment_spec import SpaceQuery
from consilience_server.app.bridge_spaces import ANY_BRIDGE, ExpectedBridge
from consilience_server.app.correction import Correction, CorrectionName, check_correction
from consilience_server.core.csls import DEFAULT_K
from consilience_server.core.errors import InvalidArgument, InvalidK, MessageTooLarge, ShapeMismatch
from consilience_server.core.filter_expression import read_filter
from consilience_server.core.inverted_softmax import DEFAULT_BETA
from consilience_server.engine.approximate import EFFORTS, IndexChoice


@dataclass(frozen=True)
class MatchQuery:
    """What to match, and where.

    Attributes:
        vectors: (m, d) float32 queries; either these or `ids`.
        ids: items of the bridge's source space, or of `space`, where an item is not its own match.
        bridge: the bare id of a bridge: from its source space into its target space; either this or `space`.
        space: search within one space, under its own similarity.
        k: matches of each query.
        correction: of hubness (`app/correction.py`); its bank is all items of the source space, mapped, or of the space itself.
        correction_k: size of the neighbourhoods of `csls` and the margins.
        beta: inverse temperature of `inverted_softmax`.
        gallery_version: pins the target space's version when a bridge is the route; 0 is the newest.
        index: an approximate index instead of the exact search; None for exact.
        gallery_ids: only these items of the gallery are matched with; None is all.
        exclude_ids: these are not.
        filter: an expression over the gallery's attributes (`core/filter_expression.py`) that matches must fulfil; empty for none.
        probability: tell how probable each match is (`core/match_calibration.py`); through a bridge.
        one_to_one: no item twice (`core/one_to_one.py`); k is then 1.
        expected: what the bridge must be; within a space nothing.
    """

    vectors: NDArray[np.float32] | None = None
    ids: Sequence[str] = ()
    bridge: str = ""
    space: SpaceQuery | None = None
    k: int = 10
    correction: CorrectionName = "none"
    correction_k: int = DEFAULT_K
    beta: float = DEFAULT_BETA
    gallery_version: int = 0
    index: IndexChoice | None = None
    gallery_ids: Sequence[str] | None = None
    exclude_ids: Sequence[str] = ()
    filter: str = ""
    probability: bool = False
    one_to_one: bool = False
    expected: ExpectedBridge = ANY_BRIDGE

    @property
    def corrected(self) -> Correction:
        """The correction with its parameters."""
        return Correction(self.correction, self.correction_k, self.beta)

    @property
    def filtered(self) -> bool:
        """Whether part of the gallery is left out."""
        return self.gallery_ids is not None or bool(self.exclude_ids) or bool(self.filter)

    @property
    def count(self) -> int:
        """Number of queries."""
        return len(self.ids) if self.vectors is None else len(self.vectors)


@dataclass(frozen=True)
class MatchLimits:
    """What one match may ask; published by server info.

    Attributes:
        max_k: largest k, and largest neighbourhood of a correction.
        max_answers: most matches (queries times k) in one answer.
        flops_per_second: the machine's usual rate, for estimates.
    """

    max_k: int
    max_answers: int
    flops_per_second: float


def check_match(query: MatchQuery, limits: MatchLimits) -> None:
    """InvalidArgument, ShapeMismatch, InvalidK, UnknownMethod, MessageTooLarge."""
    if (query.vectors is None) == (not query.ids):
        raise InvalidArgument("give query vectors or query ids, one of them", field="queries")
    if (not query.bridge) == (query.space is None):
        raise InvalidArgument("give a bridge to go through or a space to search within, one of them", field="route")
    if query.space is not None and query.gallery_version:
        raise InvalidArgument("within a space its own version is pinned; gallery_version goes with a bridge", field="gallery_version")
    if query.space is not None and query.expected != ANY_BRIDGE:
        raise InvalidArgument("source tells where a bridge must lead from; within a space leave it out", field="expected_bridge.source")
    if query.vectors is not None and (query.vectors.ndim != 2 or not len(query.vectors)):
        raise ShapeMismatch(f"the query vectors have shape {query.vectors.shape}; give (queries, dim), at least one row", field="vectors")
    _check_k(query.k, "k", limits)
    check_correction(query.corrected, limits.max_k)
    if query.count * query.k > limits.max_answers:
        raise MessageTooLarge(
            f"{query.count:,} queries times k = {query.k:,} are more than {limits.max_answers:,} matches; ask in parts", field="k"
        )
    if query.gallery_ids is not None and not query.gallery_ids:
        raise InvalidArgument("gallery_ids is empty; give the items to match with, or leave it out for all", field="gallery_ids.ids")
    if query.probability and query.space is not None:
        raise InvalidArgument(
            "within a space no pairs are known that a probability could be learned from; ask through a bridge", field="probability"
        )
    if query.one_to_one:
        _check_one_to_one(query)
    if query.filter:
        read_filter(query.filter)
    if query.index is not None:
        _check_index(query, query.index)


def _check_one_to_one(query: MatchQuery) -> None:
    """InvalidK, InvalidArgument."""
    if query.k != 1:
        raise InvalidK(f"k is {query.k}, but one_to_one gives every query one item; ask for k = 1", field="k", k=query.k, limit=1)
    if query.index is not None:
        raise InvalidArgument("one_to_one weighs all items for every query; name the index exact", field="index")


def _check_index(query: MatchQuery, index: IndexChoice) -> None:
    """InvalidArgument."""
    effort = EFFORTS.get(index.name)
    if effort is not None and not 1 <= index.effort <= effort.limit:
        raise InvalidArgument(
            f"{effort.name} is {index.effort:,}; it must be 1 to {effort.limit:,}",
            field=f"index_parameters.{effort.name}",
            limit=effort.limit,
        )
    if query.filtered:
        raise InvalidArgument(
            f"part of a gallery is searched exactly: the recall measured for the index {index.name!r} would not be that of the part; "
            "name the index exact, or leave gallery_ids, exclude_ids and filter out",
            field="index",
        )


def _check_k(k: int, field: str, limits: MatchLimits) -> None:
    if not 1 <= k <= limits.max_k:
        raise InvalidK(f"{field} is {k}; it must be 1 to {limits.max_k:,}", field=field, k=k, max_k=limits.max_k)
