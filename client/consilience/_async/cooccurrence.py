"""Calls that make spaces of what occurs together."""

from collections.abc import Sequence
from typing import Any, Literal, cast, overload

from consilience import _names
from consilience._async.operations import AsyncOperationCalls
from consilience._codec.operations import decode_operation
from consilience._codec.pmi import decode_pmi, pmi_requests, to_cells, to_ids
from consilience._methods import CREATE_PMI_SPACE
from consilience._numbers import real, seconds, whole
from consilience._progress import Progress
from consilience._results.operation import Operation
from consilience._results.pmi_report import PmiReport
from consilience.v1 import pmi_pb2

_SLOWEST_CELLS_PER_SECOND = 1e5


class AsyncPmiCalls(AsyncOperationCalls):
    """Spaces of pointwise mutual information."""

    @overload
    async def pmi_space(
        self,
        name: str,
        ids: Sequence[str] | None,
        counts: Any,
        *,
        form: str = "embedding",
        rank: int = 200,
        positive: bool = True,
        context_smoothing: float = 1.0,
        shift: float = 0.0,
        smoothing: float = 0.0,
        similarity: str = "cosine",
        modality: str | None = None,
        model: str | None = None,
        wait: Literal[True] = True,
        progress: Progress = False,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> PmiReport: ...

    @overload
    async def pmi_space(
        self,
        name: str,
        ids: Sequence[str] | None,
        counts: Any,
        *,
        form: str = "embedding",
        rank: int = 200,
        positive: bool = True,
        context_smoothing: float = 1.0,
        shift: float = 0.0,
        smoothing: float = 0.0,
        similarity: str = "cosine",
        modality: str | None = None,
        model: str | None = None,
        wait: Literal[False],
        progress: Progress = False,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> Operation: ...

    async def pmi_space(
        self,
        name: str,
        ids: Sequence[str] | None,
        counts: Any,
        *,
        form: str = "embedding",
        rank: int = 200,
        positive: bool = True,
        context_smoothing: float = 1.0,
        shift: float = 0.0,
        smoothing: float = 0.0,
        similarity: str = "cosine",
        modality: str | None = None,
        model: str | None = None,
        wait: bool = True,
        progress: Progress = False,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> PmiReport | Operation:
        """A space of the pointwise mutual information of what occurs together: words in text, colours in images, items in sessions.

        PMI_ij = log(p(i, j) / (p(i) p(j))) is the kernel that contrastive learners converge to (Huh et al. 2024, section 4).

        Args:
            name: of the new space.
            ids: one a row of the counts; None takes those of a `Cooccurrence`.
            counts: a `Cooccurrence` (`consilience.cooccurrence` counts), a SciPy sparse matrix, a tuple (rows, columns, counts) of parallel
                arrays, or a dense (n, m) matrix. Cells that stand twice are added up.
            form: `embedding` (a space of vectors: singular vectors times the root of their values) or `kernel` (a kernel space: the
                dissimilarity max - PMI; counts must be symmetric).
            rank: axes of the embedding.
            positive: values below 0, and pairs that never occur, are 0 (PPMI).
            context_smoothing: exponent in (0, 1] on the contexts' frequencies; .75 takes weight from rare contexts.
            shift: subtracted from each value, before it is cut at 0; log k is the shift of k negative samples.
            smoothing: added to each count, those of pairs that never occur included.
            similarity: how vectors of the embedding are compared: `cosine`, `inner_product` or `squared_l2`.
            modality: of the new space.
            model: of the new space.
            wait: as in `align`.
            progress: as in `align`.
            request_id: as in `align`; with the same id again a space that was made is found.
            timeout: seconds for everything; None is the client's and what the counts take on a small machine.

        Raises:
            InvalidArgumentError: counts that do not fit, are not finite or below 0; an option outside its range; pairs that never occur,
                neither smoothed nor cut at 0.
            AlreadyExistsError: a space has this name.
        """
        items = to_ids(ids, counts)
        cells = to_cells(counts, len(items))
        header = pmi_pb2.PmiHeader(
            space_id=_names.new_name(name, "name"),
            ids=items,
            contexts=cells.contexts,
            form=_names.PMI_FORMS.to_number(form),
            rank=whole(rank, "rank", least=1),
            keep_negative=not positive,
            context_smoothing=real(context_smoothing, "context_smoothing", above=0.0),
            shift=real(shift, "shift"),
            smoothing=real(smoothing, "smoothing"),
            similarity=_names.SIMILARITIES.to_number(similarity),
            modality=_names.text(modality or "", "modality"),
            model=_names.text(model or "", "model"),
            cells=len(cells.counts),
            mode=_names.execution_mode(wait=wait),
            request_id=_names.request_id(request_id),
        )
        usual = self._settings.timeout + len(cells.counts) / _SLOWEST_CELLS_PER_SECOND
        most = usual if timeout is None else seconds(timeout)
        encoded, details = await self._upload(CREATE_PMI_SPACE, lambda: pmi_requests(header, cells), most)
        if not encoded.HasField("operation"):
            return decode_pmi(encoded.report, details)
        if not wait:
            return decode_operation(encoded.operation, details)
        return cast("PmiReport", await self._outcome(encoded.operation, details.left(timeout), progress, owned=request_id is None))
