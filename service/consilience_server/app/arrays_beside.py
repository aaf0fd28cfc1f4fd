"""Arrays beside two that are aligned: controls, and one beyond which they are aligned."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.alignment_spec import Side
from consilience_server.app.controls import MOST_CONTROLS
from consilience_server.app.validation import check_vectors
from consilience_server.core.errors import InvalidArgument
from consilience_server.core.similarity import Similarity
from consilience_server.engine.snapshot import Snapshot


@dataclass(frozen=True)
class ArraysBeside:
    """(n, d) arrays whose row i is the same item: controls by name, with the side whose place each takes, and a given one."""

    controls: tuple[tuple[str, Side, NDArray[np.float32]], ...] = ()
    given: NDArray[np.float32] | None = None

    def __bool__(self) -> bool:
        return bool(self.controls) or self.given is not None


NOTHING_BESIDE = ArraysBeside()


def snapshots_beside(beside: ArraysBeside, similarity: Similarity, ids: NDArray[np.object_], digest: str) -> list[Snapshot]:
    """The controls in their order, then the given array where there is one; each known by its content, like x and y.

    Raises:
        InvalidArgument: too many controls, or two of one name. NotFinite, ZeroVector.
    """
    names = [name for name, _, _ in beside.controls]
    if len(names) > MOST_CONTROLS or len(set(names)) < len(names):
        raise InvalidArgument(f"{len(names)} controls; name each once, {MOST_CONTROLS} at the most", field="header.controls")
    order = np.argsort(ids, kind="stable")
    found = []
    for field, name, array in _named(beside):
        check_vectors(array, similarity, None, field)
        # By the items' own order, so that neither tables nor ties depend on that of the rows.
        content = hashlib.blake2b(array[order].tobytes(), digest_size=12).hexdigest()
        found.append(Snapshot(name, f"beside-{content}-{digest}", 0, similarity, ids, array))
    return found


def _named(beside: ArraysBeside) -> Iterator[tuple[str, str, NDArray[np.float32]]]:
    for number, (name, _, array) in enumerate(beside.controls):
        yield f"controls[{number}]", name, array
    if beside.given is not None:
        yield "given", "given", beside.given
