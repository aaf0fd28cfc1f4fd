"""PMI spaces of the contract to and from those of the use cases."""

import numpy as np

from consilience.v1 import pmi_pb2, space_pb2
from consilience_server.app.pmi import DEFAULT_RANK, Counts, PmiForm, PmiQuery, PmiReport
from consilience_server.core.errors import ShapeMismatch
from consilience_server.core.pmi import PmiOptions
from consilience_server.core.similarity import Similarity
from consilience_server.rpc.convert.enums import served
from consilience_server.rpc.convert.spaces import read_similarity, write_space

_FORMS: dict[pmi_pb2.PmiForm, PmiForm] = {
    pmi_pb2.PMI_FORM_UNSPECIFIED: "embedding",
    pmi_pb2.PMI_FORM_EMBEDDING: "embedding",
    pmi_pb2.PMI_FORM_KERNEL: "kernel",
}
_FORM_VALUES = {"embedding": pmi_pb2.PMI_FORM_EMBEDDING, "kernel": pmi_pb2.PMI_FORM_KERNEL}


def read_pmi(header: pmi_pb2.PmiHeader) -> PmiQuery:
    """What the header asks, defaults filled in."""
    unspecified = header.similarity == space_pb2.SIMILARITY_UNSPECIFIED
    return PmiQuery(
        name=header.space_id,
        ids=list(header.ids),
        contexts=header.contexts or len(header.ids),
        options=PmiOptions(not header.keep_negative, header.context_smoothing or 1.0, header.shift, header.smoothing),
        form=served(pmi_pb2.PmiForm, header.form, _FORMS, "header.form", what="form"),
        rank=header.rank or DEFAULT_RANK,
        similarity=Similarity.COSINE if unspecified else read_similarity(header.similarity, "header.similarity"),
        modality=header.modality,
        model=header.model,
    )


def read_counts(part: pmi_pb2.PmiCounts) -> Counts:
    """A block of cells; ShapeMismatch where its arrays are not parallel."""
    sizes = (len(part.rows), len(part.columns), len(part.counts))
    if sizes[0] % 4 or sizes[1] != sizes[0] or sizes[2] != 2 * sizes[0]:
        raise ShapeMismatch(
            f"{sizes[0]:,} bytes of rows, {sizes[1]:,} of columns and {sizes[2]:,} of counts; a cell takes 4, 4 and 8", field="counts"
        )
    return Counts(np.frombuffer(part.rows, "<u4"), np.frombuffer(part.columns, "<u4"), np.frombuffer(part.counts, "<f8"))


def encode_pmi(report: PmiReport) -> bytes:
    """The encoded answer."""
    query, options = report.query, report.query.options
    told = pmi_pb2.PmiReport(
        space=write_space(report.record),
        form=_FORM_VALUES[query.form],
        items=len(query.ids) - len(report.dropped),
        contexts=query.contexts,
        cells=report.cells,
        total=report.total,
        singular_values=report.singular_values.tolist(),
        kept=report.kept,
        dropped=len(report.dropped),
        dropped_ids=report.named,
        keep_negative=not options.positive,
        context_smoothing=options.context_smoothing,
        shift=options.shift,
        smoothing=options.smoothing,
    )
    return pmi_pb2.CreatePmiSpaceResponse(report=told).SerializeToString(deterministic=True)
