import warnings

import numpy as np
import pytest

from consilience_server.core.errors import InvalidKernel, NotFinite
from consilience_server.core.kernel_kind import KernelKind
from consilience_server.core.repeats import check_repeats, mean_of_repeats

NAMES, KIND = ["ann", "bob", "cyd"], KernelKind.DISSIMILARITY
N = 5
IDS = list("pqrst")


def judged(seed=0, missing=0.3):
    draw = np.random.default_rng(seed)
    upper = np.triu(draw.random((3, N, N), dtype=np.float32), 1)
    upper[1:][np.triu(draw.random((2, N, N)) < missing, 1)] = np.nan
    return upper + upper.transpose(0, 2, 1)


def rows_of(matrices):
    return np.ascontiguousarray(matrices.transpose(1, 0, 2).reshape(N, -1))


def changed(repeat, i, j, value, *, mirrored=True):
    matrices = judged()
    matrices[repeat, i, j] = value
    if mirrored:
        matrices[repeat, j, i] = value
    return rows_of(matrices)


def test_the_mean_is_over_the_repeats_that_have_an_entry():
    matrices = judged()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = np.float32(np.nanmean(matrices.astype(np.float64), axis=0))
    check_repeats(rows_of(matrices), IDS, KIND, NAMES)
    found = mean_of_repeats(rows_of(matrices), 3)
    assert found.tobytes() == expected.tobytes()
    assert found.tobytes() == found.T.copy().tobytes()


def test_a_diagonal_that_no_repeat_has_is_zero():
    matrices = judged()
    matrices[:, np.arange(N), np.arange(N)] = np.nan
    check_repeats(rows_of(matrices), IDS, KIND, NAMES)
    assert np.diagonal(mean_of_repeats(rows_of(matrices), 3)).tolist() == [0] * N


BAD = {
    "a diagonal": (changed(2, 3, 3, 0.5), InvalidKernel, r"\[3, 3\] \('s' with itself, repeat 'cyd'\) is 0.5"),
    "asymmetry": (changed(0, 1, 2, 9, mirrored=False), InvalidKernel, r"\[1, 2\] \('q' with 'r', repeat 'ann'\) is 9 and differs"),
    "half an entry": (changed(0, 1, 2, np.nan, mirrored=False), InvalidKernel, r"\[1, 2\] .*repeat 'ann'\) is nan and differs"),
    "infinity": (changed(1, 0, 4, np.inf), NotFinite, r"\[0, 4\] .*repeat 'bob'\) is inf"),
    "another width": (np.zeros((N, 2 * N), np.float32), InvalidKernel, "rows of 10 entries; 3 repeats .* 3 x 5 = 15"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_repeat_is_named(case):
    rows, kind, told = BAD[case]
    with pytest.raises(kind, match=told):
        check_repeats(rows, IDS, KIND, NAMES)


def test_a_pair_that_nobody_rated_is_refused():
    matrices = judged()
    matrices[:, 1, 4] = matrices[:, 4, 1] = np.nan
    with pytest.raises(InvalidKernel, match=r"\[1, 4\] \('q' with 't'\) is NaN in all 3 repeats"):
        check_repeats(rows_of(matrices), IDS, KIND, NAMES)
