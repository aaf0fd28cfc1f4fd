"""What many spaces tell together: through a server and in this process."""

import numpy as np
import pytest

import consilience

NOISE = {"n1": 0.25, "n2": 0.5, "n3": 1.0, "n4": 2.0, "n5": 4.0, "n6": 8.0}


@pytest.fixture(scope="module")
def spaces(client):
    """Six noisy views of one latent, and the latent."""
    random = np.random.default_rng(0)
    ids = [f"item-{row:03d}" for row in range(120)]
    latent = random.standard_normal((120, 6))
    client.create_space("latent", dim=6)
    client.upsert("latent", ids, latent)
    for name, noise in NOISE.items():
        client.create_space(name, dim=10)
        client.upsert(name, ids, latent @ np.linalg.qr(random.standard_normal((10, 6)))[0].T + noise * random.standard_normal((120, 10)))
    return list(NOISE)


class TestTrend:
    def test_alignment_falls_with_noise(self, client, spaces):
        told = client.trend(spaces, NOISE, reference="latent", k=8, scale="log10", permutations=99)
        assert told.spearman < -0.9
        assert told.p_value < 0.05
        assert told.interval.high < 0
        assert (told.exact, told.pairings, told.n) == (True, 720, 120)
        single = client.align("n3", "latent", k=8, permutations=99)
        assert single == told.reports[2]
        assert told.scores[2] == single.score
        assert told.slope == pytest.approx(np.polyfit(np.log10(list(NOISE.values())), told.scores, 1)[0])

    def test_without_a_reference_the_pairs_are_those_of_the_matrix(self, client, spaces):
        told = client.trend(spaces, NOISE, k=8, buckets=2)
        matrix = client.align_matrix(spaces, k=8, permutations=0)
        off = ~np.eye(6, dtype=bool)
        np.testing.assert_allclose(told.pair_scores[off], matrix.scores[off], atol=1e-12)
        assert told.buckets[0].mean > told.buckets[1].mean
        assert told.across.shape == (2, 2)

    def test_the_same_as_an_operation(self, client, spaces):
        started = client.trend(spaces, NOISE, reference="latent", k=8, permutations=99, wait=False)
        assert client.wait_operation(started, timeout=60) == client.trend(spaces, NOISE, reference="latent", k=8, permutations=99)

    @pytest.mark.parametrize(
        ("names", "more", "field"),
        [
            (["n1", "n2"], {}, "spaces"),
            (["n1", "n2", "n2"], {}, "spaces"),
            (["n1", "n2", "latent"], {"reference": "latent"}, "reference"),
            (["n1", "n2", "n3"], {"k": 120}, "spec.ks"),
        ],
    )
    def test_what_cannot_be_is_refused(self, client, spaces, names, more, field):
        with pytest.raises(consilience.InvalidArgumentError) as refused:
            client.trend(names, {**NOISE, "latent": 0.1}, **more)
        assert refused.value.field == field

    def test_equal_numbers_and_missing_spaces_are_refused(self, client, spaces):
        with pytest.raises(consilience.InvalidArgumentError, match="differ"):
            client.trend(spaces, dict.fromkeys(spaces, 1.0))
        with pytest.raises(consilience.NotFoundError):
            client.trend([*spaces, "nobody"], {**NOISE, "nobody": 1.0})
