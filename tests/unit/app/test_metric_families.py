from itertools import combinations
from typing import get_args

import pytest

from consilience_server.app.alignment_spec import AlignmentLimits, AlignmentSpec
from consilience_server.app.metric_families.registry import FAMILIES, FAMILY_OF
from consilience_server.app.reports import NeighbourMetric
from consilience_server.rpc.convert.alignment import METRICS

LIMITS = AlignmentLimits(max_k=2048, max_permutations=9999, threads=2, flops_per_second=1e11)


def test_each_metric_has_one_family_and_each_served_metric_has_one():
    for one, other in combinations(FAMILIES, 2):
        assert not one.metrics & other.metrics
    assert set(FAMILY_OF) == set(METRICS.values())


def test_metrics_of_neighbours_read_tables():
    assert {name for name, family in FAMILY_OF.items() if family.reads == "tables"} == set(get_args(NeighbourMetric))


@pytest.mark.parametrize("metric", sorted(FAMILY_OF))
def test_more_items_and_more_permutations_take_longer(metric):
    seconds = FAMILY_OF[metric].seconds
    spec = AlignmentSpec(metric=metric)
    base = seconds(1000, [64, 32], spec, LIMITS)
    assert 0 < base < seconds(2000, [64, 32], spec, LIMITS)
    assert seconds(1000, [64, 32], AlignmentSpec(metric=metric, permutations=0), LIMITS) < base
