"""How near two vectors are: the three similarities, larger is nearer in each."""

from enum import StrEnum


class Similarity(StrEnum):
    """Name of a similarity; `exact_score.py` has the arithmetic.

    COSINE: <q, x> / (|q| |x|), in [-1, 1]; undefined for zero vectors.
    INNER_PRODUCT: <q, x>.
    SQUARED_L2: -|q - x|^2, in (-inf, 0].
    """

    COSINE = "cosine"
    INNER_PRODUCT = "inner_product"
    SQUARED_L2 = "squared_l2"
