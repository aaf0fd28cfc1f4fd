"""Nine ways to see a digit, two of them controls: each turns all images into vectors, and learns from `train` alone."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from descriptors import binary_patterns, oriented_gradients, zernike_moments
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor
from threadpoolctl import threadpool_limits


@dataclass(frozen=True)
class Digits:
    """The images, (n, 8, 8) in [0, 1], their labels, and the rows that encoders may learn from."""

    images: NDArray[np.float64]
    labels: NDArray[np.int64]
    train: NDArray[np.int64]

    @property
    def pixels(self) -> NDArray[np.float64]:
        """(n, 64)."""
        return self.images.reshape(len(self.images), -1)


@dataclass(frozen=True)
class Encoder:
    """A name (also the space's), what it is and what it was told, and the function."""

    name: str
    kind: str
    sees: str
    encode: Callable[[Digits], NDArray[np.float64]]


def hidden(network: MLPClassifier | MLPRegressor, inputs: NDArray[np.float64], layers: int) -> NDArray[np.float64]:
    """What the network's hidden layer number `layers` says (tanh)."""
    for weights, bias in list(zip(network.coefs_, network.intercepts_, strict=True))[:layers]:
        inputs = np.tanh(inputs @ weights + bias)
    return inputs


def pca(digits: Digits) -> NDArray[np.float64]:
    return PCA(20, random_state=0).fit(digits.pixels[digits.train]).transform(digits.pixels)


def classifier(digits: Digits) -> NDArray[np.float64]:
    network = MLPClassifier(hidden_layer_sizes=(96, 32), activation="tanh", alpha=1e-3, max_iter=80, random_state=1)
    network.fit(digits.pixels[digits.train], digits.labels[digits.train])
    return hidden(network, digits.pixels, 2)


def autoencoder(digits: Digits) -> NDArray[np.float64]:
    network = MLPRegressor(hidden_layer_sizes=(96, 24, 96), activation="tanh", alpha=1e-4, max_iter=150, random_state=2)
    pixels = digits.pixels[digits.train]
    network.fit(pixels, pixels)
    return hidden(network, digits.pixels, 2)


def denoiser(digits: Digits) -> NDArray[np.float64]:
    random = np.random.default_rng(3)
    shifts = [(0, 0), (0, 1), (0, -1), (1, 0), (-1, 0)]
    shifted = np.concatenate([np.roll(digits.images[digits.train], shift, axis=(1, 2)) for shift in shifts]).reshape(-1, 64)
    damaged = np.clip(shifted + random.normal(0, 0.2, shifted.shape), 0, 1) * (random.random(shifted.shape) > 0.1)
    network = MLPRegressor(hidden_layer_sizes=(128, 32), activation="tanh", alpha=1e-4, max_iter=60, random_state=4)
    network.fit(damaged, np.tile(digits.pixels[digits.train], (len(shifts), 1)))
    return hidden(network, digits.pixels, 2)


def random_network(digits: Digits) -> NDArray[np.float64]:
    random = np.random.default_rng(5)
    first = np.maximum(digits.pixels @ random.normal(0, 64**-0.5, (64, 128)), 0)
    return np.maximum(first @ random.normal(0, 128**-0.5, (128, 64)), 0)


ENCODERS = (
    Encoder("gradients", "descriptor", "edge directions, cell by cell", lambda digits: oriented_gradients(digits.images)),
    Encoder("patterns", "descriptor", "local binary patterns", lambda digits: binary_patterns(digits.images)),
    Encoder("zernike", "descriptor", "global moments over a disc", lambda digits: zernike_moments(digits.images)),
    Encoder("pca", "linear, unlabelled", "20 directions of most variance", pca),
    Encoder("autoencoder", "network, unlabelled", "24 numbers that restore the image", autoencoder),
    Encoder("denoiser", "network, unlabelled", "what restores a shifted, damaged image", denoiser),
    Encoder("classifier", "network, with labels", "what tells the ten digits apart", classifier),
    Encoder("pixels", "control", "the image itself", lambda digits: digits.pixels),
    Encoder("random-network", "control", "a network that learned nothing", random_network),
)


def embed(encoder: Encoder, digits: Digits) -> NDArray[np.float32]:
    """All images through one encoder: (n, d) float32. Training stops after a fixed number of rounds, converged or not.

    One thread: networks this small gain nothing by more, and lose much where the machine is busy.
    """
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore", ConvergenceWarning)
        return np.ascontiguousarray(encoder.encode(digits), np.float32)
