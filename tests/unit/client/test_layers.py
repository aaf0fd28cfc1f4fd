import numpy as np
import pytest
import torch

from consilience._layers import to_layers
from consilience.errors import InvalidArgumentError

STACK = np.random.default_rng(0).normal(size=(5, 3, 2)).astype(np.float32)


def test_a_stack_lies_layer_beside_layer():
    found = to_layers(STACK, "x")
    assert (found.widths, found.stacked) == ((2, 2, 2), True)
    assert np.array_equal(found.vectors.data, np.concatenate([STACK[:, at] for at in range(3)], axis=1))


def test_a_list_keeps_its_widths():
    ragged = [STACK[:, 0], np.ones((5, 7)), torch.ones(5, 1)]
    found = to_layers(ragged, "x")
    assert (found.widths, found.stacked) == ((2, 7, 1), False)
    assert found.vectors.data.shape == (5, 10)
    assert found.vectors.data.dtype == np.float32


def test_one_space_has_no_layers():
    found = to_layers(STACK[:, 0], "x")
    assert (found.widths, found.stacked) == ((), False)


def test_narrow_types_travel_as_they_are():
    assert to_layers(STACK.astype(np.float16), "x").vectors.data.dtype == np.float16
    bits = to_layers(torch.ones(5, 3, 2, dtype=torch.bfloat16), "x").vectors
    assert bits.data.shape == (5, 6)
    assert np.array_equal(bits.to_float32(), np.ones((5, 6)))
    mixed = to_layers([STACK[:, 0].astype(np.float16), STACK[:, 1]], "x")
    assert mixed.vectors.data.dtype == np.float32


def test_what_is_wrong_is_named_by_layer():
    with pytest.raises(InvalidArgumentError, match=r"y\[1\] has 4 rows, y\[0\] has 5"):
        to_layers([STACK[:, 0], STACK[:4, 1]], "y")
    with pytest.raises(InvalidArgumentError, match=r"x\[1\] has shape \(5,\)"):
        to_layers([STACK[:, 0], STACK[:, 0, 0]], "x")
    with pytest.raises(InvalidArgumentError, match="no layers"):
        to_layers(STACK[:, :0], "x")
