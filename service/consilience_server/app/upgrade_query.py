"""What an evaluation of an upgrade asks, checked before anything is read."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from consilience_server.app.alignment_spec import SpaceQuery
from consilience_server.app.validation import shown
from consilience_server.bridges.choose import METHODS, TRAINED, MethodChoice
from consilience_server.bridges.held_out_retrieval import MAX_HELD_OUT_QUERIES
from consilience_server.core.errors import DuplicateId, InvalidArgument, NotServed, UnknownMethod

KS = (1, 5, 10)
DEPTH = KS[-1]
RECALLS = {f"recall@{k}": k for k in KS}
MEASURES = (*RECALLS, "mrr@10", "ndcg@10")
DEFAULT_THRESHOLDS = {"recall@10": 0.9}
SAMPLE = 1000
REEMBED = 1000
_MOST_REEMBED = 100_000
_MAX_SEED = 2**64 - 1


@dataclass(frozen=True)
class UpgradeQuery:
    """What to evaluate.

    Attributes:
        old: the gallery as it is, under the old encoder.
        new: the same items under the new one.
        query_spaces: queries under the old and under the new encoder; None: items of the gallery ask for each other.
        query_ids: which ask; empty: a sample by hash, or those that are judged.
        sample_queries: size of the sample.
        judgements: query id to relevant item ids with their grades; empty: the neighbours of full re-embedding are relevant.
        thresholds: measure to the share of full re-embedding that must be kept, in (0, 1].
        bridge: bare id of one that leads from `new` into `old`; empty: one is fitted.
        method: of the bridge that is fitted.
        slice_by, slice_prefix: queries by the values of an attribute, or by the part of the id before this text; at most one.
        seed: chooses sample and splits.
        reembed_limit: how many items to name that should be re-embedded first.
    """

    old: SpaceQuery
    new: SpaceQuery
    query_spaces: tuple[SpaceQuery, SpaceQuery] | None = None
    query_ids: Sequence[str] = ()
    sample_queries: int = SAMPLE
    judgements: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    thresholds: Mapping[str, float] = field(default_factory=lambda: dict(DEFAULT_THRESHOLDS))
    bridge: str = ""
    method: MethodChoice = "auto"
    slice_by: str = ""
    slice_prefix: str = ""
    seed: int = 0
    reembed_limit: int = REEMBED


def check_upgrade(query: UpgradeQuery) -> None:
    """What can be refused before anything is read: InvalidArgument, DuplicateId, UnknownMethod."""
    if query.old == query.new:
        raise InvalidArgument(f"old and new are both {query.old.name!r}; name two spaces, or two versions of one", field="new")
    _check_thresholds(query)
    if not 1 <= query.sample_queries <= MAX_HELD_OUT_QUERIES:
        raise InvalidArgument(
            f"sample_queries is {query.sample_queries:,}; it must be 1 to {MAX_HELD_OUT_QUERIES:,}", field="sample_queries"
        )
    if len(query.query_ids) > MAX_HELD_OUT_QUERIES:
        raise InvalidArgument(f"{len(query.query_ids):,} queries; at most {MAX_HELD_OUT_QUERIES:,} are asked", field="query_ids")
    if len(set(query.query_ids)) != len(query.query_ids):
        raise DuplicateId("query ids stand twice; give each once", field="query_ids")
    if not 0 <= query.seed <= _MAX_SEED:
        raise InvalidArgument(f"the seed is {query.seed}; it must be 0 to 2^64 - 1", field="seed")
    if query.method in TRAINED:
        raise NotServed("this trains no stitching layers: fit one with fit_bridge, and name it as the bridge", field="method")
    if query.method not in ("auto", *METHODS):
        raise UnknownMethod(f"{query.method!r} is no bridge method; choose one of auto, {', '.join(METHODS)}", field="method")
    if query.bridge and query.method != "auto":
        raise InvalidArgument("bridge names one that is fitted already, and method what to fit; give one of them", field="method")
    if query.slice_by and query.slice_prefix:
        raise InvalidArgument("slices by an attribute and by a prefix of the id; choose one", field="slice_prefix")
    if query.reembed_limit > _MOST_REEMBED:
        raise InvalidArgument(
            f"{query.reembed_limit:,} items to re-embed first; at most {_MOST_REEMBED:,} are named", field="reembed_limit"
        )
    bad = [
        (asked, item, grade)
        for asked, grades in query.judgements.items()
        for item, grade in grades.items()
        if not (math.isfinite(grade) and grade >= 0.0)
    ]
    if bad:
        raise InvalidArgument(f"grades are finite numbers from 0 (not relevant) on; got {shown(bad)}", field="judgements")


def _check_thresholds(query: UpgradeQuery) -> None:
    if not query.thresholds:
        raise InvalidArgument("there is no threshold to decide by; give one, such as recall@10 at .9", field="thresholds")
    for measure, least in query.thresholds.items():
        if measure not in MEASURES:
            raise InvalidArgument(f"{measure!r} is no measure; choose of {', '.join(MEASURES)}", field="thresholds")
        if not 0.0 < least <= 1.0:
            raise InvalidArgument(f"the threshold of {measure} is {least}; it must be above 0 and at most 1", field="thresholds")
    if "ndcg@10" in query.thresholds and not query.judgements:
        raise InvalidArgument("ndcg@10 needs judgements (qrels); without them decide by recall", field="thresholds")
