"""What a family of metrics tells the use cases, so that they serve all metrics in one way."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.alignment_spec import AlignmentLimits, AlignmentSpec
from consilience_server.app.reports import MetricName
from consilience_server.app.tables import TableSubject
from consilience_server.core.control import Control
from consilience_server.core.kernel_kind import KernelKind
from consilience_server.core.score import Score
from consilience_server.core.similarity import Similarity
from consilience_server.core.strata import Strata
from consilience_server.core.tie_order import tie_keys
from consilience_server.engine.alignment_scores import Pair, ScoreOptions
from consilience_server.engine.protocol import NeighbourTable


@dataclass(frozen=True)
class Side:
    """One space restricted to the common items and preprocessed.

    Attributes:
        vectors: (n, d) float32, rows in the order of the join; of a kernel space (n, n), columns in that order too.
        similarity: how nearness is measured; says nothing of a kernel.
        clip: what preprocessing clipped at, None where it did not.
        subject: what a neighbour table of this side is of.
        constant_columns: how many preprocessing left out, None where it leaves none out.
        kernel: what the entries of a kernel space are, None for vectors.
    """

    vectors: NDArray[np.float32]
    similarity: Similarity
    clip: float | None
    subject: TableSubject
    constant_columns: int | None = None
    kernel: KernelKind | None = None


@dataclass(frozen=True)
class Compared:
    """Two or more spaces over the same n items, ready to be compared.

    Attributes:
        spec: what is asked, every k a number.
        ids: (n,) the common item ids.
        sides: one a space.
        tables: one a space, deep enough for the spec; empty for families that read vectors.
        options: how scores are judged.
        pairs: of a matrix, the pairs i <= j that are wanted; None wants all. A family may compute more.
        fold_groups: (n,) int64, the group of each item that folds must not split; None where items stand for themselves.
        queries: (m,) int64, the rows that are asked, ascending: then table row i is of item queries[i]. None where all are.
        strata: of the queries, where they were sampled from some.
        same: (n,) int64, the group of each item whose items are the same thing, where the spec has groups.
    """

    spec: AlignmentSpec
    ids: NDArray[np.object_]
    sides: Sequence[Side]
    tables: Sequence[NeighbourTable]
    options: ScoreOptions
    pairs: Sequence[Pair] | None = None
    queries: NDArray[np.int64] | None = None
    strata: Strata | None = None
    same: NDArray[np.int64] | None = None
    fold_groups: NDArray[np.int64] | None = None

    @property
    def n(self) -> int:
        """Number of common items."""
        return len(self.ids)

    @property
    def widths(self) -> list[int]:
        """Columns of each space."""
        return [side.vectors.shape[1] for side in self.sides]

    def keys(self) -> list[NDArray[np.uint64]]:
        """The tie keys that each table was made with; O(n) hashes a space."""
        ids = self.ids.tolist()
        return [tie_keys(side.subject.uid, ids) for side in self.sides]


def any_similarity(_similarity: Similarity, _space: str) -> None:
    """Nothing is refused."""


def nearness_rule(kernel: KernelKind) -> str:
    """The entries, larger is nearer."""
    return kernel.nearness_rule


def any_kernel(_kernel: KernelKind, _space: str) -> None:
    """Every kernel space is served."""


@dataclass(frozen=True)
class MetricFamily:
    """Metrics that are computed in the same way.

    Attributes:
        metrics: the names served.
        reads: neighbour tables (these metrics have a k), or vectors.
        least_items: the fewest common items that the metrics are defined for, beside k < n.
        pair: the scores of two spaces, one for each k (one with k = 0 where there is none).
        matrix: of M spaces for one k: every wanted pair i <= j, for metrics that are not symmetric (j, i) too, under shared permutations.
            Entry (i, i) is the space with itself, without a null.
        nbytes: peak bytes of either beyond vectors and tables.
        seconds: a rough estimate of a computation from scratch: n items, the width of each space, a spec without shares, rates and threads.
        check: refuses a space of vectors by its similarity; told the name of the request's field.
        samples_queries: the metrics of which some items can be asked against all: the lists of the asked ones suffice.
        chance_within: the metrics whose chance is that of `options.groups` where items stay within groups; for the others it is estimated
            by the mean of the null (`judge.py`).
        kernel_rule: what the metrics compare of an entry of a kernel space, as a formula.
        check_kernel: refuses a kernel space by what its entries are; None where the metrics need vectors.
        most_items: how many items are compared unless the spec says otherwise, a hash sample of them where there are more
            (`app/item_sample.py`); None compares all.
    """

    metrics: frozenset[MetricName]
    reads: Literal["tables", "vectors"]
    least_items: int
    pair: Callable[[Compared, Control], Sequence[Score]]
    matrix: Callable[[Compared, Control], Mapping[Pair, Score]]
    nbytes: Callable[[Compared], int]
    seconds: Callable[[int, Sequence[int], AlignmentSpec, AlignmentLimits], float]
    check: Callable[[Similarity, str], None] = any_similarity
    samples_queries: frozenset[MetricName] = frozenset()
    chance_within: frozenset[MetricName] = frozenset()
    kernel_rule: Callable[[KernelKind], str] = nearness_rule
    check_kernel: Callable[[KernelKind, str], None] | None = None
    most_items: Callable[[AlignmentSpec], int] | None = None
