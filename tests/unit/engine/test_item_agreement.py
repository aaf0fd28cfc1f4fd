import numpy as np
import pytest
from support.brute_table import table

from consilience_server.core import errors
from consilience_server.core.control import Control
from consilience_server.core.item_agreement import item_agreement as plain
from consilience_server.core.mutual_knn import mutual_knn
from consilience_server.engine import item_agreement as module
from consilience_server.engine.item_agreement import item_agreement


@pytest.mark.parametrize("kind", ["plain", "tied"])
def test_it_is_the_mean_overlap_over_pairs(kind, monkeypatch):
    monkeypatch.setattr(module, "_BLOCK_EDGES", 100)
    random = np.random.default_rng(0)
    latent = random.standard_normal((50, 3))
    arrays = [latent + 0.5 * random.standard_normal((50, 3)) for _ in range(4)]
    if kind == "tied":
        arrays = [np.round(array) + 5.0 for array in arrays]
    sets = [table(array, 6).sets(6) for array in arrays]
    found = item_agreement(sets, Control())
    np.testing.assert_allclose(found, plain(sets), atol=1e-12)
    pairs = [mutual_knn(sets[i], sets[j]) for i in range(4) for j in range(i)]
    assert found.mean() == pytest.approx(np.mean(pairs))


def test_it_stops_when_nobody_waits():
    sets = [table(np.random.default_rng(seed).standard_normal((20, 3)), 4).sets(4) for seed in (0, 1)]
    control = Control()
    control.cancel()
    with pytest.raises(errors.Cancelled):
        item_agreement(sets, control)
