"""What an answer tells of `rsa` and `rbf_cka` beside their scores."""

from collections.abc import Mapping, Sequence

from consilience_server.app.alignment_spec import AlignmentSpec
from consilience_server.app.reports import RdmOptions
from consilience_server.core.score import Score
from consilience_server.engine.alignment_scores import Pair


def rdm_options(spec: AlignmentSpec) -> RdmOptions | None:
    """How `rsa` measured and compared; None for other metrics."""
    return RdmOptions(spec.rdm_distance, spec.rdm_comparison) if spec.metric == "rsa" else None


def pair_bandwidths(by_k: Sequence[Score]) -> tuple[float, ...]:
    """Sigma of `rbf_cka` on x and on y; empty for other metrics."""
    return tuple(sigma for score in by_k for sigma in (score.bandwidth_x, score.bandwidth_y) if sigma is not None)


def matrix_bandwidths(scores: Mapping[Pair, Score], spaces: int) -> tuple[float, ...]:
    """Sigma of each space; empty for other metrics."""
    return tuple(sigma for i in range(spaces) if (sigma := scores[i, i].bandwidth_x) is not None)
