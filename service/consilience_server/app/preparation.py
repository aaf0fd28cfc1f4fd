"""What preprocessing of a name makes of a space, and what the answer must tell of it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.reports import PreprocessName
from consilience_server.core.preprocess import platonic_rep
from consilience_server.core.similarity import Similarity
from consilience_server.core.standard_forms import centre, check_directions, standardize, unit


@dataclass(frozen=True)
class Prepared:
    """A space after preprocessing.

    Attributes:
        vectors: (n, d) float32; the given array itself where nothing is done.
        similarity: how nearness is measured from here on.
        clip: what `platonic_rep` clipped at, None for others.
        constant_columns: columns that `standardize` left out, None for others.
    """

    vectors: NDArray[np.float32]
    similarity: Similarity
    clip: float | None = None
    constant_columns: int | None = None


def prepared_similarity(name: PreprocessName, similarity: Similarity) -> Similarity:
    """How nearness is measured after preprocessing."""
    return Similarity.COSINE if name == "platonic_rep" else similarity


def prepare(name: PreprocessName, vectors: NDArray[np.float32], similarity: Similarity, clip: float | None = None) -> Prepared:
    """Preprocess one space over the items that are compared; `clip` is that of `platonic_rep` where it is known already.

    Raises:
        ZeroVector: rows without a direction under cosine, or for `unit` and `platonic_rep`.
        ConstantFeatures: nothing is left to standardize.
        NotFinite: values beyond float32.
    """
    if name == "platonic_rep":
        clipped, used = platonic_rep(vectors, clip=clip)
        return Prepared(clipped, prepared_similarity(name, similarity), clip=used)
    if name == "unit":
        return Prepared(unit(vectors), similarity)
    if name == "none":
        return Prepared(vectors, similarity)
    if name == "centre":
        found = Prepared(centre(vectors), similarity)
    else:
        columns, constant = standardize(vectors)
        found = Prepared(columns, similarity, constant_columns=constant)
    if similarity is Similarity.COSINE:
        check_directions(found.vectors, "are the mean of all items and have no direction without it")
    return found
