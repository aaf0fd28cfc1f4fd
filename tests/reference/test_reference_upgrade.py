"""Changes of encoder and zero-shot classes on real spaces, against published overlaps and plain NumPy."""

import os
from pathlib import Path

import numpy as np
import pytest

from consilience import Client

DATA = Path(os.environ.get("CONSILIENCE_REFERENCE_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))

pytestmark = [
    pytest.mark.reference,
    pytest.mark.skipif(not (DATA / "things.npz").is_file(), reason="no reference data"),
]


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    with Client.local(tmp_path_factory.mktemp("reference") / "store", timeout=300) as made:
        yield made


def put(client, name, ids, vectors, **attributes):
    client.create_space(name, dim=vectors.shape[1])
    client.upsert(name, ids, vectors, attributes=attributes)


def test_things_from_one_embedding_of_judgements_to_another(client):
    """SPoSE with 66 dimensions to VICE: asking in the old space finds the mutual neighbours of the two, published as .529."""
    data = np.load(DATA / "things.npz", allow_pickle=False)
    ids = [str(item) for item in data["ids"]]
    keys = {key.lower(): key for key in data.files}
    spose, vice = (data[next(keys[key] for key in keys if part in key)] for part in ("66", "vice"))
    put(client, "spose", ids, spose)
    put(client, "vice", ids, vice)
    report = client.evaluate_upgrade("spose", "vice", method="ridge", thresholds={"recall@10": 0.9}, sample_queries=370)
    low, high = report.strategies["keep_old"].measured["recall@10"].interval
    assert low - 0.01 < 0.529 < high + 0.01
    # A bridge finds the very same object nine times in ten (ridge R@1 .914), and still half of its neighbours are others.
    assert report.verdict == "reembed"
    kept = report.strategies["bridge"].retained["recall@10"]
    assert 0.4 < kept.value < 0.7
    none, first, *_, everything = report.regained
    assert everything.recall.value == 1.0
    # What is re-embedded first regains more than as many at random, or at least no less.
    assert first.recall.value > first.at_random - 0.02
    assert first.recall.value > none.recall.value


def test_digits_by_prototypes_of_another_view(client):
    """mfeat: pixel averages of a digit put into classes whose prototypes are profile correlations (`fac`)."""
    data = np.load(DATA / "mfeat.npz", allow_pickle=False)
    pix, fac = ((data[view] - data[view].mean(axis=0)) / data[view].std(axis=0) for view in ("pix", "fac"))
    labels, ids = data["label"], [f"digit-{row:04d}" for row in range(2000)]
    order = np.random.default_rng(0).permutation(2000)
    known, new = order[:1000], order[1000:]
    put(client, "pix", ids, pix, label=labels.tolist())
    put(client, "fac", ids, fac)
    client.fit_bridge("pix", "fac", "pix-to-fac", method="ridge", penalties=[0.01], pair_ids=[ids[row] for row in known])
    prototypes = {str(label): fac[known][labels[known] == label].mean(axis=0) for label in range(10)}
    found = client.classify(prototypes, "pix", bridge="pix-to-fac", labels="label", item_ids=[ids[row] for row in new])
    # Least squares with a little ridge, and the nearest prototype by cosine: in NumPy.
    means = pix[known].mean(axis=0), fac[known].mean(axis=0)
    gram = (pix[known] - means[0]).T @ (pix[known] - means[0])
    weights = np.linalg.solve(gram + 10.0 * np.eye(240), (pix[known] - means[0]).T @ (fac[known] - means[1]))
    mapped = (pix[new] - means[0]) @ weights
    centres = np.array(list(prototypes.values())) - means[1]
    cosines = (mapped @ centres.T) / np.linalg.norm(mapped, axis=1)[:, None] / np.linalg.norm(centres, axis=1)
    plain = float((cosines.argmax(axis=1) == labels[new]).mean())
    accuracy = found.accuracy.accuracy
    assert abs(accuracy.value - plain) < 2 * (plain * (1 - plain) / 1000) ** 0.5 + 0.01
    assert accuracy.interval.low > 0.8
    assert found.accuracy.p_value == 0.001
    assert found.accuracy.majority < 0.15
