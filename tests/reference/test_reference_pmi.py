"""PMI of the words of the Brown corpus against word vectors learned from Google News."""

import os
import re
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse
from support.brute_table import table

from consilience.cooccurrence import from_sequences
from consilience_server.core.mutual_knn import mutual_knn
from consilience_server.core.pmi import PmiOptions
from consilience_server.engine.pmi_embedding import embed, pmi_values

DATA = Path(os.environ.get("CONSILIENCE_REFERENCE_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
K = 10

pytestmark = [
    pytest.mark.reference,
    pytest.mark.skipif(not (DATA / "reference_scores.json").is_file(), reason="no reference data"),
]


@pytest.fixture(scope="module")
def documents():
    """The tokens of each file, lower-cased."""
    found = []
    with zipfile.ZipFile(DATA / "brown.zip") as file:
        for name in sorted(name for name in file.namelist() if re.fullmatch(r"(.*/)?c[a-r]\d\d", name)):
            text = file.read(name).decode("latin-1")
            found.append([token.rpartition("/")[0].lower() for token in text.split()])
    return found


@pytest.mark.slow
def test_words_that_occur_together_are_those_that_word2vec_has_together(documents):
    frequency = Counter(token for document in documents for token in document)
    common = [token for token, _ in frequency.most_common(6000)]
    vocabulary = [token for token in common if re.fullmatch("[a-z]+", token)]
    counts = from_sequences(documents, window=5, vocabulary=vocabulary)
    shape = (len(vocabulary), len(vocabulary))
    matrix = scipy.sparse.coo_array((counts.counts, (counts.rows, counts.columns)), shape=shape).tocsr()
    vectors = embed(pmi_values(matrix, PmiOptions()), 200).vectors
    news, twitter = (np.load(DATA / name, allow_pickle=False) for name in ("word2vec_gnews8k.npz", "glove_twitter25.npz"))
    words = {name: next(key for key in file.files if file[key].ndim == 1) for name, file in (("news", news), ("twitter", twitter))}
    learned = next(key for key in news.files if news[key].ndim == 2)
    row = {str(word): at for at, word in enumerate(news[words["news"]])}
    known = {str(word) for word in twitter[words["twitter"]]}
    chosen = [(at, row[word]) for at, word in enumerate(vocabulary) if word in row and word in known][:2000]
    ours, theirs = np.array(chosen).T
    assert len(chosen) == 2000
    x, y = vectors[ours], news[learned][theirs]
    assert mutual_knn(table(x, K).sets(K), table(y, K).sets(K)) == pytest.approx(0.176, abs=0.005)
    shuffled = np.random.default_rng(0).permutation(2000)
    assert mutual_knn(table(x, K).sets(K), table(y[shuffled], K).sets(K)) == pytest.approx(0.005, abs=0.002)
