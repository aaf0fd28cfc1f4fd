"""`align_arrays`: two arrays as a request, and the alignment of arrays without a server."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Unpack

from consilience import _names, _wire
from consilience._alignment_options import AlignmentOptions
from consilience._batches import cuts_of_rows, upload_seconds
from consilience._codec.alignment import Neighbours, decode_report, encode_spec
from consilience._convert import Vectors, as_list, to_vectors
from consilience._embedded import align_embedded
from consilience._kernels import array_kernel, to_kernel
from consilience._layers import Layers, to_layers
from consilience._results.alignment_report import AlignmentReport
from consilience._results.server_info import Limits
from consilience.errors import InvalidArgumentError
from consilience.v1 import alignment_pb2

_SLOWEST_COMPARISONS_PER_SECOND = 5e6


ArrayControls = Mapping[str, Any]
"""Controls by name: an array, or the layers of a model, which take x's place, or (array, side)."""

NO_CONTROLS: ArrayControls = MappingProxyType({})


@dataclass(frozen=True)
class Arrays:
    """A request of `AlignArrays`."""

    header: alignment_pb2.AlignArraysHeader
    x: Vectors
    y: Vectors
    controls: tuple[Vectors, ...] = ()
    given: Vectors | None = None

    @property
    def beside(self) -> list[Vectors]:
        """The controls, then the given array where there is one."""
        return [*self.controls, *([] if self.given is None else [self.given])]

    def requests(self, limits: Limits) -> Iterator[tuple[bytes, int]]:
        """The stream: the header, then blocks of x, of y and of the arrays beside them that fit the server's limits."""
        yield _wire.arrays_header(self.header), 0
        given = [] if self.given is None else [("given", self.given)]
        for side, vectors in (("x", self.x), ("y", self.y), *given):
            for start, stop in cuts_of_rows(vectors, limits):
                yield _wire.arrays_block(side, vectors.rows(start, stop)), stop - start
        for number, vectors in enumerate(self.controls):
            for start, stop in cuts_of_rows(vectors, limits):
                yield _wire.control_block(number, vectors.rows(start, stop)), stop - start


def arrays_of(
    x: Any,
    y: Any,
    similarity: str,
    k: Neighbours | Sequence[Neighbours],
    metric: str,
    options: AlignmentOptions,
    kernels: tuple[str | None, str | None] = (None, None),
    controls: ArrayControls = NO_CONTROLS,
    given: Any = None,
) -> Arrays:
    """The request for two arrays; TypeError and what `encode_spec` and `encode_arrays` raise."""
    named: dict[str, Any] = dict(options)
    labels, folds = named.pop("within", None), named.pop("folds_by", None)
    arrays = encode_arrays(x, y, similarity, encode_spec(k=k, metric=metric, **named), labels, kernels, folds)
    return _with_beside(arrays, controls, given) if controls or given is not None else arrays


def _with_beside(arrays: Arrays, controls: ArrayControls, given: Any) -> Arrays:
    """The request with arrays beside x and y.

    Raises:
        InvalidArgumentError: no mapping of names, a side that is neither `x` nor `y`, or other numbers of rows.
    """
    if not isinstance(controls, Mapping):
        raise InvalidArgumentError("controls among arrays are a mapping from a name to an array, or to (array, 'y')", field="controls")
    told, vectors = [], []
    for name, control in controls.items():
        array, side = control if isinstance(control, tuple) and len(control) == 2 and isinstance(control[1], str) else (control, "x")
        layers = to_layers(array, f"controls[{name!r}]")
        vectors.append(_rows_beside(layers.vectors, f"controls[{name!r}]", len(arrays.x)))
        told.append(
            alignment_pb2.ArrayControl(
                name=_names.text(name, "controls"),
                columns=vectors[-1].columns,
                in_place_of=_names.SIDES.to_number(side),
                layer_columns=layers.widths,
                stacked=layers.stacked,
            )
        )
    beyond = None if given is None else _rows_beside(to_vectors(given, "given"), "given", len(arrays.x))
    arrays.header.controls.extend(told)
    arrays.header.given_columns = 0 if beyond is None else beyond.columns
    return replace(arrays, controls=tuple(vectors), given=beyond)


def _rows_beside(vectors: Vectors, field: str, rows: int) -> Vectors:
    """One vector an item."""
    if len(vectors) != rows:
        raise InvalidArgumentError(
            f"{field} has {len(vectors):,} rows, x has {rows:,}; row i of all is the same item", reason="SHAPE_MISMATCH", field=field
        )
    return vectors


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
    nbytes = sum(vectors.data.nbytes for vectors in (arrays.x, arrays.y, *arrays.beside))
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
    controls: ArrayControls = NO_CONTROLS,
    given: Any = None,
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
            `cknna_centred`, `cka`, `unbiased_cka`, `cca`, `svcca`, `procrustes`, `angular_shape`, `linear_predictivity`, `rsa` or
            `rbf_cka`.
        similarity: how near two rows are: `cosine`, `inner_product` or `squared_l2`.
        x_kernel: x is no array of vectors but a matrix over the items (an RDM, judgements) of entries of this kind: `similarity`,
            `dissimilarity`, `euclidean` or `squared_euclidean` distances. (n, n), or of dissimilarities the condensed upper triangle.
        y_kernel: likewise of y.
        controls: arrays that might explain the alignment away (raw inputs, random weights), by name: `{"pixels": pixels}` is compared with
            y in the place of x, `{"words": (words, "y")}` with x in the place of y. A control may have layers, as x may; beside layers it
            chooses its pair by the alignment's own rule. The answer has them in `report.controls`.
        given: (n, d) a third array: align what linear regression on it leaves of the others, of every layer: see `Client.align`.
        **options: preprocessing, permutations, seed, interval and more: see `AlignmentOptions`.

    Raises:
        InvalidArgumentError: different numbers of rows, NaN or infinity, zero rows under cosine, k >= n, half of the items where layers are
            chosen on the other half; a layer that is the same for all items.
        MissingExtraError: the extra is not installed.
    """
    arrays = arrays_of(x, y, similarity, k, metric, options, (x_kernel, y_kernel), controls, given)
    beside = [vectors.to_float32() for vectors in arrays.beside]
    response = align_embedded(arrays.header, arrays.x.to_float32(), arrays.y.to_float32(), beside)
    return decode_report(response.report)
