"""Bridges on disk: one folder each, `map.safetensors` (the matrix and the means, float64) and `bridge.json` (all else), never changed.

A digest over both stands in the JSON file, so that neither can be damaged or exchanged unseen. The folder is written under a temporary
name, fsynced, and renamed: a bridge is there whole or not at all.
"""

import errno
import hashlib
import json
import os
import re
import shutil
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import numpy as safetensors

from consilience_server.adapters.durable_files import make_directory, remove_tree, sync_directory, write_durably
from consilience_server.adapters.removal_receipts import RECEIPTS, RemovalReceipts
from consilience_server.adapters.storage_errors import reading, writing
from consilience_server.bridges.artefact import BridgeArtefact, BridgeMap, LearningPoint, RetrievalReport
from consilience_server.core.errors import BridgeExists, BridgeNotFound, CorruptData, InvalidName, StoreReadOnly, StoreTooNew
from consilience_server.core.estimate import Estimate
from consilience_server.core.similarity import Similarity

FORMAT = 2
"""Raised by one whenever an older program could misread what this one writes.

1: maps into the target space. 2: maps of both sides into a space of their own, with correlations; reports with components and more
measures. Format 1 is read as it is: what it lacks has its default.
"""

_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")
_MAP = "map.safetensors"
_FACTS = "bridge.json"
_FIT_KEYS = "fit_keys"


class BridgeFiles:
    """`BridgeStore` on a folder. Thread-safe; the lease of the store that the folder belongs to keeps other writers away.

    Args:
        root: the folder of all bridges, made where it does not exist.
        read_only: refuse `put` and `delete`.
    """

    def __init__(self, root: Path, read_only: bool = False) -> None:  # noqa: FBT001, FBT002  # named by its callers, as the store's is
        self._root = root
        self._read_only = read_only
        self._receipts = RemovalReceipts(root / RECEIPTS)
        if not read_only:
            with writing("the folder of bridges"):
                make_directory(root)
            for path in root.iterdir():
                # Left by a crash: a bridge never finished, or one half removed.
                if path.name.startswith("."):
                    remove_tree(path)

    def put(self, artefact: BridgeArtefact) -> None:
        """Keep a new bridge; BridgeExists where the name is taken. Fsynced before it returns."""
        self._check_writable()
        if not _NAME.fullmatch(artefact.name):
            message = f"{artefact.name!r} is no valid id: a lower-case letter, then up to 62 of a-z, 0-9 and -"
            raise InvalidName(message, field="bridge_id")
        temporary = self._root / f".{uuid.uuid4().hex}"
        with writing(f"bridge {artefact.name!r}"):
            try:
                temporary.mkdir()
                tensors = safetensors.save(_tensors(artefact))
                facts = _facts(artefact)
                document = {"format": FORMAT, "digest": _digest(facts, tensors), "bridge": facts}
                write_durably(temporary / _MAP, [tensors])
                write_durably(temporary / _FACTS, [_canonical(document)])
                self._publish(temporary, artefact.name)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)

    def _publish(self, temporary: Path, name: str) -> None:
        try:
            # By its plain name: what a fault test makes fail. A rename onto a folder that is not empty is refused by the system.
            os.rename(temporary, self._root / name)  # noqa: PTH104
        except OSError as error:
            if error.errno in {errno.ENOTEMPTY, errno.EEXIST}:
                message = f"a bridge {name!r} is there already; choose another name, or delete it first"
                raise BridgeExists(message, field="bridge_id", bridge=name) from None
            raise
        sync_directory(self._root)

    def get(self, name: str) -> BridgeArtefact:
        """Read one, its digest checked.

        Raises:
            BridgeNotFound: no such bridge.
            CorruptData: a file is missing, truncated, altered or exchanged.
            StoreTooNew: written by a newer program.
        """
        if not self.exists(name):
            raise BridgeNotFound(f"there is no bridge {name!r}; list the bridges for their names", bridge=name)
        folder = self._root / name
        try:
            with reading(f"bridge {name!r}"):
                text = (folder / _FACTS).read_bytes()
                document = json.loads(text)
                found = document["format"]
                if type(found) is int and found > FORMAT:
                    raise StoreTooNew(f"bridge {name!r} has format {found}, this program reads up to {FORMAT}; upgrade consilience")
                tensors = (folder / _MAP).read_bytes()
                facts = document["bridge"]
                # The text itself too: another spelling of the same numbers was not written here.
                whole = (
                    type(found) is int
                    and 1 <= found <= FORMAT
                    and document["digest"] == _digest(facts, tensors)
                    and text == _canonical(document)
                )
                if not whole or facts["name"] != name:
                    raise CorruptData(f"bridge {name!r} is not as it was written (its digest differs); restore it or fit it anew")
                return _artefact(facts, safetensors.load(tensors))
        except CorruptData:
            if not self.exists(name):
                raise BridgeNotFound(f"bridge {name!r} was deleted meanwhile", bridge=name) from None
            raise

    def list(self, after: str, limit: int) -> Sequence[BridgeArtefact]:
        """At most `limit` bridges whose names come after `after`, in byte order; each is read whole."""
        names = (
            sorted(path.name for path in self._root.iterdir() if _NAME.fullmatch(path.name) and path.name > after)
            if self._root.is_dir()
            else []
        )
        found: list[BridgeArtefact] = []
        for name in names:
            if len(found) == limit:
                break
            try:
                found.append(self.get(name))
            except BridgeNotFound:
                continue
        return found

    def delete(self, name: str, request_id: str = "") -> None:
        """Remove one; it is gone at once for readers, whatever interrupts the rest. Repeating a request id changes nothing more.

        Raises:
            BridgeNotFound: no such bridge.
            UploadConflict: the request id removed another bridge before.
        """
        self._check_writable()
        if self._removed_before(name, request_id):
            return
        try:
            self._remove(name, request_id)
        except BridgeNotFound:
            # The same request may have been served twice at once.
            if not self._removed_before(name, request_id):
                raise

    def _removed_before(self, name: str, request_id: str) -> bool:
        return request_id != "" and self._receipts.removed(request_id, name, self._uid_if_any(name))

    def _uid_if_any(self, name: str) -> str | None:
        """None where there is no such bridge; empty where it is damaged: that must not keep it from being removed."""
        try:
            return self.uid(name)
        except BridgeNotFound:
            return None
        except CorruptData:
            return ""

    def _remove(self, name: str, request_id: str) -> None:
        uid = self._uid_if_any(name)
        if uid is None:
            raise BridgeNotFound(f"there is no bridge {name!r}; list the bridges for their names", bridge=name)
        if request_id:
            # Before the removal: what a crash leaves in between is known by its uid, and removed when the request is repeated.
            with writing(f"the removal of bridge {name!r}"):
                self._receipts.write(request_id, name, uid)
        waste = self._root / f".{uuid.uuid4().hex}"
        try:
            os.rename(self._root / name, waste)  # noqa: PTH104  # as in _publish
        except FileNotFoundError:
            raise BridgeNotFound(f"bridge {name!r} was deleted meanwhile", bridge=name) from None
        sync_directory(self._root)
        remove_tree(waste)

    def exists(self, name: str) -> bool:
        """Whether the name is taken."""
        return _NAME.fullmatch(name) is not None and (self._root / name).is_dir()

    def uid(self, name: str) -> str:
        """The uid of the bridge that has the name now, from its facts alone (`get` checks their digest). Raises as `get`."""
        if not self.exists(name):
            raise BridgeNotFound(f"there is no bridge {name!r}; list the bridges for their names", bridge=name)
        try:
            with reading(f"bridge {name!r}"):
                uid = json.loads((self._root / name / _FACTS).read_bytes())["bridge"]["uid"]
                if not isinstance(uid, str):
                    raise CorruptData(f"bridge {name!r} is not as it was written (its uid is no text); restore it or fit it anew")
                return uid
        except CorruptData:
            if not self.exists(name):
                raise BridgeNotFound(f"bridge {name!r} was deleted meanwhile", bridge=name) from None
            raise

    def _check_writable(self) -> None:
        if self._read_only:
            raise StoreReadOnly("the store is open for reading only; ask the process that holds it for writing")


def _canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _digest(facts: object, tensors: bytes) -> str:
    inner = hashlib.sha256(_canonical(facts)).digest() + hashlib.sha256(tensors).digest()
    return hashlib.sha256(inner).hexdigest()


def _tensors(artefact: BridgeArtefact) -> dict[str, np.ndarray[Any, Any]]:
    arrays = {field.name: getattr(artefact.map, field.name) for field in fields(BridgeMap)}
    kept = {name: np.ascontiguousarray(array, dtype=np.float64) for name, array in arrays.items() if array is not None}
    return kept if artefact.fit_keys is None else kept | {_FIT_KEYS: artefact.fit_keys}


def _facts(artefact: BridgeArtefact) -> dict[str, Any]:
    facts = {field.name: getattr(artefact, field.name) for field in fields(BridgeArtefact) if field.name not in {"map", _FIT_KEYS}}
    facts["target_similarity"] = artefact.target_similarity.value
    facts["create_time"] = artefact.create_time.isoformat()
    facts["held_out"] = _report_facts(artefact.held_out)
    facts["candidates"] = [_report_facts(report) for report in artefact.candidates]
    facts["learning_curve"] = [_report_facts(point) for point in artefact.learning_curve]
    return facts


def _report_facts(report: RetrievalReport | LearningPoint) -> dict[str, Any]:
    # JSON has no integer keys, so the tables by k travel as lists.
    by_k = {"recalls": list(map(list, report.recalls.items())), "intervals": [[k, *bounds] for k, bounds in report.intervals.items()]}
    return asdict(report) | by_k


def _artefact(facts: Mapping[str, Any], tensors: Mapping[str, np.ndarray[Any, Any]]) -> BridgeArtefact:
    for tensor in tensors.values():
        tensor.flags.writeable = False
    return BridgeArtefact(
        **{
            **facts,
            "map": BridgeMap(**{name: tensor for name, tensor in tensors.items() if name != _FIT_KEYS}),
            "fit_keys": tensors.get(_FIT_KEYS),
            "target_similarity": Similarity(facts["target_similarity"]),
            "create_time": datetime.fromisoformat(facts["create_time"]),
            "held_out": _report(facts["held_out"]),
            "candidates": [_report(report) for report in facts["candidates"]],
            "learning_curve": [_learning_point(point) for point in facts.get("learning_curve", ())],
        }
    )


def _by_k(facts: Mapping[str, Any]) -> tuple[dict[int, float], dict[int, tuple[float, float]]]:
    return dict(facts["recalls"]), {k: (low, high) for k, low, high in facts["intervals"]}


def _learning_point(facts: Mapping[str, Any]) -> LearningPoint:
    return LearningPoint(facts["pairs"], *_by_k(facts))


def _report(facts: Mapping[str, Any]) -> RetrievalReport:
    recalls, intervals = _by_k(facts)
    estimates = {name: Estimate(**told) for name, told in facts.items() if isinstance(told, dict)}
    return RetrievalReport(**{**facts, **estimates, "recalls": recalls, "intervals": intervals})
