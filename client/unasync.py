"""Writes the synchronous client from the asynchronous one, token by token; with --check tells what differs and exits 1.

Source: `consilience/_async/*.py`; target: `consilience/_sync/`. `async` and `await` go, names lose their `Async`, the dunder
methods of asynchronous protocols become those of synchronous ones. `transport.py`, `concurrency.py` and `match_batches.py`, where the two
worlds truly differ, are written by hand on both sides.
"""

import io
import re
import sys
import tokenize
from pathlib import Path

ROOT = Path(__file__).resolve().parent / "consilience"
BY_HAND = {"__init__.py", "transport.py", "concurrency.py", "match_batches.py"}
HEADER = "# Generated from _async/{name} by client/unasync.py; edit that file.\n"
NAMES = {
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "__aiter__": "__iter__",
    "__anext__": "__next__",
    "_async": "_sync",
    "aclosing": "closing",
}
_ASYNC_NAME = re.compile(r"\bAsync(?=[A-Z])")
_WORDS = re.compile(r"\b(?:async|await) ")


def synchronous(source: str) -> str:
    """The synchronous twin of a module's source."""
    kept: list[str] = []
    line, column = 1, 0
    lines = source.splitlines(keepends=True)
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    skip_space = False
    for token in tokens:
        start, end = token.start, token.end
        between = _between(lines, (line, column), start)
        kept.append("" if skip_space else between)
        skip_space = token.type == tokenize.NAME and token.string in {"async", "await"}
        if not skip_space:
            kept.append(_renamed(token))
        line, column = end
    return "".join(kept)


def _renamed(token: tokenize.TokenInfo) -> str:
    if token.type == tokenize.NAME:
        return _ASYNC_NAME.sub("", NAMES.get(token.string, token.string))
    if token.type in {tokenize.STRING, tokenize.COMMENT}:
        text = _WORDS.sub("", _ASYNC_NAME.sub("", token.string))
        return text.replace("asynchronous", "synchronous").replace("_async/", "_sync/")
    return token.string


def _between(lines: list[str], start: tuple[int, int], end: tuple[int, int]) -> str:
    if start[0] == end[0]:
        return lines[start[0] - 1][start[1] : end[1]] if start[0] <= len(lines) else ""
    first = lines[start[0] - 1][start[1] :] if start[0] <= len(lines) else ""
    middle = "".join(lines[start[0] : end[0] - 1])
    last = lines[end[0] - 1][: end[1]] if end[0] <= len(lines) else ""
    return first + middle + last


def generated() -> dict[Path, str]:
    """Every file of `_sync/` that is generated, with its text."""
    sources = sorted(path for path in (ROOT / "_async").glob("*.py") if path.name not in BY_HAND)
    return {ROOT / "_sync" / path.name: HEADER.format(name=path.name) + synchronous(path.read_text()) for path in sources}


def differing() -> list[Path]:
    """Files of `_sync/` that are not what their source gives, that have no source, or that are missing."""
    wanted = generated()
    changed = [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    known = {*wanted, *(ROOT / "_sync" / name for name in BY_HAND)}
    return [*changed, *sorted(path for path in (ROOT / "_sync").glob("*.py") if path not in known)]


def main(arguments: list[str]) -> int:
    """Write, or check."""
    if arguments == ["--check"]:
        changed = differing()
        if changed:
            sys.stderr.write(f"run `python client/unasync.py`; these differ: {', '.join(path.name for path in changed)}\n")
        return 1 if changed else 0
    for path, text in generated().items():
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
