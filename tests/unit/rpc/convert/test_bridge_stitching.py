import pytest

from consilience.v1 import bridge_pb2, bridge_stitching_pb2
from consilience_server.bridges.stitching_options import StitchingOptions, StitchingReport
from consilience_server.core.errors import InvalidArgument
from consilience_server.core.estimate import Estimate
from consilience_server.rpc.convert.bridge_stitching import read_stitching, write_stitching


def request(**options):
    return bridge_pb2.FitBridgeRequest(stitching=bridge_stitching_pb2.StitchingOptions(**options))


def test_zeros_become_the_defaults_of_the_contract():
    assert read_stitching(bridge_pb2.FitBridgeRequest()) is None
    assert read_stitching(request()) == StitchingOptions()


def test_given_values_pass():
    found = read_stitching(request(architecture=2, loss=2, hidden=7, relational_weight=0.0, temperature=0.5, max_epochs=3))
    assert found == StitchingOptions("residual_mlp", "infonce", 7, 0.0, 0.5, 3)


@pytest.mark.parametrize("field", ["architecture", "loss"])
def test_unknown_values_are_refused(field):
    with pytest.raises(InvalidArgument, match="99 is unknown") as refused:
        read_stitching(request(**{field: 99}))
    assert refused.value.field == field


def test_a_report_keeps_every_field():
    report = StitchingReport("residual_mlp", "infonce", 9, 0.0, 0.5, 12, 2, 30, 0.25, 0.5, 0.125, "cuda", Estimate(1.5, 1.0, 2.0), 40)
    told = write_stitching(report)
    assert (told.architecture, told.loss, told.hidden, told.temperature) == (2, 2, 9, 0.5)
    assert (told.epochs, told.best_epoch, told.validation_pairs, told.device, told.information_pairs) == (12, 2, 30, "cuda", 40)
    assert (told.validation_recall, told.validation_reciprocal_rank, told.start_recall) == (0.25, 0.5, 0.125)
    assert (told.information, told.information_interval.low, told.information_interval.high) == (1.5, 1.0, 2.0)
    linear = StitchingReport("linear", "cosine_relational", 0, 1.0, 0.0, 12, 2, 30, 0.25, 0.5, 0.125, "cpu")
    told = write_stitching(linear)
    assert (told.architecture, told.loss, told.HasField("information")) == (1, 1, False)
    assert write_stitching(None) is None
