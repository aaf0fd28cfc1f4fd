"""Candidates from half-precision tiles in torch, on a CUDA device or, the same code, on the CPU.

**Two steps.** A tile of float16 products is reduced to the best groups of columns (group maxima first, then only the members of the groups
that can matter), so no matrix of scores is ever kept; what is left of all tiles is scored once more in float32. The values that are
proposed are therefore those of `scan_form.py`, with its bound; only the ceiling of what is not proposed comes from float16.

**The ceiling.** In the notation of `scan_form.py` an item's exact value is T = <q', y> - w h. Let q^ and y^ be q' and y rounded to float16
(after scaling by powers of two, elements that would be subnormal set to zero, so that no unit can treat them differently), and
v = <q^, y^> as computed. Then

    |<q', y> - v| <= |q' - q^| |y|           the query's residual, computed, not estimated
                   + |y - y^|                the item's residual, likewise; |q^| <= 1
                   + D 2^-22 |y^|            accumulation: float32, in any order, products and partial sums rounded or truncated to 24 bits
                                             aligned to the largest of a block, as tensor cores do (Fasi, Higham, Mikaitis, Pranesh 2021)
                   + 2^-11 |v| + 2^-20       the output rounded to float16

and the form's own e covers what rounding to float32 has changed. So with c the sum of e and the first three terms, the greatest residual of
the tile's queries in the first, T <= v + 2^-11 |v| + c - w h + 2^-20, and this upper bound is what items are chosen by. Where w h is zero
for all items (cosine, inner product) it grows with v, and c is nearly the same for all: the tile is then reduced as it was computed,
without a pass over it, and the largest c of the part is added afterwards.

float16 rather than bfloat16: tensor cores run both at one rate, and its residual is an eighth. Items too long for it (2^6 median lengths)
are proposed to every query.
"""

import importlib.util
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.control import Control
from consilience_server.core.errors import ExtraMissing, FailedPrecondition
from consilience_server.engine.scan import Proposals
from consilience_server.engine.scan_form import EXTRA_COLUMNS

if TYPE_CHECKING:
    import torch

_ITEM_SCALE, _QUERY_SCALE = 2.0**6, 2.0**3
_SCALE = _ITEM_SCALE * _QUERY_SCALE
_LONGEST = 2.0**6
_LEAST_NORMAL = 2.0**-14
_OUTPUT = 2.0**-11
_UNDERFLOW = 2.0**-20
_ACCUMULATION = 2.0**-22
_SLACK = 1.0 + 2.0**-16
"""Covers the float32 roundings of the few operations that put a bound together."""

_OUTSIDE = 2.0**100
_GROUP = 32
_DEVICE_PART, _CPU_PART = 1 << 13, 1 << 11
"""Items of one tile: with a few thousand queries its products stay in the second-level cache of a large GPU, or in little memory."""

_TILE_QUERIES = 1 << 12
_BYTES_PER_PRODUCT = 20
"""The float16 product and its bounds in float32, with what torch makes between them."""

_GATHERED = 1 << 24
_PROBE_WIDTHS = (32, 768)
"""Narrow, where roundings show most; and usual."""


class TorchScan:
    """Half-precision tiles, two-level selection, float32 values.

    Args:
        device: `cpu`, `cuda` or `cuda:<number>`, as torch names it.
        part: items of one tile, a multiple of 32; None chooses by device.

    Raises:
        ExtraMissing: if torch is not installed.
        FailedPrecondition: if the device's float16 products are less precise than the bound says.
    """

    def __init__(self, device: str = "cpu", *, part: int | None = None) -> None:
        if importlib.util.find_spec("torch") is None:
            raise ExtraMissing("engine = 'torch' needs torch: pip install 'consilience[torch]'", extra="torch")
        import torch

        self._torch = torch
        self._device = torch.device(device)
        self._part = part or (_CPU_PART if self._device.type == "cpu" else _DEVICE_PART)
        # Sums of float16 products must stay in float32; the switches belong to the process, which is the server's own.
        torch.backends.cuda.matmul.allow_fp16_reduced_precision_reduction = False
        torch.backends.cuda.matmul.allow_tf32 = False
        self._turn = threading.Lock()
        for width in _PROBE_WIDTHS:
            self._probe(width)

    @property
    def backend(self) -> str:
        """Name of the backend."""
        return "torch"

    @property
    def device(self) -> str:
        """`cpu`, or the CUDA device's name."""
        return "cpu" if self._device.type == "cpu" else str(self._torch.cuda.get_device_name(self._device))

    @property
    def scan_dtype(self) -> str:
        """What the tiles are computed in."""
        return "float16"

    @property
    def concurrent_tiles(self) -> int:
        """One: torch spreads a product over its own threads, or over the device."""
        return 1

    def held_bytes(self, n: int, d: int) -> int:
        """The float16 copy with its residuals; on a device it takes nothing of the CPU's memory."""
        return n * (2 * d + 8) if self._device.type == "cpu" else 0

    @property
    def tile_bytes(self) -> int:
        """A tile's products and bounds, and the columns gathered for float32; on a device nothing."""
        return self._part * _TILE_QUERIES * _BYTES_PER_PRODUCT + 8 * _GATHERED if self._device.type == "cpu" else 0

    def load(self, columns: NDArray[np.float32]) -> Any:
        """The columns on the device, their float16 copy and each item's residual."""
        torch = self._torch
        with self._turn, torch.inference_mode():
            return _Loaded.of(torch, torch.from_numpy(columns).to(self._device))

    def propose(self, loaded: Any, queries: NDArray[np.float32], count: int, threads: int, control: Control) -> Proposals:
        """As in `Scan`; exactly `count` rows, or all."""
        del threads
        gallery: _Loaded = loaded
        with self._turn, self._torch.inference_mode():
            columns = self._torch.from_numpy(queries).to(self._device)
            form = _HalfQueries.of(columns)
            values, rows, ceiling = self._proposed(gallery, columns, form, count, control)
            return Proposals(values.cpu().numpy(), rows.cpu().numpy(), ceiling.cpu().numpy(), gallery.margin(form.residual))

    def _proposed(
        self, gallery: "_Loaded", queries: "torch.Tensor", form: "_HalfQueries", count: int, control: Control
    ) -> "tuple[torch.Tensor, torch.Tensor, torch.Tensor]":
        """Values (m, c) float32, rows (m, c) int64 and ceiling (m,) float32."""
        torch, n = self._torch, len(gallery.half)
        # What float16 cannot tell apart must all be seen in float32.
        wanted = min(n, 2 * count + 16)
        best = torch.empty((len(queries), 0), dtype=torch.float32, device=self._device)
        rows = torch.empty((len(queries), 0), dtype=torch.int64, device=self._device)
        ceiling = torch.full((len(queries),), -torch.inf, device=self._device)
        for start in range(0, n, self._part):
            control.check()
            part = slice(start, min(start + self._part, n))
            upper, places = _best_of_part(torch, gallery, form, part, wanted)
            best, rows = torch.cat([best, upper], 1), torch.cat([rows, places + start], 1)
            if part.stop - start > upper.shape[1]:
                ceiling = torch.maximum(ceiling, upper.amin(1))
            if best.shape[1] > wanted:
                best, kept = best.topk(wanted, 1)
                rows = rows.gather(1, kept)
                ceiling = torch.maximum(ceiling, best[:, -1])
        values = _scanned(torch, gallery, queries, rows, control)
        if values.shape[1] > count:
            values, kept = values.topk(count, 1)
            rows = rows.gather(1, kept)
            ceiling = torch.maximum(ceiling, values[:, -1])
        return values, rows, ceiling

    def _probe(self, width: int) -> None:
        """Check the device's float16 products against the bound that every certificate rests on."""
        torch = self._torch
        random = np.random.default_rng(0)
        columns = random.standard_normal((1024, width + EXTRA_COLUMNS), dtype=np.float32)
        columns /= np.linalg.norm(columns, axis=1)[:, None]
        columns[:, width:] = 0.0
        gallery = _Loaded.of(torch, torch.from_numpy(columns).to(self._device))
        form = _HalfQueries.of(torch.from_numpy(columns[:128]).to(self._device))
        products = (form.half @ gallery.half.T).float().cpu().numpy().astype(np.float64) / _SCALE
        exact = form.half.cpu().numpy().astype(np.float64) @ gallery.half.cpu().numpy().astype(np.float64).T / _SCALE
        over = float((np.abs(products - exact) / (width * _ACCUMULATION + _OUTPUT * np.abs(exact) + _UNDERFLOW)).max())
        if over > 1.0:
            raise FailedPrecondition(
                f"{self.device} computes float16 products {over:.1f} times less precisely than float32 sums do, so nothing could be proven "
                "exact. Choose engine=faiss.",
                device=self.device,
            )


def torch_device_count() -> int:
    """CUDA devices that torch can use; 0 where it is not installed, or built without CUDA."""
    if importlib.util.find_spec("torch") is None:
        return 0
    import torch

    return int(torch.cuda.device_count())


@dataclass(frozen=True)
class _Loaded:
    """A gallery on the device.

    Attributes:
        columns: (n, D) float32, (y, h, e).
        half: (n, d) float16, y scaled; zero for items beyond its range.
        lengths: (n,) float32, |y| rounded up.
        residual: (n,) float32, e + |y - y^| + D 2^-22 |y^|, rounded up; 2^100 for items beyond range.
        flat: whether h is zero for all items.
        widest: the largest `residual` of items within range.
        longest: the largest of `lengths`.
    """

    columns: "torch.Tensor"
    half: "torch.Tensor"
    lengths: "torch.Tensor"
    residual: "torch.Tensor"
    flat: bool
    widest: float
    longest: float

    @staticmethod
    def of(torch: Any, columns: "torch.Tensor") -> "_Loaded":
        n, d = len(columns), columns.shape[1] - EXTRA_COLUMNS
        half = torch.empty((n, d), dtype=torch.float16, device=columns.device)
        lengths, residual = (torch.empty(n, dtype=torch.float32, device=columns.device) for _ in range(2))
        for start in range(0, n, _DEVICE_PART):
            part = slice(start, start + _DEVICE_PART)
            y, e = columns[part, :d], columns[part, d + 1]
            length = torch.linalg.vector_norm(y, dim=1) * _SLACK
            # Beyond the range of float16, or of float32 already.
            outside = (length > _LONGEST) | (e >= _OUTSIDE / 2)
            rounded = _to_half(torch.where(outside[:, None], 0.0, y), _ITEM_SCALE)
            half[part] = rounded
            lengths[part] = torch.where(outside, 0.0, length)
            left = torch.linalg.vector_norm(y - rounded.float() / _ITEM_SCALE, dim=1)
            held = (e + left + d * _ACCUMULATION * length) * _SLACK
            residual[part] = torch.where(outside, _OUTSIDE, held)
        widest = float(torch.where(residual < _OUTSIDE, residual, 0.0).max())
        return _Loaded(columns, half, lengths, residual, not bool(columns[:, d].any()), widest, float(lengths.max()))

    def margin(self, query_residual: float) -> float:
        """The most by which an upper bound of an item within range exceeds T, for queries of this residual."""
        return 2.0 * (self.widest + (query_residual + 3 * _OUTPUT) * self.longest + _UNDERFLOW)


@dataclass(frozen=True)
class _HalfQueries:
    """A tile of queries.

    Attributes:
        half: (m, d) float16, q' scaled.
        weights: (m, 1) float32, w.
        residual: the largest |q' - q^| of the tile, rounded up.
    """

    half: "torch.Tensor"
    weights: "torch.Tensor"
    residual: float

    @staticmethod
    def of(columns: "torch.Tensor") -> "_HalfQueries":
        d = columns.shape[1] - EXTRA_COLUMNS
        half = _to_half(columns[:, :d], _QUERY_SCALE)
        left = (columns[:, :d] - half.float() / _QUERY_SCALE).norm(dim=1)
        return _HalfQueries(half, -columns[:, d : d + 1], float(left.max()) * _SLACK)


def _to_half(values: "torch.Tensor", scale: float) -> "torch.Tensor":
    scaled = values * scale
    return scaled.masked_fill(scaled.abs() < _LEAST_NORMAL, 0.0).half()


def _best_of_part(torch: Any, gallery: _Loaded, queries: _HalfQueries, part: slice, wanted: int) -> "tuple[torch.Tensor, torch.Tensor]":
    """The `wanted` largest upper bounds of a part and where in it they stand; what is left out is not above the least of them."""
    products = queries.half @ gallery.half[part].T
    bound = (gallery.residual[part] + queries.residual * gallery.lengths[part]) * _SLACK + _UNDERFLOW
    # With an item beyond range its bound must not become that of all others.
    flat = gallery.flat and bool(bound.max() < _OUTSIDE / 2)
    if flat:
        found, places = _largest(torch, products, wanted)
        return _upper(found) + bound.max(), places
    upper = _upper(products) + bound
    if not gallery.flat:
        offsets = gallery.columns[part, -EXTRA_COLUMNS]
        # Three float32 roundings of terms no larger than these.
        upper = upper - queries.weights * offsets + (2.0**-21) * (offsets.abs() + upper.abs())
    return _largest(torch, upper, wanted)


def _upper(products: "torch.Tensor") -> "torch.Tensor":
    values = products.float() * (1.0 / _SCALE)
    return values + _OUTPUT * 1.01 * values.abs()


def _largest(torch: Any, scores: "torch.Tensor", wanted: int) -> "tuple[torch.Tensor, torch.Tensor]":
    """The `wanted` largest of each row, or all: (m, c) float32 and their columns; only groups whose maximum can matter are looked into."""
    m, n = scores.shape
    wanted = min(wanted, n)
    if n % _GROUP or n // _GROUP <= wanted:
        found, places = scores.topk(wanted, 1)
        return found, places
    grouped = scores.view(m, n // _GROUP, _GROUP)
    # The members of the best rows stand in as many groups at most, and those have the largest maxima.
    _, groups = grouped.amax(2).topk(wanted, 1)
    members = torch.take_along_dim(grouped, groups[:, :, None], 1).reshape(m, wanted * _GROUP)
    found, at = members.topk(wanted, 1)
    return found, groups.gather(1, at // _GROUP) * _GROUP + at % _GROUP


def _scanned(torch: Any, gallery: _Loaded, queries: "torch.Tensor", rows: "torch.Tensor", control: Control) -> "torch.Tensor":
    """(m, c) the float32 values of `scan_form.py` of chosen rows."""
    values = queries.new_empty(rows.shape)
    step = max(1, _GATHERED // (rows.shape[1] * queries.shape[1]))
    for start in range(0, len(rows), step):
        control.check()
        block = slice(start, start + step)
        values[block] = torch.bmm(gallery.columns[rows[block]], queries[block, :, None])[:, :, 0]
    return values
