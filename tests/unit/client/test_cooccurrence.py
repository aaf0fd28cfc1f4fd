import numpy as np
import pytest

from consilience import InvalidArgumentError, cooccurrence
from consilience.cooccurrence import from_pixels, from_sequences, from_sessions


def brute(count, pairs):
    dense = np.zeros((count, count))
    for i, j in pairs:
        dense[i, j] += 1
        dense[j, i] += 1
    return dense


def test_words_within_a_window():
    random = np.random.default_rng(0)
    sequences = [[f"w{token}" for token in random.integers(0, 9, size=size)] for size in (40, 1, 0, 25, 3)]
    found = from_sequences(sequences, window=3)
    place = {name: at for at, name in enumerate(found.ids)}
    pairs = [
        (place[sequence[i]], place[sequence[j]])
        for sequence in sequences
        for i in range(len(sequence))
        for j in range(i + 1, min(i + 4, len(sequence)))
    ]
    np.testing.assert_array_equal(found.to_dense(), brute(9, pairs))
    assert found.ids[0] == sequences[0][0]
    assert len(np.unique(found.rows * 9 + found.columns)) == len(found.counts)


def test_words_outside_the_vocabulary_keep_their_place():
    found = from_sequences([["a", "x", "b", "a"]], window=2, vocabulary=["a", "b"])
    assert found.ids == ["a", "b"]
    np.testing.assert_array_equal(found.to_dense(), [[0, 2], [2, 0]])


def test_items_of_a_session_count_once():
    found = from_sessions([["a", "b", "a"], ["b", "c"], ["c"], [], ["c", "b", "a"]])
    np.testing.assert_array_equal(found.to_dense(), [[0, 2, 1], [2, 0, 2], [1, 2, 0]])
    assert "3 things, 6 cells, 10 in all" in repr(found)
    np.testing.assert_array_equal(from_sessions([["a", "b"], ["b", "z"]], vocabulary=["b", "a"]).to_dense(), [[0, 1], [1, 0]])


@pytest.mark.parametrize("radius", [1, 1.5, 3])
def test_pixels_within_a_radius(radius):
    images = [np.random.default_rng(0).integers(0, 4, (6, 5)), np.array([[1, 3, 3]])]
    found = from_pixels(images, radius=radius, ids=["p", "q", "r", "s"])
    pairs = []
    for image in images:
        spots = list(np.ndindex(image.shape))
        pairs += [
            (image[a], image[b])
            for at, a in enumerate(spots)
            for b in spots[at + 1 :]
            if (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 <= radius**2
        ]
    np.testing.assert_array_equal(found.to_dense(), brute(4, pairs))


def test_labels_that_never_occur_are_left_out_unless_named():
    assert from_pixels([np.array([[2, 7], [7, 2]])]).ids == ["2", "7"]
    assert from_pixels([np.array([[0, 2]])], ids=["a", "b", "c"]).ids == ["a", "b", "c"]


def test_many_blocks_are_folded_together(monkeypatch):
    tally = cooccurrence._Tally(50)
    random, pairs = np.random.default_rng(1), []
    for _ in range(40):
        left, right = random.integers(0, 50, (2, 30))
        tally.add(left, right)
        pairs += zip(left, right, strict=True)
    np.testing.assert_array_equal(tally.finish([str(at) for at in range(50)], "x").to_dense(), brute(50, pairs))


@pytest.mark.parametrize(
    ("count", "field"),
    [
        (lambda: from_sequences(["text"]), "sequences"),
        (lambda: from_sequences([["a"]]), "sequences"),
        (lambda: from_sequences([]), "sequences"),
        (lambda: from_sequences([["a", "b"]], window=0), "window"),
        (lambda: from_sequences([["a", "b"]], vocabulary=["a", "a"]), "vocabulary"),
        (lambda: from_sessions(["ab"]), "sessions"),
        (lambda: from_sessions([["a"], ["b"]]), "sessions"),
        (lambda: from_pixels([np.ones((2, 2))]), "images"),
        (lambda: from_pixels([np.array([1, 2])]), "images"),
        (lambda: from_pixels([np.array([[1, -2]])]), "images"),
        (lambda: from_pixels([np.array([[1, 2]])], ids=["a"]), "ids"),
        (lambda: from_pixels([np.array([[1, 2]])], radius=0.5), "radius"),
        (lambda: from_pixels([]), "images"),
    ],
)
def test_what_cannot_be_counted_is_refused(count, field):
    with pytest.raises(InvalidArgumentError) as refused:
        count()
    assert refused.value.field == field
