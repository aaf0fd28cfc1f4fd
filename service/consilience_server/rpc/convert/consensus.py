"""Consensus of the contract to and from that of the use cases."""

from consilience.v1 import alignment_pb2
from consilience_server.app.consensus_query import DEFAULT_RANK, LISTED, ConsensusQuery, ConsensusReport
from consilience_server.engine.consensus_coordinates import ConsensusMethod
from consilience_server.rpc.convert.alignment import preprocess_number, read_spec, write_report
from consilience_server.rpc.convert.enums import served
from consilience_server.rpc.convert.matrix import write_matrix
from consilience_server.rpc.convert.measurement import write_measurement
from consilience_server.rpc.convert.names import space_query, space_use
from consilience_server.rpc.convert.spaces import write_space

_METHODS: dict[alignment_pb2.ConsensusMethod, ConsensusMethod] = {
    alignment_pb2.CONSENSUS_METHOD_UNSPECIFIED: "mean_kernel",
    alignment_pb2.CONSENSUS_METHOD_MEAN_KERNEL: "mean_kernel",
    alignment_pb2.CONSENSUS_METHOD_PROCRUSTES: "procrustes",
}
_METHOD_VALUES = {
    "mean_kernel": alignment_pb2.CONSENSUS_METHOD_MEAN_KERNEL,
    "procrustes": alignment_pb2.CONSENSUS_METHOD_PROCRUSTES,
}
_DEFAULT_EXTREMES = 10


def read_consensus(request: alignment_pb2.ConsensusRequest) -> ConsensusQuery:
    """What a request asks, defaults filled in.

    Raises:
        InvalidName, UnknownMetric, NotServed.
    """
    return ConsensusQuery(
        spaces=tuple(space_query(reference, f"spaces[{at}]") for at, reference in enumerate(request.spaces)),
        spec=read_spec(request.spec),
        method=read_method(request.method),
        rank=request.rank or DEFAULT_RANK,
        extremes=request.extremes or _DEFAULT_EXTREMES,
        name=request.consensus_space_id,
    )


def read_method(value: int) -> ConsensusMethod:
    """How spaces are brought together; the mean kernel by default."""
    return served(alignment_pb2.ConsensusMethod, value, _METHODS, "method", what="method")


def encode_consensus(report: ConsensusReport) -> bytes:
    """The encoded answer."""
    space = None if report.record is None else write_space(report.record)
    return alignment_pb2.ConsensusResponse(space=space, report=write_consensus(report)).SerializeToString(deterministic=True)


def write_consensus(report: ConsensusReport) -> alignment_pb2.ConsensusReport:
    """What the spaces agree on."""
    found, count, listed = report.coordinates, len(report.spaces), report.n <= LISTED
    ends = {
        name: [alignment_pb2.ItemAgreement(id=str(report.ids[row]), agreement=float(report.agreement[row])) for row in rows]
        for name, rows in (("most", report.most), ("least", report.least))
    }
    return alignment_pb2.ConsensusReport(
        method=_METHOD_VALUES[report.query.method],
        spaces=[space_use(use) for use in report.spaces],
        weights=[1.0 / count] * count,
        n=report.n,
        dim=found.vectors.shape[1],
        kept=found.kept,
        exact=found.exact,
        ratio=found.ratio,
        iterations=found.iterations,
        converged=found.converged,
        leave_one_out=[write_report(each) for each in report.leave_one_out],
        k=report.k,
        ids=[str(item) for item in report.ids] if listed else [],
        agreement=write_matrix(report.agreement) if listed else None,
        mean_agreement=float(report.agreement.mean()),
        chance=report.chance,
        preprocess=preprocess_number(report.query.spec.preprocess),
        engine=report.engine,
        warnings=report.warnings,
        measurement=write_measurement(report.measurement),
        rank=report.query.rank,
        kernel_rules=report.kernel_rules,
        **ends,
    )
