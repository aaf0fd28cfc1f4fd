"""Whiten, rotate, re-weight, de-whiten: Procrustes for spaces whose directions differ in strength."""

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.canonical import Canonical


def whitened_maps(form: Canonical) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The maps of both sides into the space where they meet, (d_x, r) and (d_y, r) float64.

    With C^-1/2 X'Y C^-1/2 = U S V' (`core/canonical.py`), each side is whitened, rotated onto the other, weighted by the root of the
    correlations, and given back the strengths it had before, in the new directions:

        W_x = Cxx^-1/2 U S^1/2 (U' Cxx^1/2 U)        W_y = Cyy^-1/2 V S^1/2 (V' Cyy^1/2 V)

    Source: Artetxe, Labaka and Agirre, "Generalizing and improving bilingual word embedding mappings with a multi-step framework of linear
    transformations", AAAI 2018: steps 1 to 4 with re-weighting on both sides.
    """
    roots = np.sqrt(form.correlations)
    maps = []
    for white, rotation in ((form.source_whitening, form.left), (form.target_whitening, form.right)):
        strengths = rotation.T @ white.root @ rotation
        maps.append((white.inverse_root @ rotation * roots) @ strengths)
    return maps[0], maps[1]
