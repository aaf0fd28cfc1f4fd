"""What is asked of alignment over nested galleries, and answered."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from consilience_server.app.alignment_query import in_numbers
from consilience_server.app.alignment_spec import AlignmentSpec, SpaceQuery
from consilience_server.app.item_sample import compared_items
from consilience_server.app.metric_families.registry import FAMILY_OF
from consilience_server.app.reports import AlignmentReport
from consilience_server.core.errors import InvalidArgument, InvalidK

MOST_SIZES = 32
_LEAST_SIZE = 64
_MOST_HALVINGS = 8


@dataclass(frozen=True)
class GalleryCurveQuery:
    """Two spaces, a spec with numbers and shares of the items as k, and the sizes of the galleries: none asks for halves of all items."""

    x: SpaceQuery
    y: SpaceQuery
    spec: AlignmentSpec
    sizes: tuple[int, ...] = ()


@dataclass(frozen=True)
class CurveLine:
    """The k of one question in every gallery: always `k`, or `k_fraction` of the items (then k is 0)."""

    k: int
    k_fraction: float
    ks: tuple[int, ...]


@dataclass(frozen=True)
class GalleryCurveReport:
    """One report a gallery, the smallest first, which k of each belong together, and what a reader should be warned of."""

    reports: Sequence[AlignmentReport]
    lines: Sequence[CurveLine]
    warnings: Sequence[str]


def check_curve(query: GalleryCurveQuery) -> None:
    """What can be refused before the spaces are looked at, beside what `check_spec` refuses: InvalidArgument."""
    if query.spec.query_ids:
        raise InvalidArgument("queries are those of the nested galleries; ask a sample of them instead", field="spec.query_ids")
    if len(query.sizes) > MOST_SIZES or len(set(query.sizes)) != len(query.sizes):
        raise InvalidArgument(f"{len(query.sizes)} gallery sizes; give at most {MOST_SIZES}, each once", field="gallery_sizes")


def gallery_sizes(query: GalleryCurveQuery, n: int) -> list[int]:
    """The sizes for n common items, ascending; by default all and their halves while they have 64 items and more than every k.

    A metric that compares a sample compares the same items in every gallery above it, so that the sample is the largest of its galleries.

    Raises:
        InvalidArgument: a size is above n, or above the sample.
        InvalidK: a k is not below a size.
    """
    deepest = max(query.spec.ks, default=0) if FAMILY_OF[query.spec.metric].reads == "tables" else 0
    most = compared_items(n, query.spec)
    if not query.sizes:
        least = max(_LEAST_SIZE, deepest + 1)
        halves = [most >> by for by in range(1, _MOST_HALVINGS) if most >> by >= least]
        return [*reversed(halves), most]
    sizes = sorted(query.sizes)
    if sizes[-1] > n:
        raise InvalidArgument(
            f"a gallery of {sizes[-1]:,}, but only {n:,} items are common; ask at most {n:,}", field="gallery_sizes", size=sizes[-1], n=n
        )
    if sizes[-1] > most:
        raise InvalidArgument(
            f"{query.spec.metric} compares a sample of {most:,} items of every larger gallery, so these are one gallery; "
            f"ask sizes up to {most:,}, or sample_items='all'",
            field="gallery_sizes",
            size=sizes[-1],
            n=most,
        )
    if sizes[0] <= deepest:
        raise InvalidK(
            f"k is {deepest}, but the smallest gallery has {sizes[0]:,} items; leave it out, or ask a smaller k",
            field="gallery_sizes",
            k=deepest,
            n=sizes[0],
        )
    return sizes


def curve_lines(spec: AlignmentSpec, sizes: Sequence[int]) -> list[CurveLine]:
    """The numbers first, then the shares; metrics without neighbours have one line, of k = 0."""
    if FAMILY_OF[spec.metric].reads != "tables":
        return [CurveLine(0, 0.0, (0,) * len(sizes))]
    shares = [
        CurveLine(0, share, tuple(in_numbers(replace(spec, ks=(), k_fractions=(share,)), size).ks[0] for size in sizes))
        for share in spec.k_fractions
    ]
    return [*(CurveLine(k, 0.0, (k,) * len(sizes)) for k in spec.ks), *shares]


def curve_cautions(spec: AlignmentSpec, sizes: Sequence[int]) -> list[str]:
    """Which of the scores that stand side by side do not compare."""
    fixed = list(spec.ks) if FAMILY_OF[spec.metric].reads == "tables" else []
    if not fixed or len(sizes) < 2:
        return []
    told = ", ".join(f"{k:,}" for k in fixed)
    between = f"galleries of {sizes[0]:,} to {sizes[-1]:,} items"
    caution = f"scores at a fixed k ({told}) in {between} do not compare: score and chance fall while a gallery grows"
    return [f"{caution}; a share of the items, k = n/100, asks the same of every gallery"]
