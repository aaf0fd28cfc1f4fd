"""Hand-made descriptors of small images, in NumPy: what people measured in images before networks learned to."""

from math import factorial

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Images = NDArray[np.float64]


def enlarge(images: Images) -> Images:
    """Double the sides by linear interpolation: (n, s, s) to (n, 2 s, 2 s), pixel centres aligned."""
    side = images.shape[1]
    places = np.clip((np.arange(2 * side) - 0.5) / 2, 0, side - 1)
    low = np.minimum(places.astype(int), side - 2)
    weights = np.zeros((2 * side, side))
    weights[np.arange(2 * side), low] = 1 - (places - low)
    weights[np.arange(2 * side), low + 1] += places - low
    return np.einsum("as,nst,bt->nab", weights, images, weights)


def oriented_gradients(images: Images, cell: int = 4, bins: int = 8) -> NDArray[np.float64]:
    """Histograms of oriented gradients (Dalal and Triggs 2005): (n, s, s) to (n, cells * bins).

    In each cell of `cell` x `cell` pixels, gradient magnitudes by direction (0 to pi), each shared between the two nearest bins; every
    block of 2 x 2 cells to unit length, blocks side by side.
    """
    images = enlarge(images)
    vertical, horizontal = np.gradient(images, axis=(1, 2))
    strength = np.hypot(vertical, horizontal)
    place = np.mod(np.arctan2(vertical, horizontal), np.pi) / np.pi * bins
    low = np.floor(place).astype(int)
    upper = place - low
    votes = np.zeros((*images.shape, bins))
    for shift, weight in ((0, 1 - upper), (1, upper)):
        index = np.mod(low + shift, bins)[..., None]
        np.put_along_axis(votes, index, np.take_along_axis(votes, index, -1) + (strength * weight)[..., None], -1)
    cells_a_side = images.shape[1] // cell
    cells = votes.reshape(len(images), cells_a_side, cell, cells_a_side, cell, bins).sum(axis=(2, 4))
    blocks = sliding_window_view(cells, (2, 2), axis=(1, 2)).reshape(len(images), -1, bins * 4)
    blocks = blocks / np.sqrt((blocks**2).sum(-1, keepdims=True) + 1e-4)
    return blocks.reshape(len(images), -1)


def binary_patterns(images: Images, cells: int = 3) -> NDArray[np.float64]:
    """Local binary patterns (Ojala et al. 2002): (n, s, s) to (n, cells * cells * 10).

    Which of a pixel's 8 neighbours are brighter than it, reduced to the number of brighter ones where these form at most one arc (0 to
    8, else 9); counted in each of `cells` x `cells` parts of the enlarged image, square roots taken so that the cosine compares
    histograms by their Bhattacharyya coefficient.
    """
    images = enlarge(images)
    side = images.shape[1]
    around = ((0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0))
    centre = images[:, 1:-1, 1:-1]
    brighter = np.stack([images[:, r : side - 2 + r, c : side - 2 + c] > centre + 0.02 for r, c in around])
    changes = (brighter != np.roll(brighter, 1, axis=0)).sum(axis=0)
    patterns = np.where(changes <= 2, brighter.sum(axis=0), 9)
    counts = (patterns[..., None] == np.arange(10)).astype(float)
    edges = np.linspace(0, side - 2, cells + 1).astype(int)[:-1]
    parts = np.add.reduceat(np.add.reduceat(counts, edges, axis=1), edges, axis=2)
    return np.sqrt(parts).reshape(len(images), -1)


def radial_polynomial(n: int, m: int, radius: Images) -> Images:
    """Zernike's radial polynomial of degree n and angular frequency m."""
    terms = []
    for s in range((n - m) // 2 + 1):
        below = factorial(s) * factorial((n + m) // 2 - s) * factorial((n - m) // 2 - s)
        terms.append((-1) ** s * factorial(n - s) / below * radius ** (n - 2 * s))
    return np.sum(terms, axis=0)


def zernike_moments(images: Images, order: int = 10) -> NDArray[np.float64]:
    """Zernike moments of the disc around the image (Khotanzad and Hong 1990), real and imaginary parts: (n, s, s) to (n, moments).

    Projections on polynomials that are orthogonal over the disc; global where the others are local.
    """
    images = enlarge(images)
    side = images.shape[1]
    axis = (np.arange(side) + 0.5) / side * 2 - 1
    x, y = np.meshgrid(axis, axis)
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    features = []
    for n in range(order + 1):
        for m in range(n % 2, n + 1, 2):
            weight = (radius <= 1) * radial_polynomial(n, m, radius) * np.sqrt(n + 1)
            features.append((images * (weight * np.cos(m * angle))).mean(axis=(1, 2)))
            if m:
                features.append((images * (weight * np.sin(m * angle))).mean(axis=(1, 2)))
    return np.stack(features, axis=1)
