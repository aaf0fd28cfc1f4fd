"""A sample of the common items, for metrics whose cost grows with the square of their number."""

from consilience_server.app.alignment_spec import AlignmentSpec
from consilience_server.app.item_groups import ItemGroups, numbered
from consilience_server.app.joins import Join
from consilience_server.app.metric_families.registry import FAMILY_OF
from consilience_server.app.reports import SampledItems
from consilience_server.core.errors import InvalidArgument
from consilience_server.core.query_sample import hash_sample


def compared_items(n: int, spec: AlignmentSpec) -> int:
    """How many of n common items a metric compares: all of them where it is cheap, all are asked, or there are no more than it takes."""
    most = FAMILY_OF[spec.metric].most_items
    if most is None or spec.all_items:
        return n
    return min(n, spec.sample_items or most(spec))


def check_sample(n: int, spec: AlignmentSpec) -> None:
    """InvalidArgument where a sample of n items has an interval of `queries`, which would have no width around an estimate."""
    count = compared_items(n, spec)
    if count < n and spec.interval_kind == "queries":
        raise InvalidArgument(
            f"{spec.metric} is estimated from {count:,} of {n:,} items, of which an interval of queries does not speak; "
            "ask the interval of items, or all items (sample_items='all')",
            field="spec.interval_kind",
        )


def sampled(joined: Join, spec: AlignmentSpec, groups: ItemGroups | None = None) -> tuple[Join, ItemGroups | None]:
    """The items that are compared, with their groups: all of the join, or those of smallest hash where the metric takes a sample.

    The hash is that of samples of queries (`core/query_sample.py`): the same items in every space and at every time. Both what is asked and
    what it is asked against are the sample, and preprocessing learns from it alone. So the score is an estimate, and its interval of
    `items` is where the score of another such sample would fall. A second call changes nothing.

    Raises:
        InvalidAttribute: every item of the sample is alone in its group.
    """
    count = compared_items(joined.n, spec)
    if count == joined.n:
        return joined, groups
    positions = hash_sample(joined.sampling_keys, count)
    part = joined.some(positions)
    return part, None if groups is None else numbered(groups.attribute, groups.of[positions], "spec.within")


def sampled_items(part: Join, common: int, *, named: bool) -> SampledItems | None:
    """What a report tells of a sample of the common items; None where it is all of them.

    Args:
        part: the items that were compared.
        common: how many there are.
        named: whether items have ids of their own; the items of arrays are told by their rows.
    """
    if part.n == common:
        return None
    if named:
        return SampledItems(part.n, common, tuple(str(item) for item in part.ids), ())
    return SampledItems(part.n, common, (), tuple(part.rows[0].tolist()))
