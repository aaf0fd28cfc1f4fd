"""What all figures share: an empty sheet, its colours, and how it is written. No state of matplotlib's is touched."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from consilience.errors import InvalidArgumentError, MissingExtraError

INK = "#1f2430"
FAINT = "#7d8494"
RULE = "#dfe2e8"
BLUE = "#2b6cb0"
RED = "#c0392b"
COLOURS = ("#2b6cb0", "#d97706", "#15803d", "#7c3aed", "#be185d", "#0e7490", "#92400e", "#4b5563")
"""Told apart by readers with any colour vision, in print too; further families begin again with another marker."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
SEQUENTIAL = "YlGnBu"

_SIDES = (
    *((7, up, "left") for up in (0, 7, -7)),
    *((-7, up, "right") for up in (0, 7, -7)),
    (0, 11, "center"),
    (0, -11, "center"),
    *((9, up, "left") for up in (14, -14, 22, -22)),
)
"""Where a name may stand: points to the right of its point and above it, and how it is aligned."""

_SUFFIXES = (".png", ".svg", ".pdf")


def sheet(width: float, height: float, rows: int = 1, columns: int = 1, **grid: Any) -> tuple[Any, Any]:
    """An empty figure of that size in inches and its axes: one, or an array of rows and columns.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("figures need matplotlib: pip install 'consilience[report]'", reason="EXTRA_MISSING") from error
    figure = Figure(figsize=(width, height), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, **grid)


def quiet(axes: Any, *, title: str = "", x: str = "", y: str = "") -> None:
    """Only what carries meaning: two spines, small ticks, faint labels."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(RULE)
    axes.tick_params(colors=FAINT, labelsize=8, length=3, width=0.6)
    if title:
        axes.set_title(title, fontsize=10, color=INK, loc="left")
    axes.set_xlabel(x, fontsize=9, color=INK)
    axes.set_ylabel(y, fontsize=9, color=INK)


def headline(figure: Any, text: str) -> None:
    """The figure's title, at its upper left."""
    figure.suptitle(text, x=0.01, ha="left", fontsize=11, color=INK, weight="bold")


def legend(axes: Any, **options: Any) -> None:
    """Without a frame, in small letters."""
    axes.legend(frameon=False, fontsize=8, labelcolor=INK, **options)


def style_of(number: int) -> tuple[str, str]:
    """Colour and marker of family `number`."""
    return COLOURS[number % len(COLOURS)], MARKERS[(number // len(COLOURS)) % len(MARKERS)]


def shortened(names: Sequence[str], most: int = 24) -> list[str]:
    """Names that fit beside axes: without `spaces/`, the middle of long ones left out."""
    bare = [name.removeprefix("spaces/") for name in names]
    return [name if len(name) <= most else f"{name[: most // 2 - 1]}…{name[-(most // 2) :]}" for name in bare]


def annotate_apart(figure: Any, axes: Any, places: Sequence[tuple[float, float]], names: Sequence[str], size: float) -> None:
    """Names beside their points, on the side where they cover no other name or point; where all are taken, to the right all the same."""
    figure.canvas.draw()
    scale = figure.dpi / 72
    centres = [axes.transData.transform(place) for place in places]
    taken = [(x - 4 * scale, y - 4 * scale, x + 4 * scale, y + 4 * scale) for x, y in centres]
    for name, place, (x, y) in zip(names, places, centres, strict=True):
        width, height = 0.62 * size * len(name) * scale, 1.2 * size * scale
        free = None
        for across, up, sideways in _SIDES:
            left = x + across * scale - {"left": 0, "center": width / 2, "right": width}[sideways]
            box = (left, y + up * scale - height / 2, left + width, y + up * scale + height / 2)
            inside = axes.bbox.x0 <= box[0] and axes.bbox.y0 <= box[1] and box[3] <= axes.bbox.y1
            if inside and not any(box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3] for b in taken):
                free = (across, up, sideways, box)
                break
        across, up, sideways, box = free or (7, 0, "left", (x, y, x, y))
        taken.append(box)
        style = {"ha": sideways, "va": "center", "fontsize": size, "color": FAINT, "annotation_clip": False}
        # A line behind a name would strike it through.
        paper = {"boxstyle": "square,pad=0.05", "facecolor": "white", "edgecolor": "none", "alpha": 0.85}
        axes.annotate(name, place, textcoords="offset points", xytext=(across, up), bbox=paper, **style)


def write(figure: Any, path: str | Path) -> None:
    """Write a figure as PNG, SVG or PDF, by the ending; the same figure gives the same bytes.

    Raises:
        InvalidArgumentError: another ending, or a path that cannot be written.
    """
    target = Path(path)
    if target.suffix.lower() not in _SUFFIXES:
        raise InvalidArgumentError(f"{target.name!r} must end in {', '.join(_SUFFIXES)}", field="path")
    try:
        target.write_bytes(drawn(figure, target.suffix.lower().removeprefix(".")))
    except OSError as error:
        raise InvalidArgumentError(f"{target} cannot be written: {error.strerror}", field="path") from error


def drawn(figure: Any, kind: str) -> bytes:
    """The figure's bytes as `png`, `svg` or `pdf`; text in an SVG stays text, and no date enters."""
    import io

    from matplotlib import rc_context

    held = io.BytesIO()
    metadata = {"svg": dict.fromkeys(("Date", "Creator", "Format", "Type")), "pdf": {"CreationDate": None}}.get(kind)
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "consilience", "font.family": "sans-serif"}):
        figure.savefig(held, format=kind, metadata=metadata)
    return held.getvalue()
