"""What a space looks like by itself: its shape."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SpaceGeometry:
    """The shape of one space over some items.

    Attributes:
        k: of the neighbour lists.
        hubness: skewness of the number of k-lists that an item is in: about 0 where all are listed alike, large where few hubs are in many.
        largest_occurrence: how many lists the largest hub is in; the mean is k.
        antihub_fraction: share of items in no list.
        intrinsic_dimension: by the two nearest distances of each item (TwoNN); None for inner products and similarities, which are no
            distances, and where too few items tell.
        intrinsic_dimension_items: those that it is from: items with two distinct distances other than 0 in their list.
        effective_rank: directions that the centred vectors use, by the entropy of their singular values; None where it was not asked, or
            for a kernel.
        participation_ratio: the same with less weight on weak directions.
    """

    k: int
    hubness: float
    largest_occurrence: float
    antihub_fraction: float
    intrinsic_dimension: float | None
    intrinsic_dimension_items: int
    effective_rank: float | None = None
    participation_ratio: float | None = None
