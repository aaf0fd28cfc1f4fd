"""Options and answers of `rsa` and `rbf_cka`."""

from dataclasses import replace

import pytest

from consilience.v1 import alignment_pb2
from consilience_server.app.alignment_spec import AlignmentSpec
from consilience_server.app.reports import AlignmentReport, RdmOptions, SampledItems, SpaceUse
from consilience_server.core.errors import InvalidArgument
from consilience_server.core.score import Interval, Score
from consilience_server.rpc.convert.alignment import read_spec, write_report
from consilience_server.rpc.convert.pairwise import write_pairwise

RSA, RBF = alignment_pb2.METRIC_RSA, alignment_pb2.METRIC_RBF_CKA
Spec = alignment_pb2.AlignmentSpec


def test_zeros_become_the_defaults_of_the_contract():
    assert read_spec(Spec(metric=RSA)) == AlignmentSpec(metric="rsa", rdm_distance="correlation", rdm_comparison="spearman")
    assert read_spec(Spec(metric=RBF)) == AlignmentSpec(metric="rbf_cka", bandwidth=None, bandwidth_factor=1.0, sample_items=0)


def test_given_values_pass():
    sent = Spec(
        metric=RSA,
        rdm_distance=alignment_pb2.RDM_DISTANCE_SQUARED_EUCLIDEAN,
        rdm_comparison=alignment_pb2.RDM_COMPARISON_KENDALL_TAU_A,
        sample_items=99,
    )
    read = read_spec(sent)
    assert (read.rdm_distance, read.rdm_comparison, read.sample_items) == ("squared_euclidean", "kendall_tau_a", 99)
    read = read_spec(Spec(metric=RBF, bandwidth=0.5, all_items=True))
    assert (read.bandwidth, read.all_items) == (0.5, True)
    assert read_spec(Spec(metric=RBF, bandwidth_factor=2.0)).bandwidth_factor == 2.0


@pytest.mark.parametrize("metric", [alignment_pb2.METRIC_CKA, alignment_pb2.METRIC_MUTUAL_KNN])
def test_metrics_that_ignore_options_ask_one_question_whatever_they_are(metric):
    plain = read_spec(Spec(metric=metric))
    assert read_spec(Spec(metric=metric, rdm_distance=3, rdm_comparison=2, bandwidth=2.0, sample_items=9, all_items=True)) == plain
    assert read_spec(Spec(metric=RBF, rdm_distance=3, rdm_comparison=2)) == read_spec(Spec(metric=RBF))
    assert read_spec(Spec(metric=RSA, bandwidth=1.0)) == read_spec(Spec(metric=RSA))


@pytest.mark.parametrize("field", ["rdm_distance", "rdm_comparison"])
def test_unknown_names_are_refused(field):
    with pytest.raises(InvalidArgument) as caught:
        read_spec(Spec(metric=RSA, **{field: 99}))
    assert caught.value.field == f"spec.{field}"


@pytest.fixture
def report():
    """A report with some fields changed."""
    score = Score(0, 0.5, 0.0, 0.5, Interval(0.4, 0.6, 0.95, "items"))
    use = SpaceUse("spaces/a", "u", 1)
    plain = AlignmentReport("rsa", (score,), 9, 9, 0, 0, "none", (), 0, 0, 0.05, use, use, "1", None, None)
    return lambda **changes: replace(plain, **changes)


def test_answers_tell_the_sample_the_distance_and_the_bandwidths(report):
    message = alignment_pb2.AlignmentReport()
    sample = SampledItems(3, 10, ("a", "c", "f"), ())
    told = report(sampled_items=sample, rdm=RdmOptions("cosine", "kendall_tau_b"), bandwidths=(0.5, 2.0))
    write_pairwise(message, told)
    assert (message.sampled_items.count, message.sampled_items.common, list(message.sampled_items.ids)) == (3, 10, ["a", "c", "f"])
    assert message.rdm_distance == alignment_pb2.RDM_DISTANCE_COSINE
    assert message.rdm_comparison == alignment_pb2.RDM_COMPARISON_KENDALL_TAU_B
    assert list(message.bandwidths) == [0.5, 2.0]
    plain = write_report(report())
    assert not plain.HasField("sampled_items")
    assert not plain.rdm_distance
