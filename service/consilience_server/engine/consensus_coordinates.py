"""Coordinates of what spaces agree on, without an n x n matrix where n is large: the fast path of `core/consensus.py`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from consilience_server.core.consensus import NOTHING
from consilience_server.core.control import Control
from consilience_server.engine.consensus_configurations import BLOCK, Configurations
from consilience_server.engine.threads import one_blas_thread

ConsensusMethod = Literal["mean_kernel", "procrustes"]
TOLERANCE = 1e-6
MOST_ROUNDS = 200


@dataclass(frozen=True)
class ConsensusCoordinates:
    """Items where several spaces agree that they are.

    Attributes:
        vectors: (n, r) float32, principal axes first, each with its largest entry positive; inner products are the mean kernel (or those of
            the mean configuration), squared distances the mean of the spaces' squared distances.
        kept: share of the variance (the trace of the kernel) that the r axes hold; of the sum of absolute eigenvalues where some are
            negative.
        exact: nothing but rounding was left out.
        beyond: share of the absolute spectrum that is negative, which no coordinates have; 0 unless a space is a kernel of no points. Of
            Procrustes the mean over the spaces.
        ratio: |Kbar|_F^2, or |G|^2: 1 where all spaces are one; what it is by chance tells ConsensusReport.
        iterations: rounds of generalised Procrustes; 0 else.
        converged: those came to rest.
    """

    vectors: NDArray[np.float32]
    kept: float
    exact: bool
    ratio: float
    iterations: int = 0
    converged: bool = True
    beyond: float = 0.0


class ConsensusEngine:
    """Consensus of any of M spaces, from cross products that are computed once.

    Where the columns of all spaces together outnumber the items, or a space is a kernel, the mean kernel is decomposed as the n x n matrix
    it is; else, and always for Procrustes, everything but the last product happens among columns. For Procrustes no space has more columns
    than items: kernels and wider spaces are brought to coordinates first.

    Cost:
        mean_kernel: O(n D min(n, D)) once, D the columns of all spaces, and O(min(n, D)^3) a consensus; with kernels O(n^3).
        procrustes: O(n D^2) once; a round is one product of d x d matrices for each two spaces, O(M^2 d^3), and one singular value
        decomposition for each space, about 20 d^3, d = min(n, the largest width); usually 10 to 40 rounds. BLAS runs on one thread
        meanwhile: its own threads, called for every small matrix, made a round ten times slower, and a hundred on a busy machine.

    Args:
        spaces: M of them.
        method: `mean_kernel` or `procrustes`.
        control: hears of the cross products.
    """

    def __init__(self, spaces: Configurations, method: ConsensusMethod, control: Control) -> None:
        self._method = method
        self._beyond: Sequence[float] = [0.0] * len(spaces.arrays)
        if method == "procrustes":
            spaces, self._beyond = spaces.thin(control)
        self._spaces = spaces
        has_kernel = any(kind is not None for kind in spaces.kernels)
        self._by_columns = method == "procrustes" or (not has_kernel and spaces.edges[-1] <= spaces.n)
        everyone = range(len(spaces.arrays))
        if self._by_columns:
            width = int(spaces.edges[-1])
            self._products = np.zeros((width, width))
            for start in range(0, spaces.n, BLOCK):
                control.check()
                block = spaces.side_by_side(everyone, start)
                self._products += block.T @ block
                control.progress(min(start + BLOCK, spaces.n) / spaces.n)
            self._scales = [self._scale(self._product(at, at)) for at in everyone]
        else:
            self._sum = np.zeros((spaces.n, spaces.n))
            for at in everyone:
                control.check()
                self._sum += self._unit_kernel(at)
                control.progress((at + 1) / len(everyone))

    def of(self, members: Sequence[int], rank: int, control: Control) -> ConsensusCoordinates:
        """The consensus of some of the spaces, in at most `rank` axes.

        Args:
            members: positions, one or more, ascending.
            rank: most axes.
            control: cancellation, checked once a block or round.
        """
        if self._method == "procrustes":
            with one_blas_thread():
                return self._procrustes(members, rank, control)
        return self._of_columns(members, rank, control) if self._by_columns else self._of_items(members, rank, control)

    def _product(self, one: int, other: int) -> NDArray[np.float64]:
        edges = self._spaces.edges
        return self._products[edges[one] : edges[one + 1], edges[other] : edges[other + 1]]

    def _scale(self, gram: NDArray[np.float64]) -> float:
        """What makes |K|_F, or for Procrustes |X|_F, equal to 1."""
        norm = np.linalg.norm(gram) if self._method == "mean_kernel" else np.trace(gram)
        return float(1.0 / np.sqrt(norm))

    def _of_columns(self, members: Sequence[int], rank: int, control: Control) -> ConsensusCoordinates:
        scale = 1.0 / np.sqrt(len(members))
        gram = np.block([[self._product(i, j) * self._scales[i] * self._scales[j] * scale**2 for j in members] for i in members])
        values, axes, _ = _principal(gram)
        kept = _count(values, rank)
        weights = np.concatenate([np.full(self._spaces.arrays[at].shape[1], self._scales[at] * scale) for at in members])
        rotation = weights[:, None] * axes[:, :kept]
        vectors = self._projected((self._spaces.side_by_side(members, start) @ rotation for start in self._starts(control)), kept)
        return _coordinates(vectors, values, kept, float((values**2).sum()))

    def _of_items(self, members: Sequence[int], rank: int, control: Control) -> ConsensusCoordinates:
        kernel = self._sum.copy()
        for at in set(range(len(self._spaces.arrays))) - set(members):
            control.check()
            kernel -= self._unit_kernel(at)
        kernel /= len(members)
        values, axes, below = _principal(kernel)
        kept = _count(values, rank)
        return _coordinates(axes[:, :kept] * np.sqrt(values[:kept]), values, kept, float((kernel**2).sum()), below)

    def _unit_kernel(self, at: int) -> NDArray[np.float64]:
        kernel = self._spaces.gram(at)
        unit: NDArray[np.float64] = kernel / np.linalg.norm(kernel)
        return unit

    def _procrustes(self, members: Sequence[int], rank: int, control: Control) -> ConsensusCoordinates:
        products = {(i, j): self._product(i, j) * self._scales[i] * self._scales[j] for i in members for j in members}
        width = max(self._spaces.arrays[at].shape[1] for at in members)
        common = np.array([sum(float((products[i, j] ** 2).sum()) for j in members if j != i) for i in members])
        turns = [members[at] for at in np.argsort(-common, kind="stable")]
        first = turns[0]
        padding = ((0, 0), (0, width - self._spaces.arrays[first].shape[1]))
        rotations = {i: _polar(np.pad(products[i, first], padding)) for i in members}
        size, rounds, converged = 0.0, 0, len(members) == 1
        while rounds < MOST_ROUNDS and not converged:
            for i in turns:
                control.check()
                rotations[i] = _polar(np.add.reduce([products[i, j] @ rotations[j] for j in turns if j != i]))
            rounds += 1
            grown = _common_norm(products, rotations)
            converged = grown - size <= TOLERANCE * grown
            size = grown
        gram = np.add.reduce([rotations[i].T @ products[i, j] @ rotations[j] for i in members for j in members]) / len(members) ** 2
        values, axes, _ = _principal(0.5 * (gram + gram.T))
        kept = _count(values, rank)
        maps = [(at, self._scales[at] / len(members) * rotations[at] @ axes[:, :kept]) for at in members]
        blocks = (np.add.reduce([self._spaces.centred(at, start) @ rotation for at, rotation in maps]) for start in self._starts(control))
        found = _coordinates(self._projected(blocks, kept), values, kept, _common_norm(products, rotations))
        beyond = float(np.mean([self._beyond[at] for at in members]))
        return replace(found, iterations=rounds, converged=converged, exact=found.exact and beyond == 0.0, beyond=beyond)

    def _starts(self, control: Control) -> Iterator[int]:
        for start in range(0, self._spaces.n, BLOCK):
            control.check()
            yield start

    def _projected(self, blocks: Iterator[NDArray[np.float64]], columns: int) -> NDArray[np.float64]:
        found = np.empty((self._spaces.n, columns))
        at = 0
        for block in blocks:
            found[at : at + len(block)] = block
            at += len(block)
        return found


def consensus_bytes(n: int, widths: Sequence[int], method: ConsensusMethod, rank: int) -> int:
    """Peak bytes of a ConsensusEngine and one consensus beyond the vectors: an upper estimate; a kernel has the width n."""
    if method == "procrustes":
        thin = [min(n, width) for width in widths]
        columns = side = sum(thin)
        # Coordinates of what was wider than long, and the kernel and eigenvectors that one of them took.
        made = sum(n * n for width in widths if width >= n) + (3 * n * n + n * max(widths) if max(widths) >= n else 0)
    else:
        columns, made = sum(widths), 0
        side = min(columns, n)
    return 8 * (5 * side * side + 2 * n * min(rank, side) + 2 * min(n, BLOCK) * columns + made)


def _common_norm(products: dict[tuple[int, int], NDArray[np.float64]], rotations: dict[int, NDArray[np.float64]]) -> float:
    """|G|^2 of the mean configuration."""
    return sum(float((rotations[i] * (product @ rotations[j])).sum()) for (i, j), product in products.items()) / len(rotations) ** 2


def _polar(x: NDArray[np.float64]) -> NDArray[np.float64]:
    left, _, right = scipy.linalg.svd(x, full_matrices=False, check_finite=False)
    rotation: NDArray[np.float64] = left @ right
    return rotation


def _principal(gram: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Eigenvalues, descending and not below 0, their vectors, and how much the negative ones sum to, as a positive number."""
    values, axes = scipy.linalg.eigh(gram, check_finite=False)
    below = float(-values[values < -NOTHING * np.abs(values).max()].sum())
    return np.maximum(values[::-1], 0.0), axes[:, ::-1], below + 0.0


def _count(values: NDArray[np.float64], rank: int) -> int:
    return min(rank, int(np.count_nonzero(values > NOTHING * values[0])))


def _coordinates(
    vectors: NDArray[np.float64], values: NDArray[np.float64], kept: int, ratio: float, below: float = 0.0
) -> ConsensusCoordinates:
    """Axes with signs of their own; `below` is the sum of the eigenvalues that are negative, as a positive number."""
    largest = np.abs(vectors).argmax(axis=0)
    signs = np.sign(vectors[largest, np.arange(vectors.shape[1])])
    exact = below == 0.0 and kept == int(np.count_nonzero(values > NOTHING * values[0]))
    total = float(values.sum()) + below
    share = 1.0 if exact else float(values[:kept].sum()) / total
    return ConsensusCoordinates((vectors * signs).astype(np.float32), share, exact, min(ratio, 1.0), beyond=below / total)
