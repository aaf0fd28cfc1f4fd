"""What an alignment asks, once the number of items is known."""

import pytest

from consilience_server.app.alignment_query import at_size, in_numbers
from consilience_server.app.alignment_spec import AlignmentLimits, AlignmentSpec
from consilience_server.core.errors import InvalidK


@pytest.mark.parametrize(("n", "share", "k"), [(1024, 0.01, 10), (100, 0.29, 29), (50, 1 / 100, 1), (700, 1 / 7, 100), (40, 0.999, 39)])
def test_a_share_is_rounded_down_but_for_the_error_of_floats(n, share, k):
    assert in_numbers(AlignmentSpec(ks=(), k_fractions=(share,)), n).ks == (k,)


def test_a_share_beyond_what_is_served_is_refused():
    few = AlignmentLimits(max_k=4, max_permutations=999, threads=1, flops_per_second=1e9)
    with pytest.raises(InvalidK, match="smaller share"):
        at_size(AlignmentSpec(ks=(2,), k_fractions=(0.5,)), 60, few)
    assert at_size(AlignmentSpec(ks=(2,), k_fractions=(0.05,)), 60, few).ks == (2, 3)
