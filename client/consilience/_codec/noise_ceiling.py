"""Noise ceilings: answers as results."""

import math

import numpy as np

from consilience import _names
from consilience._codec.spaces import decode_space_use
from consilience._convert import from_matrix
from consilience._results.base import NO_DETAILS, CallDetails
from consilience._results.noise_ceiling import CeilingScore, NoiseCeiling, Reliability
from consilience.v1 import noise_ceiling_pb2


def decode_ceiling(message: noise_ceiling_pb2.NoiseCeilingReport, details: CallDetails = NO_DETAILS) -> NoiseCeiling:
    """A NoiseCeiling."""
    scores = [_score(entry, message.lower, message.upper) for entry in message.scores]
    return NoiseCeiling(
        space=decode_space_use(message.space),
        lower=message.lower,
        upper=message.upper,
        repeats=tuple(message.repeats),
        lower_by_repeat=np.array(message.lower_by_repeat),
        upper_by_repeat=np.array(message.upper_by_repeat),
        pairs=np.array(message.pairs, dtype=np.int64),
        n=message.n,
        dropped=message.dropped,
        scores={score.space.name: score for score in scores},
        comparison=_names.RDM_COMPARISONS.to_name(message.comparison),
        rdm_distance=_names.RDM_DISTANCES.to_name(message.rdm_distance),
        draws=message.draws,
        seed=message.seed,
        confidence=message.confidence,
        engine=message.engine,
        details=details,
    )


def _score(message: noise_ceiling_pb2.CeilingScore, lower: float, upper: float) -> CeilingScore:
    return CeilingScore(
        space=decode_space_use(message.space),
        score=message.score,
        by_repeat=np.array(message.by_repeat),
        interval=(message.low, message.high) if message.HasField("low") else None,
        normalised=(_share(message.score, upper), _share(message.score, lower)),
        undefined_draws=message.undefined_draws,
        rule=message.rule,
    )


def _share(score: float, ceiling: float) -> float:
    return score / ceiling if ceiling > 0 else math.nan


def decode_reliability(message: noise_ceiling_pb2.MeasureReliabilityResponse, details: CallDetails = NO_DETAILS) -> Reliability:
    """A Reliability."""
    spaces = tuple(decode_space_use(use) for use in message.spaces)
    return Reliability(spaces, from_matrix(message.reliability)[:, 0], message.n, message.engine, details=details)
