import numpy as np
import pytest

from consilience_server.core.errors import InvalidArgument
from consilience_server.core.slices import prefix_slices, slices_of


def test_items_with_one_label_are_one_slice():
    slices = slices_of(["b", "a", "b", "c"])
    assert (slices.values, slices.of.tolist(), slices.sizes.tolist()) == (("a", "b", "c"), [1, 0, 1, 2], [1, 2, 1])
    some = slices.some(np.array([0, 2, 3]))
    assert (some.values, some.of.tolist()) == (("b", "c"), [0, 0, 1])


def test_a_prefix_ends_at_the_first_occurrence():
    assert prefix_slices(["cat/1/x", "dog/2", "cat/3"], "/", "f").values == ("cat", "dog")
    with pytest.raises(InvalidArgument, match="1 of 2 ids have no '/', 'b' among them") as refused:
        prefix_slices(["a/1", "b"], "/", "slice_prefix")
    assert refused.value.field == "slice_prefix"
