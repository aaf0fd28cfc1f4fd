"""Whether a fit without pairs found one answer, or any."""

from dataclasses import dataclass

from consilience_server.core.estimate import Estimate

ENOUGH = 0.1
"""Agreement, of what is possible beyond chance, from which a fit counts as converged: that of two maps each right about a third of the
time, of which one of both is made. Of unrelated spaces (mixtures, isotropic, of one spectrum) it stayed below .03."""


@dataclass(frozen=True)
class Convergence:
    """Whether a fit without pairs found one answer: two maps fitted on halves of the items that share none.

    Maps of spaces that have nothing to do with each other fit as tightly as others (nearest neighbours are near whatever the map), so how
    tight a map fits tells nothing; but there each fit ends elsewhere, and the agreement is chance.

    Attributes:
        converged: whether (agreement - chance) / (1 - chance) is at least `ENOUGH`.
        agreement: share of the source items asked that both maps lead to one place, with Wilson's 95%: their two images lie nearer to each
            other than either to its second nearest target item.
        chance: of the image of an item through one map and that of another item through the other.
        queries: source items asked.
        fits: maps fitted, on either half, until two agreed.
    """

    converged: bool
    agreement: Estimate
    chance: float
    queries: int
    fits: int
