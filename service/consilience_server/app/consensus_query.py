"""What a consensus asks, and what it answers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.alignment_spec import AlignmentSpec, SpaceQuery
from consilience_server.app.measurement import Measurement
from consilience_server.app.ports import SpaceRecord
from consilience_server.app.reports import AlignmentReport, SpaceUse
from consilience_server.core.errors import InvalidArgument, NotServed
from consilience_server.engine.consensus_coordinates import ConsensusCoordinates, ConsensusMethod

DEFAULT_RANK = 512
LEAST_SPACES = 2
LISTED = 100_000
"""Items up to which each one's agreement is answered; beyond, those agreed on most and least."""
_MOST_EXTREMES = 1000
_NOTICED = 0.001
"""Share of a spectrum that is rounding below."""


@dataclass(frozen=True)
class ConsensusQuery:
    """What M spaces agree on.

    Attributes:
        spaces: M >= 2, each named once.
        method: how they are brought together.
        spec: how each space is aligned with the consensus of the others, and the k of the items' agreement; one k.
        rank: most axes of the consensus.
        extremes: how many items agreed on most, and least, are named.
        name: of the space to keep the consensus in; empty keeps none.
    """

    spaces: Sequence[SpaceQuery]
    spec: AlignmentSpec
    method: ConsensusMethod = "mean_kernel"
    rank: int = DEFAULT_RANK
    extremes: int = 10
    name: str = ""


@dataclass(frozen=True)
class ConsensusReport:
    """What M spaces agree on, over the items common to all.

    Attributes:
        query: what was asked; its spec without shares of the items.
        spaces: the versions used, each with the weight 1/M.
        n: items common to all.
        k: neighbours of the items' agreement.
        coordinates: the consensus, rows in the order of `ids`.
        ids: (n,) the common items.
        leave_one_out: of each space its alignment with the consensus of the others.
        agreement: (n,) float64, mean overlap of the item's k nearest over all pairs of spaces; `chance` is its mean over random pairings.
        least, most: positions of the items agreed on least and most.
        record: the space that keeps the consensus, None without a name.
        warnings: what a reader must know.
        measurement: how the alignments were measured.
        kernel_rules: of each space, how a kernel's matrix became what was averaged; empty for vectors.
    """

    query: ConsensusQuery
    spaces: Sequence[SpaceUse]
    n: int
    k: int
    coordinates: ConsensusCoordinates
    ids: NDArray[np.object_]
    leave_one_out: Sequence[AlignmentReport]
    agreement: NDArray[np.float64]
    chance: float
    least: NDArray[np.int64]
    most: NDArray[np.int64]
    warnings: Sequence[str]
    measurement: Measurement
    kernel_rules: Sequence[str]
    engine: str
    record: SpaceRecord | None = None


def check_consensus(query: ConsensusQuery) -> None:
    """Everything that can be refused before the spaces are looked at: InvalidArgument, NotServed."""
    names = [space.name for space in query.spaces]
    if len(names) < LEAST_SPACES:
        raise InvalidArgument(f"{len(names)} spaces have no consensus; give at least {LEAST_SPACES}, better 3 or more", field="spaces")
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidArgument(f"space {twice!r} is named twice; name each once", field="spaces")
    if query.name and query.name in names:
        raise InvalidArgument(f"{query.name!r} is one of the spaces; choose another name for their consensus", field="consensus_space_id")
    if query.extremes > _MOST_EXTREMES:
        raise InvalidArgument(f"{query.extremes:,} items at either end; at most {_MOST_EXTREMES:,} are named", field="extremes")
    if query.spec.preprocess != "none":
        raise NotServed("a consensus reads the stored vectors; prepare them before they are uploaded", field="spec.preprocess")
    if query.spec.group_by:
        # Its alignments would be of groups, its agreement of single items.
        raise InvalidArgument("a consensus is of single items, not of groups; leave group_by out", field="spec.group_by")
    _check_metric(query.spec)
    asked = len(query.spec.ks) + len(query.spec.k_fractions)
    if asked != 1:
        raise InvalidArgument(f"a consensus has one k, not {asked}; ask once for each", field="spec.ks")


def _check_metric(spec: AlignmentSpec) -> None:
    """A consensus has neither units nor axes of its own, and is compared by squared L2: InvalidArgument for what needs more."""
    if spec.metric == "procrustes":
        raise InvalidArgument(
            "procrustes measures in the units of a space, and a consensus, a mean of spaces of norm 1, has none of its own; ask "
            "angular_shape, the same rotation without units",
            field="spec.metric",
        )
    if spec.metric in ("cknna", "cknna_paper", "cknna_centred"):
        raise InvalidArgument(
            f"{spec.metric} weighs neighbours by an inner product, and a consensus is compared by squared_l2; ask mutual_knn or cka",
            field="spec.metric",
        )
    if spec.metric == "rbf_cka" and spec.bandwidth is not None:
        raise InvalidArgument(
            "a bandwidth is in the units of a space, and a consensus has none of its own; ask a bandwidth_factor of the median distance",
            field="spec.bandwidth",
        )
    if spec.metric == "rsa" and spec.rdm_distance == "correlation":
        raise InvalidArgument(
            "1 - the correlation over components depends on the axes, and a consensus is known up to a rotation; ask "
            "rdm_distance='euclidean' or 'squared_euclidean'",
            field="spec.rdm_distance",
        )


def consensus_warnings(query: ConsensusQuery, reports: Sequence[AlignmentReport], found: ConsensusCoordinates) -> list[str]:
    """What a reader must know: spaces that agree with nobody, axes left out, a search that did not end."""
    told = []
    for space, report in zip(query.spaces, reports, strict=True):
        p = report.headline.p_value
        # At the least p that so many permutations can give, more of them might well tell.
        if p is not None and p > max(query.spec.alpha, 1.5 / (report.permutations + 1)):
            told.append(f"{space.name} agrees with the others no better than chance (p = {p:.2g}); look at it, or leave it out")
    axes = found.vectors.shape[1]
    if found.beyond > _NOTICED:
        told.append(
            f"{found.beyond:.1%} of the consensus's spectrum is negative, as of dissimilarities that are no distances of points: no axes "
            "hold it"
        )
    if not found.exact and axes >= query.rank:
        told.append(f"the consensus keeps {axes} axes with {found.kept:.1%} of its variance; a larger rank keeps more")
    if not found.converged:
        told.append(f"generalised Procrustes was still moving after {found.iterations} rounds; the consensus is near its rest, not at it")
    return told
