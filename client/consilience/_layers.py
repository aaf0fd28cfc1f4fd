"""Layers of a model as one matrix: side by side in its columns, which is how they travel."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from consilience._convert import Vectors, is_layered, to_numpy, to_vectors
from consilience.errors import InvalidArgumentError
from consilience.v1 import matrix_pb2


@dataclass(frozen=True)
class Layers:
    """One side of an alignment of arrays.

    Attributes:
        vectors: (n, sum of widths).
        widths: columns of each layer; empty where the side is one space.
        stacked: the layers came as one (n, L, d) array.
    """

    vectors: Vectors
    widths: tuple[int, ...] = ()
    stacked: bool = False


def to_layers(values: Any, field: str) -> Layers:
    """What a caller gave as one side: (n, d), (n, L, d), or a list of L matrices (n, d_l) of any widths.

    Args:
        values: any kind that `to_vectors` takes; a list of matrices is a list of layers.
        field: the argument's name, for messages.

    Raises:
        InvalidArgumentError: layers of different numbers of rows, no layers, or what `to_vectors` refuses, named by layer.
    """
    if not is_layered(values):
        return Layers(to_vectors(values, field))
    if isinstance(values, list | tuple):
        return _of_list([to_vectors(layer, f"{field}[{at}]") for at, layer in enumerate(values)], field)
    array, is_bfloat16 = to_numpy(values, field)
    n, count, width = array.shape
    if not count:
        raise InvalidArgumentError(f"{field} has shape {array.shape}: no layers", reason="SHAPE_MISMATCH", field=field)
    flat = np.ascontiguousarray(array).reshape(n, count * width)
    vectors = Vectors(flat.astype("<u2", copy=False), matrix_pb2.DATA_TYPE_BFLOAT16) if is_bfloat16 else to_vectors(flat, field)
    return Layers(vectors, (width,) * count, stacked=True)


def _of_list(layers: Sequence[Vectors], field: str) -> Layers:
    for at, layer in enumerate(layers):
        if len(layer) != len(layers[0]):
            raise InvalidArgumentError(
                f"{field}[{at}] has {len(layer):,} rows, {field}[0] has {len(layers[0]):,}; row i of every layer is the same item",
                reason="SHAPE_MISMATCH",
                field=field,
            )
    widths = tuple(layer.columns for layer in layers)
    if len({layer.dtype for layer in layers}) == 1:
        return Layers(Vectors(np.concatenate([layer.data for layer in layers], axis=1), layers[0].dtype), widths)
    return Layers(Vectors(np.concatenate([layer.to_float32() for layer in layers], axis=1), matrix_pb2.DATA_TYPE_FLOAT32), widths)
