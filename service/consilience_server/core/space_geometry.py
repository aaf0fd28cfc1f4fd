"""What a space looks like by itself: the context that an alignment is read in."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SpaceGeometry:
    """The shape of one space over some items.

    Attributes:
        k: of the neighbour lists.
        hubness: skewness of the k-occurrence (`core/hubness.py`).
        largest_occurrence: how many lists the largest hub is in.
        antihub_fraction: share of items in no list.
        intrinsic_dimension: by TwoNN (`core/intrinsic_dimension.py`); None for inner products and similarities, which are no distances, and
            where too few items tell.
        intrinsic_dimension_items: those that it is from: items with two distinct distances other than 0 in their list.
        effective_rank: of the centred features (`core/effective_rank.py`), None where it was not asked, the space is a kernel, or
            all its items are equal.
        participation_ratio: likewise.
    """

    k: int
    hubness: float
    largest_occurrence: float
    antihub_fraction: float
    intrinsic_dimension: float | None
    intrinsic_dimension_items: int
    effective_rank: float | None = None
    participation_ratio: float | None = None
