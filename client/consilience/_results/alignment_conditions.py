"""What an alignment was measured under: beyond a third space, within groups, over a sample of the items."""

from dataclasses import dataclass, field

from consilience._results.space import SpaceUse


@dataclass(frozen=True)
class Given:
    """A third space beyond which two were aligned.

    Attributes:
        space: the version used.
        rank: dimensions that it spans, centred.
        items: common items; the report's n is the degrees of freedom left of them, items - 1 - rank.
        explained_x, explained_y: share of the variance of x and of y that it explains linearly; of the chosen layers where a side has some.
        layers_explained: of every layer of x and of y; empty without layers.
    """

    space: SpaceUse
    rank: int
    items: int
    explained_x: float
    explained_y: float
    layers_explained: tuple[tuple[float, ...], tuple[float, ...]] = ((), ())

    def __str__(self) -> str:
        return f"beyond {self.space} (rank {self.rank:,}, explains {self.explained_x:.0%} of x, {self.explained_y:.0%} of y)"


@dataclass(frozen=True)
class Within:
    """Groups that random pairings kept every item in.

    Attributes:
        attribute: of the items; empty for labels given with arrays.
        groups: their number.
        fixed_items: items alone in their group, which no pairing moves.
    """

    attribute: str
    groups: int
    fixed_items: int

    def __str__(self) -> str:
        return f"within {self.groups:,} groups" + (f" of {self.attribute}" if self.attribute else "")


@dataclass(frozen=True)
class SampledItems:
    """The common items that a score was estimated from: those of the smallest hashes.

    hash(id) = the first 8 bytes, little-endian, of BLAKE2b over the id's UTF-8 bytes, keyed with the BLAKE2b-256 of `queries`.

    Attributes:
        count: size of the sample.
        common: items that it was chosen from.
        ids: of the items, in byte order; empty for arrays.
        rows: for arrays, whose items are hashed by their content, the rows, ascending; else empty.
    """

    count: int
    common: int
    ids: tuple[str, ...] = field(default=(), repr=False)
    rows: tuple[int, ...] = field(default=(), repr=False)

    def __str__(self) -> str:
        return f"a sample of {self.common:,} items"
