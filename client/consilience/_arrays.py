"""`align_arrays`: two arrays as a request, and the alignment of arrays without a server."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Unpack

from consilience import _names, _wire
from consilience._alignment_options import AlignmentOptions
from consilience._batches import cuts_of_rows, upload_seconds
from consilience._codec.alignment import Neighbours, decode_report, encode_spec
from consilience._convert import Vectors, as_list
from consilience._embedded import align_embedded
from consilience._kernels import array_kernel, to_kernel
from consilience._layers import Layers, to_layers
from consilience._results.alignment_report import AlignmentReport
from consilience._results.server_info import Limits
from consilience.errors import InvalidArgumentError
from consilience.v1 import alignment_pb2

_SLOWEST_COMPARISONS_PER_SECOND = 5e6


@dataclass(frozen=True)
class Arrays:
    """A request of `AlignArrays`."""

    header: alignment_pb2.AlignArraysHeader
    x: Vectors
    y: Vectors

    def requests(self, limits: Limits) -> Iterator[tuple[bytes, int]]:
        """The stream: the header, then blocks of x and of y that fit the server's limits."""
        yield _wire.arrays_header(self.header), 0
        for side, vectors in (("x", self.x), ("y", self.y)):
            for start, stop in cuts_of_rows(vectors, limits):
                yield _wire.arrays_block(side, vectors.rows(start, stop)), stop - start


def arrays_of(
    x: Any,
    y: Any,
    similarity: str,
    k: Neighbours | Sequence[Neighbours],
    metric: str,
    options: AlignmentOptions,
    kernels: tuple[str | None, str | None] = (None, None),
) -> Arrays:
    """The request for two arrays; TypeError and what `encode_spec` and `encode_arrays` raise."""
    named: dict[str, Any] = dict(options)
    labels, folds = named.pop("within", None), named.pop("folds_by", None)
    return encode_arrays(x, y, similarity, encode_spec(k=k, metric=metric, **named), labels, kernels, folds)


def encode_arrays(
    x: Any,
    y: Any,
    similarity: str,
    spec: alignment_pb2.AlignmentSpec,
    labels: Any = None,
    kernels: tuple[str | None, str | None] = (None, None),
    folds: Any = None,
) -> Arrays:
    """Two arrays with one row an item, or their layers, checked against each other.

    Raises:
        InvalidArgumentError: different numbers of rows, or what `to_layers` refuses.
    """
    of_x, left_kernel = _side(x, "x", kernels[0])
    of_y, right_kernel = _side(y, "y", kernels[1])
    left, right = of_x.vectors, of_y.vectors
    if len(left) != len(right):
        raise InvalidArgumentError(
            f"x has {len(left):,} rows, y has {len(right):,}; row i of both is the same item", reason="SHAPE_MISMATCH", field="y"
        )
    header = alignment_pb2.AlignArraysHeader(
        spec=spec,
        similarity=_names.SIMILARITIES.to_number(similarity),
        rows=len(left),
        x_columns=left.columns,
        y_columns=right.columns,
        x_layer_columns=of_x.widths,
        y_layer_columns=of_y.widths,
        x_stacked=of_x.stacked,
        y_stacked=of_y.stacked,
        within_groups=() if labels is None else group_numbers(labels, len(left)),
        fold_groups=() if folds is None else group_numbers(folds, len(left), "folds_by"),
        x_kernel=left_kernel,
        y_kernel=right_kernel,
    )
    return Arrays(header, left, right)


def group_numbers(labels: Any, rows: int, field: str = "within") -> list[int]:
    """One number a row, equal where labels are equal.

    Raises:
        InvalidArgumentError: not one label a row, or a row without one.
    """
    if isinstance(labels, str | bytes):
        raise InvalidArgumentError(f"{field} is {labels!r}; arrays have no attributes: give one label a row", field=field)
    values = as_list(labels)
    if len(values) != rows:
        raise InvalidArgumentError(
            f"{field} has {len(values):,} labels for {rows:,} rows; give one label a row", reason="SHAPE_MISMATCH", field=field
        )
    missing = [row for row, value in enumerate(values) if value is None or value != value]  # noqa: PLR0124 - NaN is no label
    if missing:
        raise InvalidArgumentError(
            f"{len(missing):,} of {rows:,} rows have no label in {field}, row {missing[0]:,} the first; give one label a row",
            reason="INVALID_ATTRIBUTE",
            field=field,
        )
    numbers: dict[Any, int] = {}
    try:
        return [numbers.setdefault(value, len(numbers)) for value in values]
    except TypeError:
        raise InvalidArgumentError(f"{field} has labels that are no plain values; give strings or numbers", field=field) from None


def _side(values: Any, field: str, kernel: str | None) -> tuple[Layers, alignment_pb2.ArrayKernel | None]:
    """One array with its layers, and what its entries are where it is a matrix over the items."""
    if kernel is None:
        return to_layers(values, field), None
    told = array_kernel(kernel, f"{field}_kernel")
    return Layers(to_kernel(values, field, dissimilarity=told.dissimilarity).vectors), told


def align_arrays_seconds(timeout: float, arrays: Arrays) -> float:
    """The default time: that of a call, what the bytes take over a slow line, and what n^2 comparisons take on a small machine."""
    nbytes = arrays.x.data.nbytes + arrays.y.data.nbytes
    layers = max(len(arrays.header.x_layer_columns), 1) * max(len(arrays.header.y_layer_columns), 1)
    return upload_seconds(timeout, nbytes) + layers * len(arrays.x) ** 2 / _SLOWEST_COMPARISONS_PER_SECOND


def align_arrays(
    x: Any,
    y: Any,
    *,
    k: Neighbours | Sequence[Neighbours] = 10,
    metric: str = "mutual_knn",
    similarity: str = "cosine",
    x_kernel: str | None = None,
    y_kernel: str | None = None,
    **options: Unpack[AlignmentOptions],
) -> AlignmentReport:
    """How far two arrays agree whose row i is the same item; needs no server, only the extra `consilience[server]`.

    Args:
        x: (n, d): NumPy, torch, lists, Arrow or pandas; or the layers of a model: (n, L, d), or a list of L matrices (n, d_l) of any
            widths. Then every pair of layers is scored over all items (`layer_scores`), and the score is that of one pair (`best_layers`):
            see `layer_selection` in `AlignmentOptions`.
        y: (n, e), or layers likewise.
        k: neighbours, or a list of them: one search serves all, the first is the headline. `"n/100"` or .01 is a share of the items,
            floor(n / 100) and at least 1; numbers stand before shares.
        metric: `mutual_knn`, `cycle_knn` (the first step is in y), `lcs_knn`, `edit_distance_knn`, `cknna`, `cknna_paper`,
            `cknna_centred`, `cka`, `unbiased_cka`, `cca`, `svcca`, `procrustes`, `angular_shape`, `rsa` or `rbf_cka`.
        similarity: how near two rows are: `cosine`, `inner_product` or `squared_l2`.
        x_kernel: x is no array of vectors but a matrix over the items (an RDM, judgements) of entries of this kind: `similarity`,
            `dissimilarity`, `euclidean` or `squared_euclidean` distances. (n, n), or of dissimilarities the condensed upper triangle.
        y_kernel: likewise of y.
        **options: preprocessing, permutations, seed, interval and more: see `AlignmentOptions`.

    Raises:
        InvalidArgumentError: different numbers of rows, NaN or infinity, zero rows under cosine, k >= n, half of the items where layers are
            chosen on the other half; a layer that is the same for all items.
        MissingExtraError: the extra is not installed.
    """
    arrays = arrays_of(x, y, similarity, k, metric, options, (x_kernel, y_kernel))
    response = align_embedded(arrays.header, arrays.x.to_float32(), arrays.y.to_float32())
    return decode_report(response.report)
