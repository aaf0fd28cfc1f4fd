"""Mutual pairs: defaults, refusals, totals."""

import numpy as np
import pytest

from consilience.v1 import match_pb2
from consilience.v1.space_pb2 import SpaceRef
from consilience_server.app.alignment_spec import SpaceQuery
from consilience_server.app.pairs_query import KnownPartners, MutualPairsQuery
from consilience_server.app.reports import PairBlock, PairsSummary, SpaceUse
from consilience_server.core.errors import InvalidName, UnknownMethod
from consilience_server.core.pair_agreement import PairAgreement, Proportion
from consilience_server.rpc.convert.pairs import read_mutual_pairs, write_found_pairs, write_pair_block

SIDES = {"source": SpaceRef(name="spaces/a", version=1), "target": SpaceRef(name="spaces/b", version=2)}
AGREEMENT = PairAgreement(4, Proportion(0.5, 0.1, 0.9, 1, 2), Proportion(0.25, 0.0, 0.7, 1, 4), 0.3, 0.4)


def summary(**changes):
    told = {
        "pairs": 3, "source_items": 10, "target_items": 20, "source": SpaceUse("spaces/a", "u", 1), "target": SpaceUse("spaces/b", "v", 2),
        "bridge": "a-to-b", "bridge_uid": "w", "correction": "csls", "correction_k": 4, "mode": "max", "threshold": 0.0, "engine": "1",
    }  # fmt: skip
    return PairsSummary(**{**told, **changes})


def test_zeros_become_the_defaults_of_the_contract():
    assert read_mutual_pairs(match_pb2.MutualPairsRequest(**SIDES)) == MutualPairsQuery(SpaceQuery("a", 1), SpaceQuery("b", 2))


def test_given_values_pass():
    request = match_pb2.MutualPairsRequest(
        **SIDES, bridge="bridges/c", correction=match_pb2.CORRECTION_CSLS, correction_k=6, limit=7, mode=match_pb2.PAIR_MODE_MAX,
        threshold=0.0, known={"item_ids": ["x"], "target_ids": ["y"]}, resume_token="t",
    )  # fmt: skip
    known = KnownPartners(("x",), ("y",))
    assert read_mutual_pairs(request) == MutualPairsQuery(SpaceQuery("a", 1), SpaceQuery("b", 2), "c", "csls", 6, 7, "max", 0.0, known, "t")


@pytest.mark.parametrize(
    ("changes", "kind", "field"),
    [({"mode": 99}, UnknownMethod, "mode"), ({"correction": 99}, UnknownMethod, "correction"), ({"bridge": "c"}, InvalidName, "bridge")],
)
def test_what_the_contract_does_not_have_is_refused(changes, kind, field):
    with pytest.raises(kind) as refused:
        read_mutual_pairs(match_pb2.MutualPairsRequest(**SIDES, **changes))
    assert refused.value.field == field


def test_a_block():
    block = PairBlock(["a", "b"], ["p", "q"], np.array([0.5, 0.25]), np.array([1.0, -1.0]), 7, "next", None)
    message = write_pair_block(block)
    assert (message.source_ids, message.target_ids, message.first, message.resume_token) == (["a", "b"], ["p", "q"], 7, "next")
    assert np.frombuffer(message.scores.data).tolist() == [1.0, -1.0]
    assert np.frombuffer(message.similarities.data).tolist() == [0.5, 0.25]
    assert not message.HasField("summary")


def test_totals():
    told = write_found_pairs(summary(agreement=AGREEMENT), "begin")
    assert told.resume_token == "begin"
    message = told.summary
    assert (message.pairs, message.bridge, message.bridge_uid, message.correction_k) == (3, "bridges/a-to-b", "w", 4)
    assert (message.mode, message.HasField("threshold"), message.threshold) == (match_pb2.PAIR_MODE_MAX, True, 0.0)
    agreement = message.agreement
    assert (agreement.known_sources, agreement.judged, agreement.right, agreement.found) == (4, 2, 1, 1)
    assert (agreement.precision, agreement.precision_interval.low, agreement.recall, agreement.best_f1) == (0.5, 0.1, 0.25, 0.4)
    assert not write_found_pairs(summary(threshold=None), "").summary.HasField("threshold")


def test_no_judged_pair_has_no_precision():
    message = write_found_pairs(
        summary(agreement=PairAgreement(4, None, Proportion(0.0, 0.0, 0.5, 0, 4), None, None)), ""
    ).summary.agreement
    assert not message.HasField("precision")
    assert not message.HasField("best_threshold")
    assert message.recall_interval.high == 0.5
