"""A bridge as two files: the tensors of its map (safetensors, float64), and a small JSON document of all else, which has digests of both.

The document is canonical JSON (sorted keys, no spaces): {format, digest, map_digest, bridge}. `map_digest` is the SHA-256 of the tensors'
file, `digest` that of the SHA-256 of `bridge` followed by `map_digest`. So the document can be checked alone, as a list does, and the map
with it.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import numpy as safetensors

from consilience_server.bridges.artefact import BridgeArtefact, BridgeFacts, BridgeListing, LearningPoint, Parent, RetrievalReport
from consilience_server.bridges.closed_form import BridgeMap
from consilience_server.bridges.convergence import Convergence
from consilience_server.bridges.map_kinds import read_map
from consilience_server.bridges.steps import SideName
from consilience_server.bridges.stitching_options import StitchingReport
from consilience_server.core.errors import CorruptData, StoreTooNew
from consilience_server.core.estimate import Estimate
from consilience_server.core.similarity import Similarity

FORMAT = 3
"""Raised by one whenever an older program could misread what this one writes.

1: maps into the target space. 2: maps of both sides into a space of their own, with correlations; reports with components and more
measures. 3: maps of several kinds, told in the document with their widths; bridges made of others; a digest of the map. Older formats are
read as they are: what they lack has its default. `tests/golden/test_bridge_format.py` keeps one of each from 3 on.
"""

_KEYS = ("fit_keys", "fit_target_keys")
_LONGEST_HEADER = 100 << 20
"""What safetensors allows."""


@dataclass(frozen=True)
class Document:
    """The small file of one bridge, its own digest checked where the format has one (3 on)."""

    format: int
    digest: str
    facts: Mapping[str, Any]

    def corrupt(self) -> CorruptData:
        """The refusal."""
        return _corrupt(self.facts["name"])


def map_bytes(artefact: BridgeArtefact) -> bytes:
    """The tensors' file."""
    return safetensors.save(_tensors(artefact))


def _tensors(artefact: BridgeArtefact) -> dict[str, np.ndarray[Any, Any]]:
    kept = {name: np.ascontiguousarray(array) for name, array in artefact.map.tensors().items()}
    keys = {name: getattr(artefact, name) for name in _KEYS}
    return kept | {name: array for name, array in keys.items() if array is not None}


def new_document(artefact: BridgeArtefact, tensors: bytes) -> bytes:
    """The small file beside these tensors."""
    facts = _facts(artefact)
    map_digest = hashlib.sha256(tensors).hexdigest()
    return _canonical({"format": FORMAT, "digest": _digest(facts, map_digest), "map_digest": map_digest, "bridge": facts})


class SafetensorsExport:
    """`BridgeExport` of all of a bridge as one file: the tensors, and the document as metadata."""

    def model(self, artefact: BridgeArtefact, side: SideName) -> bytes:
        """Both sides, whichever is asked."""
        del side
        told = {"format": FORMAT, **_facts(artefact)}
        return safetensors.save(_tensors(artefact), metadata={"bridge": _canonical(told).decode()})


def read_document(name: str, text: bytes) -> Document:
    """The small file of bridge `name`.

    Raises:
        CorruptData: it is not as it was written, or another bridge's.
        StoreTooNew: written by a newer program.
    """
    document = json.loads(text)
    found = document["format"]
    if type(found) is int and found > FORMAT:
        raise StoreTooNew(f"bridge {name!r} has format {found}, this program reads up to {FORMAT}; upgrade consilience")
    facts = document["bridge"]
    # The text itself too: another spelling of the same numbers was not written here.
    whole = type(found) is int and found >= 1 and text == _canonical(document) and facts["name"] == name
    # The format stands in no digest: a document of one must not pass for another.
    whole = whole and (found >= 3) == ("map_digest" in document)
    if not whole or (found >= 3 and document["digest"] != _digest(facts, document["map_digest"])):
        raise _corrupt(name)
    return Document(found, document["digest"], facts)


def read_uid(name: str, text: bytes) -> str:
    """The uid that the small file of bridge `name` tells, nothing else of it checked: what every request asks."""
    uid = json.loads(text)["bridge"]["uid"]
    if not isinstance(uid, str):
        raise CorruptData(f"bridge {name!r} is not as it was written (its uid is no text); restore it or fit it anew")
    return uid


def read_whole(document: Document, tensors: bytes) -> BridgeArtefact:
    """The bridge, map and all; CorruptData where the tensors are not those that the document was written beside."""
    if document.digest != _digest(document.facts, hashlib.sha256(tensors).hexdigest()):
        raise document.corrupt()
    arrays = safetensors.load(tensors)
    for array in arrays.values():
        array.flags.writeable = False
    kind = document.facts["map"]["kind"] if document.format >= 3 else BridgeMap.kind
    keys: dict[str, Any] = {name: arrays.pop(name, None) for name in _KEYS}
    return BridgeArtefact(**_told(document.facts), map=read_map(kind, arrays), **keys)


def read_listing(document: Document, path: Path) -> BridgeListing:
    """What a list tells; of formats before 3 the widths stand in the head of the tensors' file at `path`."""
    shape = document.facts["map"] if document.format >= 3 else _shape_of_tensors(path)
    return BridgeListing(**_told(document.facts), **{name: shape[name] for name in ("source_dim", "target_dim", "leads_into_target")})


def _corrupt(name: str) -> CorruptData:
    return CorruptData(f"bridge {name!r} is not as it was written (its digest differs); restore it or fit it anew")


def _shape_of_tensors(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(min(length, _LONGEST_HEADER)))
    widths = {f"{side}_dim": header[f"{side}_mean"]["shape"][0] for side in ("source", "target")}
    return {**widths, "leads_into_target": "target_weights" not in header}


def _canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _digest(facts: object, map_digest: str) -> str:
    inner = hashlib.sha256(_canonical(facts)).digest() + bytes.fromhex(map_digest)
    return hashlib.sha256(inner).hexdigest()


def _facts(artefact: BridgeArtefact) -> dict[str, Any]:
    facts = {field.name: getattr(artefact, field.name) for field in fields(BridgeFacts)}
    facts["target_similarity"] = artefact.target_similarity.value
    facts["create_time"] = artefact.create_time.isoformat()
    facts["held_out"] = None if artefact.held_out is None else _report_facts(artefact.held_out)
    facts["candidates"] = [_report_facts(report) for report in artefact.candidates]
    facts["learning_curve"] = [_report_facts(point) for point in artefact.learning_curve]
    facts["parents"] = [asdict(parent) for parent in artefact.parents]
    facts["notes"] = list(artefact.notes)
    facts["convergence"] = None if artefact.convergence is None else asdict(artefact.convergence)
    facts["stitching"] = None if artefact.stitching is None else asdict(artefact.stitching)
    facts["map"] = {
        "kind": artefact.map.kind,
        "source_dim": artefact.source_dim,
        "target_dim": artefact.target_dim,
        "leads_into_target": artefact.leads_into_target,
    }
    return facts


def _report_facts(report: RetrievalReport | LearningPoint) -> dict[str, Any]:
    # JSON has no integer keys, so the tables by k travel as lists.
    by_k = {"recalls": list(map(list, report.recalls.items())), "intervals": [[k, *bounds] for k, bounds in report.intervals.items()]}
    return asdict(report) | by_k


def _told(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of `BridgeFacts`."""
    return {
        **{name: value for name, value in facts.items() if name != "map"},
        "target_similarity": Similarity(facts["target_similarity"]),
        "create_time": datetime.fromisoformat(facts["create_time"]),
        "held_out": None if facts["held_out"] is None else _report(facts["held_out"]),
        "candidates": [_report(report) for report in facts["candidates"]],
        "learning_curve": [_learning_point(point) for point in facts.get("learning_curve", ())],
        "parents": tuple(Parent(**parent) for parent in facts.get("parents", ())),
        "notes": tuple(facts.get("notes", ())),
        "convergence": _convergence(facts["convergence"]) if facts.get("convergence") else None,
        "stitching": _stitching(facts["stitching"]) if facts.get("stitching") else None,
    }


def _convergence(facts: Mapping[str, Any]) -> Convergence:
    return Convergence(**{**facts, "agreement": Estimate(**facts["agreement"])})


def _stitching(facts: Mapping[str, Any]) -> StitchingReport:
    information = facts["information"]
    return StitchingReport(**{**facts, "information": None if information is None else Estimate(**information)})


def _by_k(facts: Mapping[str, Any]) -> tuple[dict[int, float], dict[int, tuple[float, float]]]:
    return dict(facts["recalls"]), {k: (low, high) for k, low, high in facts["intervals"]}


def _learning_point(facts: Mapping[str, Any]) -> LearningPoint:
    return LearningPoint(facts["pairs"], *_by_k(facts))


def _report(facts: Mapping[str, Any]) -> RetrievalReport:
    recalls, intervals = _by_k(facts)
    estimates = {name: Estimate(**told) for name, told in facts.items() if isinstance(told, dict)}
    return RetrievalReport(**{**facts, **estimates, "recalls": recalls, "intervals": intervals})
