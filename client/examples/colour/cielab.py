"""CIELAB, the colour space whose distances are meant to be those that people see."""

import numpy as np
from numpy.typing import NDArray

_TO_XYZ = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]])
_D65 = np.array([0.95047, 1.0, 1.08883])
_EPSILON, _KAPPA = 216 / 24389, 24389 / 27


def to_cielab(rgb: NDArray[np.floating]) -> NDArray[np.float64]:
    """L*, a*, b* of sRGB from 0 to 255 under D65; (n, 3) float64. CIE 15:2004, IEC 61966-2-1."""
    channel = np.asarray(rgb, dtype=np.float64) / 255.0
    linear = np.where(channel <= 0.04045, channel / 12.92, ((channel + 0.055) / 1.055) ** 2.4)
    relative = linear @ _TO_XYZ.T / _D65
    response = np.where(relative > _EPSILON, np.cbrt(relative), (_KAPPA * relative + 16) / 116)
    x, y, z = response[..., 0], response[..., 1], response[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)
