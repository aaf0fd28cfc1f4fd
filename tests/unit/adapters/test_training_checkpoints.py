import os
import time

import numpy as np
import pytest

from consilience_server.adapters import training_checkpoints
from consilience_server.adapters.training_checkpoints import KEPT_SECONDS, TrainingFiles

STATE = {"parameter0": np.arange(6, dtype=np.float32).reshape(2, 3), "counts": np.array([3, 40, 2]), "scores": np.array([0.5, 1 / 3, 0.1])}


@pytest.fixture
def files(tmp_path):
    return TrainingFiles(tmp_path / "training")


def test_what_is_kept_comes_back_and_is_gone_once_removed(files, tmp_path):
    assert files.load("a") is None
    files.save("a", {name: array * 0 for name, array in STATE.items()})
    files.save("a", STATE)
    found = TrainingFiles(tmp_path / "training").load("a")
    assert set(found) == set(STATE)
    for name, array in STATE.items():
        assert (found[name].dtype, found[name].tobytes()) == (array.dtype, array.tobytes())
    for _ in range(2):
        files.remove("a")
    assert files.load("a") is None
    assert list((tmp_path / "training").iterdir()) == []


def test_damage_and_a_full_disk_cost_only_time(files, tmp_path, monkeypatch, caplog):
    files.save("a", STATE)
    path = tmp_path / "training" / "a.safetensors"
    path.write_bytes(path.read_bytes()[:50])
    assert files.load("a") is None
    monkeypatch.setattr(training_checkpoints, "write_durably", lambda *_: (_ for _ in ()).throw(OSError("no space left")))
    files.save("b", STATE)
    assert files.load("b") is None
    assert "begins anew" in caplog.text
    assert "no space left" in caplog.text


def test_what_nobody_took_up_again_is_removed(files, tmp_path):
    for key in ("old", "new"):
        files.save(key, STATE)
    long_ago = time.time() - KEPT_SECONDS - 60
    os.utime(tmp_path / "training" / "old.safetensors", (long_ago, long_ago))
    (tmp_path / "training" / ".old.tmp").touch()
    TrainingFiles(tmp_path / "training")
    assert [path.name for path in (tmp_path / "training").iterdir()] == ["new.safetensors"]
