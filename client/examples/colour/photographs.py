"""Colour photographs that packages bundle, and the colours in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_sample_images

SCIKIT_IMAGE = ("astronaut.png", "chelsea.png", "coffee.png", "motorcycle_left.png", "rocket.jpg")
"""Its colour photographs of the everyday world; not its micrographs, retina and sky survey."""
LONGEST_SIDE = 512


@dataclass(frozen=True)
class Colours:
    """Quantised colours.

    Attributes:
        images: (height, width) int64 each, a position among the colours; -1 never.
        ids: their names, `#rrggbb` of the mean.
        rgb: (n, 3) float64, mean of the pixels of each, 0 to 255.
        pixels: (n,) int64.
    """

    images: Sequence[NDArray[np.int64]]
    ids: list[str]
    rgb: NDArray[np.float64]
    pixels: NDArray[np.int64]


def bundled_photographs() -> dict[str, NDArray[np.uint8]]:
    """The two photographs of scikit-learn, and those of scikit-image where it is installed; (height, width, 3) each, halved to fit."""
    bunch = load_sample_images()
    found = {Path(name).name: image for name, image in zip(bunch.filenames, bunch.images, strict=True)}
    package = find_spec("skimage")
    if package is not None and package.submodule_search_locations:
        folder = Path(package.submodule_search_locations[0]) / "data"
        for path in (folder / name for name in SCIKIT_IMAGE):
            if path.is_file():
                with Image.open(path) as image:
                    found[path.name] = np.asarray(image.convert("RGB"))
    return {name: image[:: _step(image), :: _step(image)] for name, image in found.items()}


def _step(image: NDArray[np.uint8]) -> int:
    return max(1, round(max(image.shape[:2]) / LONGEST_SIDE))


def quantise(photographs: Sequence[NDArray[np.uint8]], levels: int, least: int) -> Colours:
    """Each channel in `levels` equal steps; colours of fewer than `least` pixels go to the nearest that has more."""
    cells = [((image.astype(np.int64) * levels) // 256) @ np.array([levels * levels, levels, 1]) for image in photographs]
    flat, colours = np.concatenate([image.ravel() for image in cells]), np.concatenate([image.reshape(-1, 3) for image in photographs])
    pixels = np.bincount(flat, minlength=levels**3)
    sums = np.stack([np.bincount(flat, weights=colours[:, channel], minlength=levels**3) for channel in range(3)], axis=1)
    with np.errstate(invalid="ignore"):
        means = sums / pixels[:, None]
    kept = np.flatnonzero(pixels >= least)
    distances = ((np.nan_to_num(means)[:, None] - means[kept][None]) ** 2).sum(axis=2)
    nearest = distances.argmin(axis=1)
    merged = np.bincount(nearest, weights=pixels, minlength=len(kept)).astype(np.int64)
    rgb = np.stack([np.bincount(nearest, weights=sums[:, channel], minlength=len(kept)) for channel in range(3)], axis=1) / merged[:, None]
    ids = ["#{:02x}{:02x}{:02x}".format(*np.rint(colour).astype(int)) for colour in rgb]
    return Colours([nearest[image] for image in cells], ids, rgb, merged)
