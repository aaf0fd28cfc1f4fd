import numpy as np
import pytest

from consilience_server.app.preparation import prepare
from consilience_server.core.errors import ZeroVector
from consilience_server.core.similarity import Similarity

X = np.random.default_rng(0).standard_normal((30, 4)).astype(np.float32)


def test_none_is_the_array_itself():
    assert prepare("none", X, Similarity.INNER_PRODUCT).vectors is X


@pytest.mark.parametrize("name", ["centre", "standardize", "unit"])
def test_the_similarity_stays(name):
    found = prepare(name, X, Similarity.SQUARED_L2)
    assert found.similarity is Similarity.SQUARED_L2
    assert found.clip is None
    assert found.constant_columns == (0 if name == "standardize" else None)


def test_the_papers_form_is_compared_by_cosine():
    found = prepare("platonic_rep", X, Similarity.SQUARED_L2)
    assert found.similarity is Similarity.COSINE
    assert found.clip > 0


@pytest.mark.parametrize("name", ["centre", "standardize"])
def test_an_item_at_the_mean_has_no_cosine(name):
    x = np.array([[1, 2], [3, 6], [2, 4]], dtype=np.float32)
    with pytest.raises(ZeroVector, match="rows 2; remove these items"):
        prepare(name, x, Similarity.COSINE)
    assert not prepare(name, x, Similarity.SQUARED_L2).vectors[2].any()
