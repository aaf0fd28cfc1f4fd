"""Which items stay is decided by both spaces; the level is kept all the same."""

import numpy as np
from support.alignment_house import AlignmentHouse

from consilience_server.app.alignment_spec import AlignmentSpec
from consilience_server.app.call import Call
from consilience_server.core.similarity import Similarity


def repeated(draw, n):
    """A quarter of the items are near-duplicates of others."""
    x = draw.normal(size=(n, 8))
    x[: n // 4] = x[n // 4 : n // 2] + 0.02 * draw.normal(size=(n // 4, 8))
    return x[draw.permutation(n)].astype(np.float32)


async def test_unrelated_spaces_with_duplicates_keep_the_level():
    n, draws, rejected, left = 64, 200, 0, []
    draw, house = np.random.default_rng(7), AlignmentHouse()
    for index in range(draws):
        x, y = repeated(draw, n), repeated(draw, n)
        spec = AlignmentSpec(ks=(3,), permutations=19, seed=index, interval_kind="queries", deduplicate=0.99)
        report = await house.alignment.align_arrays(Call("a"), x, y, Similarity.COSINE, spec)
        rejected += report.headline.p_value <= 0.05
        left.append(report.n)
    assert 1 <= rejected <= 20  # binomial(200, .05): mean 10, sd 3.1
    assert 0.4 * n < np.mean(left) < 0.7 * n
