"""Arrays that hold the layers of a model, one beside the other, cut into layers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.layered_scores import LayeredSide
from consilience_server.app.reports import SpaceUse
from consilience_server.app.validation import check_vectors
from consilience_server.core.errors import InvalidArgument, NotFinite, ShapeMismatch, ZeroVector
from consilience_server.core.kernel_kind import KernelKind
from consilience_server.core.kernel_matrix import check_kernel_matrix
from consilience_server.core.similarity import Similarity
from consilience_server.engine.snapshot import Snapshot


@dataclass(frozen=True)
class ArrayLayers:
    """How the columns of an array fall into layers.

    Attributes:
        widths: columns of each layer, in order; they may differ.
        stacked: the layers came as one (n, L, d) array, which preprocessing clips as one; else as a list, each clipped by itself.
    """

    widths: Sequence[int]
    stacked: bool = False


def check_array(array: NDArray[np.float32], similarity: Similarity, kernel: KernelKind | None, field: str) -> None:
    """Vectors, or a kernel's matrix, that can be compared: NotFinite, ZeroVector, InvalidKernel."""
    if kernel is None:
        check_vectors(array, similarity, None, field)
    else:
        check_kernel_matrix(array, [str(row) for row in range(len(array))], kernel, field)


def cut_layers(
    field: str,
    array: NDArray[np.float32],
    layers: ArrayLayers | None,
    similarity: Similarity,
    kernel: KernelKind | None,
    ids: NDArray[np.object_],
    digest: str,
    name: str = "",
) -> LayeredSide:
    """One side of an alignment of arrays.

    Args:
        field: of the request, for refusals; `x` or `y`, whose layers are called `layer 0 of x` and so on.
        array: (n, sum of widths).
        layers: None is one layer, which is then called by the field.
        similarity: of every layer.
        kernel: what the entries are where the side is a kernel, which has no layers.
        ids: (n,) names of the items.
        digest: of the content: it names the layers, so that a repeat finds its tables.
        name: of an array that is neither x nor y, which is known by its content and not by its place.

    Raises:
        ShapeMismatch: the widths do not add up to the columns, or one is 0.
        NotFinite, ZeroVector: rows, with their layer.
        InvalidKernel: as `check_array`; InvalidArgument: a kernel with layers.
    """
    if kernel is not None and layers is not None:
        raise InvalidArgument(f"{field} is a kernel and has layers; give one matrix a side", field=f"header.{field}_kernel")
    widths = [array.shape[1]] if layers is None else list(layers.widths)
    if sum(widths) != array.shape[1] or min(widths, default=0) < 1:
        raise ShapeMismatch(
            f"{field} has {array.shape[1]:,} columns and layers of {widths}; give the width of each layer",
            field=f"header.{field}_layer_columns",
        )
    snapshots, start, side, origin = [], 0, name or field, "beside" if name else field
    for at, width in enumerate(widths):
        called = side if layers is None else f"layer {at} of {side}"
        vectors = np.ascontiguousarray(array[:, start : start + width])
        try:
            check_array(vectors, similarity, kernel, field)
        except (NotFinite, ZeroVector) as refusal:
            raise type(refusal)(f"{called}: {refusal.message}", field=field) from None
        snapshots.append(Snapshot(called, f"{origin}[{start}:{start + width}]-{digest}", 0, similarity, ids, vectors, kernel))
        start += width
    # An array that is no space has no version.
    use = SpaceUse(side, f"{origin}-{digest}", 0)
    return LayeredSide(use, field, snapshots, stacked=layers is not None and layers.stacked)
