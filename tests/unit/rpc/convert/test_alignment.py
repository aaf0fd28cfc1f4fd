"""Alignments: the contract's defaults, what is refused and as what, and that no field is lost on the way out."""

import numpy as np
import pytest

from consilience.v1 import alignment_pb2
from consilience_server.app.alignment_spec import AlignmentSpec
from consilience_server.app.reports import AlignmentMatrix, AlignmentReport, SpaceUse
from consilience_server.core.errors import InvalidArgument, UnknownMetric
from consilience_server.core.score import Interval, Score
from consilience_server.engine.protocol import Certificate
from consilience_server.rpc.convert.alignment import METRICS, read_policy, read_spec, write_report
from consilience_server.rpc.convert.alignment_matrix import write_alignment_matrix

Spec = alignment_pb2.AlignmentSpec
MUTUAL = alignment_pb2.METRIC_MUTUAL_KNN


def test_zeros_become_the_defaults_of_the_contract():
    assert read_spec(Spec(metric=MUTUAL)) == AlignmentSpec()


def test_given_values_pass():
    spec = Spec(
        metric=MUTUAL,
        ks=[5, 1],
        preprocess=alignment_pb2.PREPROCESS_PLATONIC_REP,
        permutations=99,
        seed=2**64 - 1,
        alpha=0.01,
        interval_kind=alignment_pb2.INTERVAL_KIND_QUERIES,
        confidence=0.9,
        sample_queries=7,
    )
    assert read_spec(spec) == AlignmentSpec("mutual_knn", (5, 1), "platonic_rep", 99, 2**64 - 1, 0.01, "queries", 0.9, 7)


def test_where_some_items_are_asked_the_interval_is_of_queries_unless_it_is_named():
    asked = read_spec(Spec(metric=MUTUAL, query_ids=["b", "a", "b"]))
    assert asked == AlignmentSpec(query_ids=("b", "a"), duplicate_queries=1, interval_kind="queries")
    assert read_spec(Spec(metric=MUTUAL, sample_queries=3)).interval_kind == "queries"
    named = Spec(metric=MUTUAL, sample_queries=3, interval_kind=alignment_pb2.INTERVAL_KIND_ITEMS)
    assert read_spec(named).interval_kind == "items"


def test_shares_of_the_items_follow_the_numbers():
    assert read_spec(Spec(metric=MUTUAL, ks=[5], k_fractions=[0.01, 0.1])) == AlignmentSpec(ks=(5,), k_fractions=(0.01, 0.1))
    assert read_spec(Spec(metric=MUTUAL, k_fractions=[0.01])).ks == ()
    assert read_spec(Spec(metric=alignment_pb2.METRIC_CKA, k_fractions=[0.01])) == read_spec(Spec(metric=alignment_pb2.METRIC_CKA))


def test_skipped_permutations():
    assert read_spec(Spec(metric=MUTUAL, permutations=99, skip_permutations=True)).permutations == 0


def test_metrics_without_neighbours_ask_one_question_whatever_k():
    assert read_spec(Spec(metric=alignment_pb2.METRIC_CKA, ks=[3, 4])) == read_spec(Spec(metric=alignment_pb2.METRIC_CKA))


@pytest.mark.parametrize("value", [0, 99])
def test_unknown_metrics(value):
    with pytest.raises(UnknownMetric, match="mutual_knn, cka, unbiased_cka") as caught:
        read_spec(Spec(metric=value))
    assert caught.value.field == "spec.metric"


def test_every_metric_of_the_contract_is_served():
    assert set(METRICS) == set(alignment_pb2.Metric.values()) - {0}


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("layer_selection", 9, InvalidArgument),
        ("preprocess", 9, InvalidArgument),
        ("interval_kind", 9, InvalidArgument),
    ],
)
def test_other_refusals_name_their_field(field, value, error):
    with pytest.raises(error) as caught:
        read_spec(Spec(metric=MUTUAL, **{field: value}))
    assert caught.value.field == f"spec.{field}"


def test_policies():
    assert [read_policy(value) for value in alignment_pb2.ItemPolicy.values()] == ["common", "common", "pairwise"]
    with pytest.raises(InvalidArgument):
        read_policy(9)


def at_k(k, **changes):
    values = dict(
        k=k, score=0.5, chance=0.25, excess=1 / 3, interval=Interval(0.4, 0.6, 0.95, "items"), p_value=0.001, calibrated=0.3,
        threshold=0.31, null_mean=0.26, null_sd=0.02, tie_fraction_x=0.1, tie_fraction_y=0.2, self_score_x=0.9, self_score_y=0.8,
    )  # fmt: skip
    return Score(**(values | changes))


def report(**changes):
    values = dict(
        metric="mutual_knn", by_k=(at_k(5), at_k(10, p_value=None, calibrated=None, threshold=None, null_mean=None, null_sd=None)),
        n=100, gallery=101, dropped_x=1, dropped_y=2, preprocess="platonic_rep", clips=(1.5, 2.5), permutations=999, seed=2**64 - 1,
        alpha=0.05, x=SpaceUse("spaces/a", "u1", 3), y=SpaceUse("spaces/b", "u2", 4), engine="1",
        certificate_x=Certificate("float32", 1e-6, 99, 1, 12345, "faiss-cpu"), certificate_y=None, query_sampling="hash",
    )  # fmt: skip
    return AlignmentReport(**(values | changes))


def test_a_report_keeps_every_field():
    message = alignment_pb2.AlignmentReport.FromString(write_report(report()).SerializeToString())
    assert message.headline == message.by_k[0]
    first, second = message.by_k
    for field in ("k", "score", "chance", "excess", "p_value", "calibrated", "threshold", "null_mean", "null_sd",
                  "tie_fraction_x", "tie_fraction_y", "self_score_x", "self_score_y"):  # fmt: skip
        assert getattr(first, field) == getattr(at_k(5), field), field
    assert (first.interval.low, first.interval.high, first.interval.confidence) == (0.4, 0.6, 0.95)
    assert first.interval.kind == alignment_pb2.INTERVAL_KIND_ITEMS
    assert not any(second.HasField(field) for field in ("p_value", "calibrated", "threshold", "null_mean", "null_sd"))
    for field in ("n", "gallery", "dropped_x", "dropped_y", "permutations", "seed", "alpha", "engine"):
        assert getattr(message, field) == getattr(report(), field), field
    assert message.metric == MUTUAL
    assert message.preprocess == alignment_pb2.PREPROCESS_PLATONIC_REP
    assert list(message.clips) == [1.5, 2.5]
    assert (message.x.name, message.x.uid, message.x.version, message.y.name) == ("spaces/a", "u1", 3, "spaces/b")
    assert (message.certificate_x.scan_dtype, message.certificate_x.exact_dots, message.certificate_x.backend) == (
        "float32",
        12345,
        "faiss-cpu",
    )
    assert (message.certificate_x.certified_rows, message.certificate_x.refined_rows, message.certificate_x.error_bound) == (99, 1, 1e-6)
    assert not message.HasField("certificate_y")
    assert message.query_sampling == alignment_pb2.QUERY_SAMPLING_HASH


def test_the_null_goes_with_each_k_while_it_is_small_and_warnings_with_the_report():
    null = np.linspace(0, 1, 65_536)
    message = write_report(report(by_k=(at_k(5, null=null), at_k(10, null=null[::-1])), warnings=("few", "tied")))
    np.testing.assert_array_equal(message.by_k[1].null, null[::-1])
    assert len(message.headline.null) == 0
    assert list(message.warnings) == ["few", "tied"]
    larger = write_report(report(by_k=(at_k(5, null=null), at_k(10, null=np.append(null, 1.0)))))
    assert [len(entry.null) for entry in larger.by_k] == [0, 0]


def test_a_p_value_of_one_and_zeros_are_kept_apart_from_absence():
    message = write_report(report(by_k=(at_k(5, p_value=1.0, calibrated=0.0),)))
    assert message.headline.HasField("calibrated")
    assert message.headline.calibrated == 0.0


def test_a_matrix_keeps_every_field():
    squares = {name: np.full((2, 2), float(i)) for i, name in enumerate(
        ("scores", "chance", "excess", "calibrated", "p_values", "interval_low", "interval_high"))}  # fmt: skip
    squares["p_values"][0, 0] = np.nan
    matrix = AlignmentMatrix(
        metric="unbiased_cka", spaces=(SpaceUse("spaces/a", "u", 1), SpaceUse("spaces/b", "v", 2)), **squares, interval_kind="queries",
        confidence=0.9, n=np.array([[3, 4], [4, 5]]), k=0, permutations=9, seed=8, alpha=0.1, preprocess="none", items="pairwise",
        engine="1", warnings=("few",), gallery=np.array([[3, 9], [9, 5]]), query_sampling="given",
        coordinates=np.array([[0.5, 0.0], [-0.5, 0.0]]), explained=0.75, stress=0.125, order=(1, 0), q_values=np.full((2, 2), 0.2),
    )  # fmt: skip
    message = alignment_pb2.AlignmentMatrix.FromString(write_alignment_matrix(matrix).SerializeToString())
    for name, square in squares.items():
        sent = getattr(message, name)
        np.testing.assert_array_equal(np.frombuffer(sent.data, "<f8").reshape(sent.rows, sent.columns), square)
    assert list(message.n) == [3, 4, 4, 5]
    assert (list(message.order), message.explained, message.stress) == ([1, 0], 0.75, 0.125)
    assert np.frombuffer(message.coordinates.data, "<f8").tolist() == [0.5, 0.0, -0.5, 0.0]
    assert message.HasField("q_values")
    assert not message.HasField("p_adjusted")
    assert (list(message.gallery), message.query_sampling) == ([3, 9, 9, 5], alignment_pb2.QUERY_SAMPLING_GIVEN)
    assert [use.name for use in message.spaces] == ["spaces/a", "spaces/b"]
    assert (message.metric, message.items, message.preprocess, message.interval_kind) == (
        alignment_pb2.METRIC_UNBIASED_CKA,
        alignment_pb2.ITEM_POLICY_PAIRWISE,
        alignment_pb2.PREPROCESS_NONE,
        alignment_pb2.INTERVAL_KIND_QUERIES,
    )  # fmt: skip
    assert (message.k, message.permutations, message.seed, message.alpha, message.confidence, message.engine) == (0, 9, 8, 0.1, 0.9, "1")
    assert list(message.warnings) == ["few"]
    assert (message.components, message.HasField("predictivity")) == (0, False)
