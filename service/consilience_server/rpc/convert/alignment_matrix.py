"""A matrix of alignments as the contract has it."""

from typing import Any

from consilience.v1 import alignment_pb2
from consilience_server.app.reports import (
    AlignmentMatrix,
    ComparedSpace,
)
from consilience_server.rpc.convert.alignment import (
    INTERVAL_VALUES,
    METRIC_VALUES,
    POLICY_VALUES,
    PREPROCESS_VALUES,
    SAMPLING_VALUES,
    write_within,
)
from consilience_server.rpc.convert.matrix import write_matrix
from consilience_server.rpc.convert.names import space_use
from consilience_server.rpc.convert.pairwise import write_pairwise
from consilience_server.rpc.convert.predictivity import write_predictivity
from consilience_server.rpc.convert.space_geometry import write_geometry
from consilience_server.rpc.convert.spaces import write_similarity


def _write_compared(space: ComparedSpace) -> alignment_pb2.ComparedSpace:
    return alignment_pb2.ComparedSpace(
        similarity=None if space.similarity is None else write_similarity(space.similarity),
        kernel_rule=space.kernel_rule,
        clip=space.clip,
        constant_columns=space.constant_columns,
        context=None if space.context is None else write_geometry(space.context),
    )


def write_alignment_matrix(matrix: AlignmentMatrix) -> alignment_pb2.AlignmentMatrix:
    """All pairs of M spaces."""
    names = ("scores", "chance", "excess", "calibrated", "p_values", "interval_low", "interval_high")
    squares: dict[str, Any] = {name: write_matrix(getattr(matrix, name)) for name in names}
    message = alignment_pb2.AlignmentMatrix(
        metric=METRIC_VALUES[matrix.metric],
        spaces=[space_use(use) for use in matrix.spaces],
        interval_kind=INTERVAL_VALUES[matrix.interval_kind],
        confidence=matrix.confidence,
        n=[int(count) for count in matrix.n.ravel()],
        k=matrix.k,
        permutations=matrix.permutations,
        seed=matrix.seed,
        alpha=matrix.alpha,
        preprocess=PREPROCESS_VALUES[matrix.preprocess],
        items=POLICY_VALUES[matrix.items],
        p_adjusted=None if matrix.p_adjusted is None else write_matrix(matrix.p_adjusted),
        q_values=None if matrix.q_values is None else write_matrix(matrix.q_values),
        coordinates=write_matrix(matrix.coordinates),
        explained=matrix.explained,
        stress=matrix.stress,
        order=matrix.order,
        gallery=[int(count) for count in matrix.gallery.ravel()],
        query_sampling=SAMPLING_VALUES[matrix.query_sampling],
        strata=matrix.strata,
        duplicates=matrix.duplicates,
        compared=[_write_compared(space) for space in matrix.compared],
        duplicate_queries=matrix.duplicate_queries,
        group_by=matrix.group_by,
        groups=matrix.groups,
        deduplicate=matrix.deduplicate,
        engine=matrix.engine,
        within=write_within(matrix.within),
        warnings=matrix.warnings,
        components=matrix.components,
        predictivity=None if matrix.predictivity is None else write_predictivity(matrix.predictivity),
        **squares,
    )
    write_pairwise(message, matrix)
    return message
