"""`consilience align`: two spaces of a server, or two files without one."""

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from consilience import _arrays
from consilience._convert import to_ids
from consilience._kernels import open_triangle
from consilience._settings import DEFAULT_TIMEOUT
from consilience.commands.connected import (
    AddressOption,
    Answer,
    CaOption,
    LocalOption,
    TimeoutOption,
    TlsOption,
    open_client,
    shows_progress,
)
from consilience.commands.options import (
    AggregateOption,
    AlphaOption,
    BandwidthOption,
    ComponentsOption,
    ConfidenceOption,
    ContextOption,
    ControlOption,
    DeduplicateOption,
    FoldsByOption,
    FoldsOption,
    GivenOption,
    GroupByOption,
    IntervalOption,
    KernelOption,
    KOption,
    LayerSelectionOption,
    MetricOption,
    PenaltiesOption,
    PermutationsOption,
    PreprocessOption,
    QueriesOption,
    RdmComparisonOption,
    RdmDistanceOption,
    SampleItemsOption,
    SampleOption,
    SeedOption,
    StopOption,
    StrataOption,
    TargetScoreOption,
    WithinOption,
    pairwise_options,
    parse_controls,
    parse_ks,
    predictivity_options,
    sampling_options,
)
from consilience.errors import InvalidArgumentError
from consilience.ingest.columns import find_columns
from consilience.ingest.npy import load_npy
from consilience.ingest.npz import load_npz

_ENDINGS = (".npy", ".npz")


def align(
    x: Annotated[
        str,
        typer.Argument(
            help="A space (`clip`, `clip@7`), all layers of a group (`groups/llama`), or a .npy or .npz file: (n, d), (n, L, d), or one a "
            "layer with commas between."
        ),
    ],
    y: Annotated[str, typer.Argument(help="The other; two files need no server.")],
    *,
    k: KOption = "10",
    metric: MetricOption = "mutual_knn",
    similarity: Annotated[str, typer.Option(help="For files: cosine, inner_product or squared_l2.")] = "cosine",
    x_kernel: KernelOption = None,
    y_kernel: KernelOption = None,
    preprocess: PreprocessOption = "none",
    permutations: PermutationsOption = 999,
    seed: SeedOption = 0,
    alpha: AlphaOption = 0.05,
    interval: IntervalOption = None,
    confidence: ConfidenceOption = 0.95,
    components: ComponentsOption = 10,
    target_score: TargetScoreOption = "r2",
    aggregate: AggregateOption = "mean",
    folds: FoldsOption = 5,
    folds_by: FoldsByOption = "",
    penalties: PenaltiesOption = None,
    context: ContextOption = False,
    rdm_distance: RdmDistanceOption = "correlation",
    rdm_comparison: RdmComparisonOption = "spearman",
    bandwidth: BandwidthOption = "median",
    sample_items: SampleItemsOption = None,
    sample_queries: SampleOption = 0,
    query_ids: QueriesOption = None,
    strata: StrataOption = None,
    group_by: GroupByOption = None,
    deduplicate: DeduplicateOption = 0.0,
    within: WithinOption = "",
    stop_after: StopOption = 0,
    control: ControlOption = None,
    given: GivenOption = None,
    layer_selection: LayerSelectionOption = "split_half",
    address: AddressOption = None,
    local: LocalOption = None,
    tls: TlsOption = None,
    ca: CaOption = None,
    timeout: TimeoutOption = DEFAULT_TIMEOUT,
) -> Answer:
    """How far two spaces agree, with chance, interval and p-value.

    Rows of .npy files are paired by position; .npz files with ids are joined by id, rows and columns of a kernel too. Where a file holds
    the layers of a model, or several files are given for one side, every pair of layers is scored.
    """
    spec: dict[str, Any] = {
        "k": parse_ks(k),
        "metric": metric,
        "preprocess": preprocess,
        "permutations": permutations,
        "seed": seed,
        "alpha": alpha,
        "confidence": confidence,
        "components": components,
        "context": context,
        **predictivity_options(target_score, aggregate, folds, penalties),
        "layer_selection": layer_selection,
        "stop_after": stop_after,
        "deduplicate": deduplicate,
        "strata": strata,
        "group_by": group_by,
        **pairwise_options(rdm_distance, rdm_comparison, bandwidth, sample_items),
        **sampling_options(interval, sample_queries, query_ids),
    }
    files = [name.lower().endswith(_ENDINGS) for name in (x, y)]
    if all(files):
        spec |= files_beside([x, y], parse_controls(control), given)
        kernels = (x_kernel is not None, y_kernel is not None)
        left, right, dropped, labels = paired(x, y, within, kernels)
        fold_labels = paired(x, y, folds_by, kernels)[3] if folds_by else None
        spec |= {"x_kernel": x_kernel, "y_kernel": y_kernel, "within": labels, "folds_by": fold_labels}
        report = _arrays.align_arrays(left, right, similarity=similarity, **spec)
        note = f"\n{dropped[0]:,} items of {x} and {dropped[1]:,} of {y} have no partner" if any(dropped) else ""
        return Answer(report.text() + note, {**report.to_dict(), "dropped_x": dropped[0], "dropped_y": dropped[1]}, results=[report])
    if any(files):
        raise InvalidArgumentError("give two files, or two spaces", field="y")
    if x_kernel is not None or y_kernel is not None:
        raise InvalidArgumentError("--x-kernel and --y-kernel are for files; a space knows what it is", field="x_kernel")
    with open_client(address, local, tls, ca, timeout) as client:
        spec |= {"within": within, "folds_by": folds_by, "controls": parse_controls(control), "given": given}
        report = client.align(x, y, progress=shows_progress(), **spec)
    return Answer(report.text(), report.to_dict(), results=[report])


def files_beside(sides: list[str], controls: dict[str, str], given: str | None) -> dict[str, Any]:
    """The arrays of control and given files, as keywords; rows pair by position, so that all files must be .npy.

    Several files with commas between are the layers of a control.
    """
    named = [*controls, *([given] if given else [])]
    if named and not all(part.strip().lower().endswith(".npy") for name in [*sides, *named] for part in name.split(",")):
        raise InvalidArgumentError(
            f"beside files stand .npy files, whose rows pair by position, not {', '.join(named)}; or ingest all, and align the spaces",
            field="control" if controls else "given",
        )
    arrays = {}
    for name, side in controls.items():
        paths = [Path(part.strip()) for part in name.split(",")]
        layers = [load_npy(path) for path in paths]
        arrays[",".join(path.stem for path in paths)] = (layers[0] if len(layers) == 1 else layers, side)
    return {**({"controls": arrays} if arrays else {}), **({"given": load_npy(Path(given))} if given else {})}


def paired(x: str, y: str, within: str = "", kernels: tuple[bool, bool] = (False, False)) -> tuple[Any, Any, tuple[int, int], Any]:
    """The arrays of two files, row i of both the same item; how many rows of each have no partner; and the label of each row.

    Several files with commas between are a list of layers, whose rows are the same items.

    Labels are the array `within` of either .npz file; None where none is asked for. The columns of a kernel go along with its rows.
    """
    (x_ids, left, x_labels), (y_ids, right, y_labels) = _load(x, within), _load(y, within)
    if within and x_labels is None and y_labels is None:
        raise InvalidArgumentError(f"neither {x} nor {y} has an array {within!r}", reason="INVALID_ATTRIBUTE", field="within")
    if x_ids is None or y_ids is None:
        return left, right, (0, 0), y_labels if x_labels is None else x_labels
    places = {item: row for row, item in enumerate(y_ids)}
    if len(places) < len(y_ids) or len(set(x_ids)) < len(x_ids):
        raise InvalidArgumentError("an id stands twice in a file; give each item once", reason="DUPLICATE_ID", field="ids")
    # Row order is part of the definition: byte order of the ids, as in a space.
    common = sorted((item for item in x_ids if item in places), key=lambda item: item.encode())
    if not common:
        raise InvalidArgumentError(f"{x} and {y} share no id", reason="NO_COMMON_ITEMS", field="ids")
    rows = {item: row for row, item in enumerate(x_ids)}
    of_x, of_y = [rows[item] for item in common], [places[item] for item in common]
    labels = None if not within else x_labels[of_x] if x_labels is not None else y_labels[of_y]
    chosen = _part(left, of_x, is_kernel=kernels[0]), _part(right, of_y, is_kernel=kernels[1])
    return *chosen, (len(x_ids) - len(common), len(y_ids) - len(common)), labels


def _part(side: Any, rows: list[int], *, is_kernel: bool) -> Any:
    """Some rows, of every layer where there are several, of a kernel with their columns; a condensed triangle is opened first."""
    if isinstance(side, list):
        return [layer[rows] for layer in side]
    if not is_kernel:
        return side[rows]
    return open_triangle(side)[np.ix_(rows, rows)]


def _load(names: str, within: str) -> tuple[list[str] | None, Any, Any]:
    """The ids of one side, its vectors or the list of its layers, and its array `within`."""
    if "," not in names:
        return _load_file(Path(names), within)
    loaded = [_load_file(Path(name.strip()), within) for name in names.split(",")]
    ids, _, labels = loaded[0]
    if any(other != ids for other, _, _ in loaded):
        raise InvalidArgumentError(
            f"the layers {names} have other ids, or another order of them; give every layer the same rows", field="ids"
        )
    return ids, [layer for _, layer, _ in loaded], labels


def _load_file(path: Path, within: str) -> tuple[list[str] | None, Any, Any]:
    """The ids of a file, its vectors, and its array `within`."""
    if path.suffix.lower() == ".npy":
        return None, load_npy(path), None
    arrays = load_npz(path)
    has_ids = any(name in arrays for name in ("id", "ids", "item_id", "item_ids"))
    ids, vectors, _ = find_columns(list(arrays), "id", "vector", None, ids_given=not has_ids)
    labels = np.asarray(arrays[within]) if within in arrays else None
    return (to_ids(arrays[ids], ids) if ids else None), np.asarray(arrays[vectors]), labels
