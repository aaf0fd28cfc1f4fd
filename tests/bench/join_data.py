"""What the joins are measured on: two kinds of made vectors, and the sentences of the Brown corpus as a small encoder sees them."""

import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import numpy as np


class UnavailableError(Exception):
    """What a data set needs is not on this machine."""


def clustered(n: int, d: int, seed: int = 0) -> np.ndarray:
    """(n, d) float32: n / 200 Gaussian clusters in a subspace of half the width, a spectrum i^-0.5, a common mean, some noise."""
    random = np.random.default_rng(seed)
    inner, clusters = d // 2, max(2, n // 200)
    spectrum = (np.arange(1, inner + 1) ** -0.5).astype(np.float32)
    basis = np.linalg.qr(random.standard_normal((d, inner)))[0].astype(np.float32)
    centres = random.standard_normal((clusters, inner), dtype=np.float32) * spectrum
    points = centres[random.integers(0, clusters, n)] + 0.5 * random.standard_normal((n, inner), dtype=np.float32) * spectrum
    mean = random.standard_normal(d, dtype=np.float32) * np.float32(0.05)
    x = points @ basis.T
    x += mean
    for row in range(0, n, 10_000):
        part = x[row : row + 10_000]
        part += np.float32(0.02) * random.standard_normal(part.shape, dtype=np.float32)
    return x


def isotropic(n: int, d: int, seed: int = 0) -> np.ndarray:
    """(n, d) float32, independent normal coordinates."""
    return np.random.default_rng(seed).standard_normal((n, d), dtype=np.float32)


def sentences(n: int, d: int) -> np.ndarray:
    """(at most n, 384) float32: the distinct sentences of the Brown corpus through MiniLM, encoded once and kept in the temporary folder.

    Raises:
        UnavailableError: without the corpus, the encoder's package or its tokenizer, naming which.
    """
    if d != 384:
        raise UnavailableError(f"d = {d}, but the encoder's vectors are 384 wide")
    kept = Path(tempfile.gettempdir()) / "consilience-bench-brown-minilm.npy"
    if not kept.exists():
        from minilm import encode

        np.save(kept, encode(brown_sentences()))
    return np.ascontiguousarray(np.load(kept)[:n])


def brown_sentences() -> list[str]:
    """The distinct sentences of the corpus in their order: words without their tags, joined by spaces."""
    folder = Path(os.environ.get("CONSILIENCE_REFERENCE_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")
    if not (folder / "brown.zip").exists():
        raise UnavailableError("no reference data: CONSILIENCE_REFERENCE_DATA names no folder with brown.zip")
    found: dict[str, None] = {}
    with ZipFile(folder / "brown.zip") as corpus:
        for name in sorted(name for name in corpus.namelist() if re.fullmatch(r"c[a-r]\d\d", name.rsplit("/", 1)[-1])):
            for line in corpus.read(name).decode().splitlines():
                words = [token.rsplit("/", 1)[0] for token in line.split()]
                if words:
                    found[" ".join(words)] = None
    return list(found)


DATA: dict[str, Callable[[int, int], np.ndarray]] = {"clustered": clustered, "isotropic": isotropic, "sentences": sentences}
