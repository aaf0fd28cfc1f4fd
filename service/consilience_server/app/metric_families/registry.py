"""Which family serves a metric."""

from collections.abc import Mapping
from types import MappingProxyType

from consilience_server.app.metric_families.cka import CKA
from consilience_server.app.metric_families.cknna import CKNNA
from consilience_server.app.metric_families.family import MetricFamily
from consilience_server.app.metric_families.linear_predictivity import LINEAR_PREDICTIVITY
from consilience_server.app.metric_families.mutual_knn import MUTUAL_KNN
from consilience_server.app.metric_families.ordered_lists import ORDERED_LISTS
from consilience_server.app.metric_families.pairwise import RBF_CKA, RSA
from consilience_server.app.metric_families.shape import SHAPE
from consilience_server.app.reports import MetricName

FAMILIES = (MUTUAL_KNN, ORDERED_LISTS, CKNNA, CKA, SHAPE, LINEAR_PREDICTIVITY, RSA, RBF_CKA)

FAMILY_OF: Mapping[MetricName, MetricFamily] = MappingProxyType({name: family for family in FAMILIES for name in family.metrics})
"""Every metric that is served, with its family."""

KERNEL_METRICS: tuple[MetricName, ...] = tuple(sorted(name for name, family in FAMILY_OF.items() if family.check_kernel is not None))
"""Those that serve kernel spaces."""
