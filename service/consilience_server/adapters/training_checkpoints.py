"""Trainings that were cut off, on disk: one safetensors file each, named by the digest of all that the training depends on."""

import logging
import time
from pathlib import Path

from safetensors import SafetensorError
from safetensors import numpy as safetensors

from consilience_server.adapters.durable_files import make_directory, write_durably
from consilience_server.bridges.training_host import State

_LOG = logging.getLogger(__name__)

KEPT_SECONDS = 7 * 86_400.0
"""How long a training that nobody takes up again is kept."""


class TrainingFiles:
    """`Checkpoints` in a folder. A file is there whole or not at all; one that cannot be read or written only costs the time it would save.

    Args:
        root: the folder, made with the first file. Files older than `KEPT_SECONDS`, and those half written, are removed now.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        for path in root.iterdir() if root.is_dir() else ():
            if path.name.startswith(".") or path.stat().st_mtime < time.time() - KEPT_SECONDS:
                path.unlink(missing_ok=True)

    def load(self, key: str) -> State | None:
        """The state; None where there is none, or a damaged one."""
        try:
            return safetensors.load(self._path(key).read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, SafetensorError) as error:
            _LOG.warning("a training that was cut off cannot be read and begins anew: %s", error)
            return None

    def save(self, key: str, state: State) -> None:
        """Keep it in place of an earlier one, fsynced."""
        try:
            make_directory(self._root)
            write_durably(self._path(key), [safetensors.save(dict(state))])
        except OSError as error:
            _LOG.warning("a training cannot be kept, and would begin anew after a restart: %s", error)

    def remove(self, key: str) -> None:
        """Forget it, if it is there."""
        try:
            self._path(key).unlink(missing_ok=True)
        except OSError as error:
            _LOG.warning("a training that has ended cannot be removed yet: %s", error)

    def _path(self, key: str) -> Path:
        return self._root / f"{key}.safetensors"
