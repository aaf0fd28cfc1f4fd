"""Which correction of hubness a match asks for, and what of it can be refused before anything is read."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

from consilience_server.core.csls import DEFAULT_K
from consilience_server.core.errors import InvalidArgument, InvalidK, UnknownMethod
from consilience_server.core.inverted_softmax import DEFAULT_BETA, MOST_BETA
from consilience_server.core.similarity import Similarity

CorrectionName = Literal["none", "csls", "inverted_softmax", "margin_ratio", "margin_distance"]

_OF_COSINE = {
    "inverted_softmax": "its temperature is in units of the cosine",
    "margin_ratio": "a quotient of similarities orders by nearness only where neighbours have positive ones",
}


@dataclass(frozen=True)
class Correction:
    """How scores are made of similarities.

    Attributes:
        name: `csls` (`core/csls.py`), `margin_ratio`, `margin_distance` (`core/margin.py`), `inverted_softmax`, or `none`.
        k: size of the neighbourhoods of `csls` and the margins.
        beta: inverse temperature of `inverted_softmax`.
    """

    name: CorrectionName = "none"
    k: int = DEFAULT_K
    beta: float = DEFAULT_BETA

    @property
    def has_neighbourhoods(self) -> bool:
        """Whether it compares with the k nearest of both sides."""
        return self.name in ("csls", "margin_ratio", "margin_distance")

    @property
    def parameters(self) -> tuple[str, str]:
        """What an answer depends on: the name, and the one number that the correction has; part of cache keys."""
        if self.has_neighbourhoods:
            return (self.name, str(self.k))
        return (self.name, self.beta.hex() if self.name == "inverted_softmax" else "")

    @property
    def term(self) -> tuple[str, ...]:
        """What its terms depend on beside items and bank: neighbourhoods of one size share theirs, whatever is made of them."""
        return ("neighbourhood", str(self.k)) if self.has_neighbourhoods else self.parameters


NO_CORRECTION = Correction()


def check_correction(correction: Correction, max_k: int) -> None:
    """UnknownMethod; InvalidK for a neighbourhood outside 1 to `max_k`; InvalidArgument for a bad temperature."""
    if correction.name not in get_args(CorrectionName):
        raise UnknownMethod(
            f"{correction.name!r} is no correction; choose one of {', '.join(get_args(CorrectionName))}", field="correction"
        )
    if correction.has_neighbourhoods and not 1 <= correction.k <= max_k:
        message = f"correction_k is {correction.k}; it must be 1 to {max_k:,}"
        raise InvalidK(message, field="correction_k", k=correction.k, max_k=max_k)
    if correction.name == "inverted_softmax" and not (math.isfinite(correction.beta) and 0 < correction.beta <= MOST_BETA):
        raise InvalidArgument(f"beta is {correction.beta}; it must be above 0 and at most {MOST_BETA:,.0f}", field="beta")


def check_makes_sense(correction: Correction, similarity: Similarity | None, where: str) -> None:
    """InvalidArgument for a correction that is defined for cosines only, anywhere else.

    Args:
        correction: what is asked.
        similarity: what `where` is compared by; None for the entries of a kernel.
        where: names the space in the message.
    """
    why = _OF_COSINE.get(correction.name)
    if why is not None and similarity is not Similarity.COSINE:
        by = "the entries of its kernel" if similarity is None else similarity
        raise InvalidArgument(
            f"{correction.name} is defined for cosine, because {why}, and {where} is compared by {by}; use csls or margin_distance",
            field="correction",
        )
