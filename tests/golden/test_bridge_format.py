"""Bridges written by each format so far, kept as files: whatever we change, these must be read the same.

`python tests/golden/test_bridge_format.py <folder>` writes the one of today; commit it as `bridge_format_<n>` whenever the format's
number is raised.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from consilience_server.adapters.bridge_documents import FORMAT
from consilience_server.adapters.bridge_files import BridgeFiles
from consilience_server.bridges.artefact import BridgeArtefact, LearningPoint, Parent, RetrievalReport
from consilience_server.bridges.chain import ChainMap
from consilience_server.bridges.closed_form import BridgeMap
from consilience_server.core.estimate import Estimate
from consilience_server.core.similarity import Similarity

FOLDER = Path(__file__).parent
FIRST_KEPT = 3
FIRST = BridgeMap(np.arange(12.0).reshape(4, 3) / 7, np.full(4, 0.25), np.full(3, -0.125))
LAST = BridgeMap(np.arange(6.0).reshape(3, 2) / 3, np.full(3, 0.5), np.full(5, 0.0625), np.arange(10.0).reshape(5, 2), np.array([1.0, 0.5]))
REPORT = RetrievalReport(
    "composed", {1: 1 / 3, 10: 1.0}, {1: (0.1, 0.5), 10: (0.9, 1.0)}, 0.4, 2.5, 3, 40, foscttm=Estimate(0.1, 0.05, 0.2)
)
KEPT = BridgeArtefact(
    name="a-to-c",
    uid="u" * 32,
    method="composed",
    map=ChainMap((FIRST, LAST)),
    source_name="a",
    source_uid="s" * 32,
    source_version=3,
    target_name="c",
    target_uid="t" * 32,
    target_version=4,
    target_similarity=Similarity.COSINE,
    fit_pairs=2,
    fit_ids_digest="d" * 32,
    held_out=REPORT,
    candidates=[REPORT],
    seed=7,
    code_version="0.1",
    create_time=datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
    learning_curve=[LearningPoint(2, {1: 0.5}, {1: (0.1, 0.9)})],
    derivation="composed",
    parents=(Parent("a-to-b", "v" * 32, "ridge"), Parent("b-to-c", "w" * 32, "csa")),
    notes=("Größer als gedacht.",),
    fit_keys=np.array([1, 2], dtype=np.uint64),
    fit_target_keys=np.array([3, 2**64 - 1], dtype=np.uint64),
)


@pytest.mark.parametrize("number", range(FIRST_KEPT, FORMAT + 1))
def test_a_bridge_of_every_format_is_read(number):
    bridges = BridgeFiles(FOLDER / f"bridge_format_{number}", read_only=True)
    read = bridges.get("a-to-c")
    assert {name: tensor.tobytes() for name, tensor in read.map.tensors().items()} == {
        name: tensor.tobytes() for name, tensor in KEPT.map.tensors().items()
    }
    for name in ("fit_keys", "fit_target_keys"):
        assert np.array_equal(getattr(read, name), getattr(KEPT, name))
    told = {name: value for name, value in vars(read).items() if name not in {"map", "fit_keys", "fit_target_keys"}}
    assert told == {name: value for name, value in vars(KEPT).items() if name in told}
    assert [listed.uid for listed in bridges.list("", 10)] == [KEPT.uid]


if __name__ == "__main__":
    BridgeFiles(Path(sys.argv[1])).put(KEPT)
