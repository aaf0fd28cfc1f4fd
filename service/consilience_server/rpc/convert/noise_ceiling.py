"""Noise ceilings: requests of the contract to queries, and reports to answers."""

from consilience.v1 import noise_ceiling_pb2
from consilience_server.app.noise_ceiling import CeilingScore, NoiseCeilingQuery, NoiseCeilingReport
from consilience_server.app.reliability import ReliabilityReport
from consilience_server.rpc.convert.matrix import write_matrix
from consilience_server.rpc.convert.names import space_query, space_use
from consilience_server.rpc.convert.pairwise import comparison_number, distance_number, read_comparison, read_distance

_DRAWS = 1000
_CONFIDENCE = 0.95


def read_ceiling_query(request: noise_ceiling_pb2.MeasureNoiseCeilingRequest) -> NoiseCeilingQuery:
    """What is asked, the contract's defaults filled in."""
    return NoiseCeilingQuery(
        space=space_query(request.space, "space"),
        against=tuple(space_query(reference, f"against[{position}]") for position, reference in enumerate(request.against)),
        comparison=read_comparison(request.comparison, "comparison"),
        rdm_distance=read_distance(request.rdm_distance, "rdm_distance"),
        draws=0 if request.skip_bootstrap else request.draws or _DRAWS,
        seed=request.seed,
        confidence=request.confidence or _CONFIDENCE,
    )


def encode_ceiling(report: NoiseCeilingReport) -> bytes:
    """The answer as it travels and is cached."""
    query, ceiling = report.query, report.ceiling
    message = noise_ceiling_pb2.NoiseCeilingReport(
        space=space_use(report.space),
        repeats=report.repeats,
        n=report.n,
        dropped=report.dropped,
        pairs=report.pairs.tolist(),
        lower=ceiling.lower,
        upper=ceiling.upper,
        lower_by_repeat=ceiling.by_repeat_lower.tolist(),
        upper_by_repeat=ceiling.by_repeat_upper.tolist(),
        scores=[_write_score(score) for score in report.scores],
        comparison=comparison_number(query.comparison),
        rdm_distance=distance_number(query.rdm_distance),
        draws=query.draws,
        seed=query.seed,
        confidence=query.confidence,
        engine=report.engine,
    )
    return noise_ceiling_pb2.MeasureNoiseCeilingResponse(report=message).SerializeToString(deterministic=True)


def encode_reliability(report: ReliabilityReport) -> bytes:
    """The answer as it travels and is cached."""
    return noise_ceiling_pb2.MeasureReliabilityResponse(
        spaces=[space_use(use) for use in report.spaces], n=report.n, reliability=write_matrix(report.reliability), engine=report.engine
    ).SerializeToString(deterministic=True)


def _write_score(score: CeilingScore) -> noise_ceiling_pb2.CeilingScore:
    low, high = score.limits or (None, None)
    return noise_ceiling_pb2.CeilingScore(
        space=space_use(score.space),
        score=score.score,
        by_repeat=score.by_repeat.tolist(),
        low=low,
        high=high,
        undefined_draws=score.undefined,
        rule=score.rule,
    )
