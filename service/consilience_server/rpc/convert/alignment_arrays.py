"""What the header of two arrays tells beside the specification: groups, folds, layers, kernels, arrays beside them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from consilience.v1 import alignment_pb2
from consilience_server.app.array_layers import ArrayLayers
from consilience_server.app.arrays_beside import ArrayControl, ArraysBeside
from consilience_server.core.kernel_kind import KernelKind
from consilience_server.core.similarity import Similarity
from consilience_server.rpc.convert.alignment import SIDES
from consilience_server.rpc.convert.enums import served
from consilience_server.rpc.convert.spaces import read_kernel, read_similarity


def read_groups(header: alignment_pb2.AlignArraysHeader) -> NDArray[np.int64] | None:
    """(rows,) the group of each row, None where permutations are not restricted."""
    return np.array(header.within_groups, dtype=np.int64) if header.within_groups else None


def read_layers(header: alignment_pb2.AlignArraysHeader) -> tuple[ArrayLayers | None, ArrayLayers | None]:
    """How the columns of x and of y fall into layers; None for one space."""
    x, y = header.x_layer_columns, header.y_layer_columns
    return (
        ArrayLayers(tuple(x), stacked=header.x_stacked) if x else None,
        ArrayLayers(tuple(y), stacked=header.y_stacked) if y else None,
    )


def read_fold_groups(header: alignment_pb2.AlignArraysHeader) -> NDArray[np.int64] | None:
    """(rows,) the group of each row that folds must not split, None where rows stand for themselves."""
    return np.array(header.fold_groups, dtype=np.int64) if header.fold_groups else None


def read_kernels(header: alignment_pb2.AlignArraysHeader) -> tuple[KernelKind | None, KernelKind | None]:
    """What the entries of arrays that are matrices over their items are; None for arrays of vectors."""
    x = read_array_kernel(header.x_kernel, "header.x_kernel") if header.HasField("x_kernel") else None
    y = read_array_kernel(header.y_kernel, "header.y_kernel") if header.HasField("y_kernel") else None
    return x, y


def read_array_kernel(kernel: alignment_pb2.ArrayKernel, field: str) -> KernelKind:
    """What the entries of one matrix are."""
    return read_kernel(kernel.dissimilarity, kernel.dissimilarity_kind, field)


def read_array_similarity(header: alignment_pb2.AlignArraysHeader) -> Similarity:
    """How near two rows of an array of vectors are; not asked where both arrays are kernels."""
    if header.HasField("x_kernel") and header.HasField("y_kernel"):
        return Similarity.INNER_PRODUCT
    return read_similarity(header.similarity, "header.similarity")


def read_beside(header: alignment_pb2.AlignArraysHeader, arrays: Sequence[NDArray[np.float32]]) -> ArraysBeside:
    """Arrays beside x and y: those of the header's controls in their order, then the given one."""
    controls = []
    for number, (control, array) in enumerate(zip(header.controls, arrays, strict=False)):
        side = served(alignment_pb2.Side, control.in_place_of, SIDES, f"header.controls[{number}].in_place_of", what="side")
        layers = ArrayLayers(tuple(control.layer_columns), stacked=control.stacked) if control.layer_columns else None
        controls.append(ArrayControl(control.name or f"control {number + 1}", side, array, layers))
    return ArraysBeside(tuple(controls), arrays[-1] if header.given_columns else None)
