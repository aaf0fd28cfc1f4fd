"""One page of HTML for the results of a run: figures, numbers, cautions, and how to repeat them. It opens without a network."""

import html
import json
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from consilience._figures.canvas import drawn
from consilience._results.base import Result
from consilience._version import __version__
from consilience.errors import InvalidArgumentError


def write_report(path: str | Path, results: Result | Sequence[Result], *, title: str = "Alignment") -> None:
    """Write one self-contained HTML page of results: style and figures are inside it, no script and no address.

    Args:
        path: of the page, ending in .html.
        results: one or several, in the order shown: reports, matrices, trends, whatever has figures or numbers.
        title: of the page.

    Raises:
        InvalidArgumentError: no results, or a path that is no page's or cannot be written.
        MissingExtraError: matplotlib is not installed (`consilience[report]`).
    """
    shown = [results] if isinstance(results, Result) else list(results)
    if not shown:
        raise InvalidArgumentError("a report needs at least one result", field="results")
    target = Path(path)
    if target.suffix.lower() not in {".html", ".htm"}:
        raise InvalidArgumentError(f"{target.name!r} must end in .html", field="path")
    page = render(shown, title)
    try:
        target.write_text(page, encoding="utf-8")
    except OSError as error:
        raise InvalidArgumentError(f"{target} cannot be written: {error.strerror}", field="path") from error


def render(results: Sequence[Result], title: str) -> str:
    """The page's text; the same results give the same page."""
    style = resources.files("consilience").joinpath("report.css").read_text(encoding="utf-8")
    sections = "\n".join(_section(result, number) for number, result in enumerate(results, 1))
    heading = html.escape(title)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{heading}</title>
<style>
{style}</style>
</head>
<body>
<main>
<h1>{heading}</h1>
{sections}
<footer>Consilience {html.escape(__version__)}</footer>
</main>
</body>
</html>
"""


def _section(result: Result, number: int) -> str:
    headline, *rest = result.text().split("\n")
    cautions = [line.partition(": ")[2] for line in rest if line.startswith(("caution: ", "note: "))]
    table = [line for line in rest if not line.startswith(("caution: ", "note: "))]
    parts = [f'<section id="result-{number}">']
    if subject := result.subject():
        parts.append(f'<p class="subject">{html.escape(subject)}</p>')
    parts.append(f"<h2>{html.escape(headline)}</h2>")
    parts.extend(f'<p class="caution">{html.escape(caution)}</p>' for caution in cautions)
    for name, draw in result.figures().items():
        parts.append(f'<figure class="{html.escape(name)}">{_svg(draw(), f"{number}-{name}")}</figure>')
    if table:
        parts.append(f"<pre>{html.escape(chr(10).join(table))}</pre>")
    cite = getattr(result, "cite", None)
    if callable(cite):
        parts.append(f'<h3>Methods</h3><p class="methods">{html.escape(cite())}</p>')
    numbers = json.dumps(result.to_dict(), ensure_ascii=False, indent=1)
    parts.append(f"<details><summary>All numbers, as JSON</summary><pre>{html.escape(numbers)}</pre></details>")
    return "\n".join([*parts, "</section>"])


def _svg(figure: Any, name: str) -> str:
    """The figure's element alone, its ids told apart from those of the page's other figures."""
    text = drawn(figure, "svg").decode()
    svg = text[text.index("<svg") :].rstrip()
    for reference in ('id="', "url(#", 'href="#'):
        svg = svg.replace(reference, f"{reference}f{name}-")
    return svg
