"""How the alignments behind a trend or a consensus were measured: what it takes to repeat them beside the spaces."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from consilience_server.app.alignment_spec import AlignmentSpec
from consilience_server.app.item_sample import sampled, sampled_items
from consilience_server.app.joins import Join
from consilience_server.app.metric_families.registry import FAMILY_OF
from consilience_server.app.pairwise_answer import rdm_options
from consilience_server.app.reports import QuerySampling, RdmOptions, SampledItems
from consilience_server.core.linear_predictivity import PredictivityOptions
from consilience_server.engine.snapshot import Snapshot


@dataclass(frozen=True)
class Measurement:
    """The contract's `Measurement` says what each field means."""

    gallery: int
    query_sampling: QuerySampling
    duplicates: int
    deduplicate: float
    sampled_items: SampledItems | None
    rdm: RdmOptions | None
    bandwidths: Sequence[float]
    components: int
    predictivity: PredictivityOptions | None
    kernel_rules: Sequence[str]
    strata: str = ""
    group_by: str = ""
    groups: int = 0


def measurement(
    spec: AlignmentSpec, snapshots: Sequence[Snapshot], joined: Join, common: int, deduplicate: float, bandwidths: Sequence[float] = ()
) -> Measurement:
    """What is told of alignments over the items of a join.

    Args:
        spec: how each was measured, in numbers.
        snapshots: M spaces.
        joined: the items, without near-duplicates.
        common: items before those were left out.
        deduplicate: the cosine that made them so, 0 for none.
        bandwidths: sigma of each space, of `rbf_cka`.
    """
    part, _ = sampled(joined, spec)
    rule = FAMILY_OF[spec.metric].kernel_rule
    return Measurement(
        gallery=part.n,
        query_sampling=spec.sampling(part.n),
        duplicates=common - joined.n,
        deduplicate=deduplicate,
        sampled_items=sampled_items(part, joined.n, named=True),
        rdm=rdm_options(spec),
        bandwidths=bandwidths,
        components=spec.components if spec.metric == "svcca" else 0,
        predictivity=spec.predictivity if spec.metric == "linear_predictivity" else None,
        strata=spec.strata if spec.sampling(part.n) == "stratified" else "",
        group_by=spec.group_by,
        groups=0 if part.same is None else int(np.unique(part.same).size),
        kernel_rules=tuple("" if snapshot.kernel is None else rule(snapshot.kernel) for snapshot in snapshots),
    )
