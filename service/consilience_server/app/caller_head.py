"""A classifier that the caller brings: what of the target space they have, run on vectors that a bridge brings there."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.validation import shown
from consilience_server.core.control import Control
from consilience_server.core.errors import ExtraMissing, InvalidArgument, MessageTooLarge, NotServed


class Head(Protocol):
    """A classifier of vectors of one space."""

    @property
    def classes(self) -> tuple[str, ...] | None:
        """What its outputs are called, in order; None where it tells labels itself."""
        ...

    def classify(self, rows: NDArray[np.float32], control: Control) -> NDArray[np.object_]:
        """The label of each row, (m,) text, for (m, d) float32 rows; InvalidArgument where it fails on them."""
        ...


class HeadLoader(Protocol):
    """Makes heads of what callers send."""

    def load(self, model: bytes, width: int, classes: Sequence[str]) -> Head:
        """A head that takes vectors of this width.

        Args:
            model: ONNX.
            width: of the target space.
            classes: names of its outputs, in order; empty: they are whole numbers from 0.

        Raises:
            InvalidArgument, DimensionMismatch, ShapeMismatch: no such model.
        """
        ...


class CallerHeads:
    """Loads heads within what the operator allows.

    Args:
        loader: None where its packages are not installed.
        most_bytes: of a model; 0 refuses all.
    """

    def __init__(self, loader: HeadLoader | None, most_bytes: int) -> None:
        self._loader = loader
        self._most_bytes = most_bytes

    def check(self, model: bytes) -> HeadLoader:
        """What loads it; NotServed, MessageTooLarge, ExtraMissing: what can be refused before anything is read."""
        if not self._most_bytes:
            raise NotServed("this server runs no heads of callers (max_head_bytes = 0); leave head out for a linear probe", field="head")
        if len(model) > self._most_bytes:
            raise MessageTooLarge(
                f"the head has {len(model):,} bytes; this server takes up to {self._most_bytes:,} (max_head_bytes)", field="head"
            )
        if self._loader is None:
            raise ExtraMissing(
                "a head needs onnx and onnxruntime on the server's host (pip install 'consilience[onnx]'); "
                "leave head out for a linear probe",
                field="head",
                extra="onnx",
            )
        return self._loader

    def load(self, model: bytes, width: int, classes: Sequence[str], labels: NDArray[np.object_]) -> Head:
        """A head that knows all of these labels, InvalidArgument where it does not. Raises as `check` and as `HeadLoader.load`."""
        head = self.check(model).load(model, width, classes)
        unknown = [] if head.classes is None else sorted(set(labels.tolist()) - set(head.classes))
        if head.classes is not None and unknown:
            named = "are named" if classes else "are, without head_classes,"
            raise InvalidArgument(
                f"labels that the head does not know: {shown(unknown)}; its {len(head.classes)} outputs {named} "
                f"{shown(list(head.classes))}: give head_classes, the labels in the order of its outputs",
                field="head_classes",
            )
        return head
