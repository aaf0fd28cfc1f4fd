"""What a bridge was found to be worth on new pairs."""

from dataclasses import dataclass

from consilience._results.base import Result, counted, number
from consilience._results.bridge import RetrievalReport
from consilience._results.measured import Measured
from consilience._results.space import SpaceUse


@dataclass(frozen=True)
class StitchingPenalty:
    """What a classifier of the target space, by default a linear probe, loses when the bridge feeds it.

    Attributes:
        native: its accuracy with the items' own target vectors.
        bridged: with their mapped source vectors.
        mean_only: with the mean target vector for every item: what a bridge reaches that knows nothing.
        penalty: native - bridged, paired; smaller is better.
        classes: number of classes.
        items: classified, each by a probe that saw neither its vector nor its label.
        own_head: by the caller's own classifier instead; whether that was trained on these items is not known.
    """

    native: Measured
    bridged: Measured
    mean_only: Measured
    penalty: Measured
    classes: int
    items: int
    own_head: bool = False


@dataclass(frozen=True, eq=False, repr=False)
class BridgeEvaluation(Result):
    """A bridge on pairs that it was not fitted on, in its spaces as they are now.

    Attributes:
        report: retrieval of the partners among all items of the target space.
        baselines: the same by identity and by mean shift.
        source, target: the versions read.
        fitted_pairs: pairs left out because the bridge was fitted on them; joined by an attribute, source items of values that
            it was fitted on.
        stitching: where labels were given.
        notes: what weakens the answer, in plain sentences.
    """

    report: RetrievalReport
    baselines: tuple[RetrievalReport, ...]
    source: SpaceUse
    target: SpaceUse
    fitted_pairs: int
    stitching: StitchingPenalty | None
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        told = [f"{self.source} to {self.target} by {_told(self.report)}"]
        told += [_told(report) for report in self.baselines]
        if self.stitching is not None:
            found = self.stitching
            told.append(
                f"{'head' if found.own_head else 'probe'} of {found.classes} classes: native {found.native}, bridged {found.bridged}, "
                f"mean only {found.mean_only}, penalty {found.penalty}"
            )
        return " · ".join([*told, *self.notes])


def _told(report: RetrievalReport) -> str:
    recalls = ", ".join(f"recall@{k} {number(recall.recall)}" for k, recall in report.recalls.items())
    values = f" of {counted(report.values, 'value', 'values')}" if report.values else ""
    return f"{report.method}: {recalls} ({counted(report.queries, 'query', 'queries')}{values} in {report.gallery:,})"
