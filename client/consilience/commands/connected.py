"""What all commands share: the options of the connection, output as text or JSON, errors as exit codes."""

import functools
import inspect
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from consilience import errors
from consilience._results.base import Result, plain
from consilience._settings import DEFAULT_TIMEOUT
from consilience._sync.client import Client
from consilience.commands.exit_codes import INTERRUPTED, exit_code

CiteOption = Annotated[bool, typer.Option("--cite", help="Add sentences for a methods section: every parameter, with sources.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]
AddressOption = Annotated[str | None, typer.Option("--address", envvar="CONSILIENCE_ADDRESS", help="host:port or unix:/path.")]
LocalOption = Annotated[Path | None, typer.Option("--local", help="Open this folder in this process instead of asking a server.")]
TlsOption = Annotated[bool | None, typer.Option("--tls/--plaintext", help="Encrypt the connection; plaintext where neither is given.")]
CaOption = Annotated[Path | None, typer.Option("--ca", help="PEM file of root certificates to trust; implies --tls.")]
TimeoutOption = Annotated[float, typer.Option("--timeout", help="Seconds a call may take.")]


@dataclass(frozen=True)
class Answer:
    """What a command prints: `text` for people, `data` with --json; `code` is the exit code; --plot, --html and --cite tell `results`."""

    text: str
    data: Any
    code: int = 0
    results: Sequence[Result] = ()


def answer(result: Any) -> Answer:
    """A result, or a list of them, by its repr and its dictionary."""
    items: Iterable[Any] = result if isinstance(result, list) else [result]
    return Answer("\n".join(repr(item) for item in items), plain(result), results=[item for item in items if isinstance(item, Result)])


def command(function: Callable[..., Answer], *, drawn: bool = False, cited: bool = False) -> Callable[..., None]:
    """A command without a server: adds --json, prints the answer, turns errors into exit codes.

    `drawn` adds --plot and --html, `cited` adds --cite.
    """

    @functools.wraps(function)
    def run(*, as_json: bool, plot: Path | None = None, page: Path | None = None, cite: bool = False, **arguments: Any) -> None:
        _finish(lambda: function(**arguments), as_json=as_json, plot=plot, page=page, cite=cite)

    return _with_options(run, function, {**_telling(drawn=drawn, cited=cited), "as_json": (JsonOption, False)}, hidden=set())


def connected(function: Callable[..., Answer], *, drawn: bool = False, cited: bool = False) -> Callable[..., None]:
    """A command of a client, its first parameter: adds the options of the connection as well."""

    @functools.wraps(function)
    def run(
        *,
        address: str | None,
        local: Path | None,
        tls: bool | None,
        ca: Path | None,
        timeout: float,
        as_json: bool,
        plot: Path | None = None,
        page: Path | None = None,
        cite: bool = False,
        **arguments: Any,
    ) -> None:
        def work() -> Answer:
            with open_client(address, local, tls, ca, timeout) as client:
                return function(client, **arguments)

        _finish(work, as_json=as_json, plot=plot, page=page, cite=cite)

    options = {**CONNECTION, **_telling(drawn=drawn, cited=cited), "as_json": (JsonOption, False)}
    return _with_options(run, function, options, hidden={"client"})


DRAWING: dict[str, tuple[Any, Any]] = {
    "plot": (Annotated[Path | None, typer.Option("--plot", help="Draw the answer: .png, .svg or .pdf. Needs consilience[report].")], None),
    "page": (Annotated[Path | None, typer.Option("--html", help="Write it as one page of HTML. Needs consilience[report].")], None),
}

CITING: dict[str, tuple[Any, Any]] = {"cite": (CiteOption, False)}

CONNECTION: dict[str, tuple[Any, Any]] = {
    "address": (AddressOption, None),
    "local": (LocalOption, None),
    "tls": (TlsOption, None),
    "ca": (CaOption, None),
    "timeout": (TimeoutOption, DEFAULT_TIMEOUT),
}


def _telling(*, drawn: bool, cited: bool) -> dict[str, tuple[Any, Any]]:
    """The options of how an answer is told."""
    return {**(DRAWING if drawn else {}), **(CITING if cited else {})}


def open_client(address: str | None, local: Path | None, tls: bool | None, ca: Path | None, timeout: float) -> Client:  # noqa: FBT001 - options, passed through
    """A client as the options say."""
    if local is not None:
        return Client.local(local, timeout=timeout)
    return Client(address, tls=ca if ca is not None else tls, timeout=timeout)


def shows_progress() -> bool:
    """Whether somebody watches: bars go to the terminal's stderr."""
    return sys.stderr.isatty()


def read_lines(path: Path, field: str) -> list[str]:
    """The lines of a text file; InvalidArgumentError where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise errors.InvalidArgumentError(f"{path} cannot be read: {error}", field=field) from error


def _finish(work: Callable[[], Answer], *, as_json: bool, plot: Path | None = None, page: Path | None = None, cite: bool = False) -> None:
    with _errors_told(as_json=as_json):
        told = _cited(work()) if cite else work()
    if as_json:
        typer.echo(json.dumps(told.data, ensure_ascii=False))
    elif told.text:
        typer.echo(told.text)
    # The answer may have taken an hour: a picture that cannot be written does not lose it.
    with _errors_told(as_json=as_json):
        if plot is not None:
            _draw(told, plot)
        if page is not None:
            from consilience._report_page import write_report

            write_report(page, told.results)
    raise typer.Exit(told.code)


@contextmanager
def _errors_told(*, as_json: bool) -> Iterator[None]:
    """Errors to stderr, as exit codes."""
    try:
        yield
    except errors.ConsilienceError as error:
        if as_json:
            shown = {"error": type(error).__name__, "message": error.message, "reason": error.reason, "field": error.field}
            typer.echo(json.dumps({**shown, "metadata": error.metadata, "request_id": error.request_id}), err=True)
        else:
            typer.echo(f"consilience: {error}", err=True)
        raise typer.Exit(exit_code(error)) from None
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None


def _cited(told: Answer) -> Answer:
    """The answer with the sentences to cite its results by; InvalidArgumentError where it has none."""
    citations = [result.cite() for result in told.results if hasattr(result, "cite")]
    if not citations:
        raise errors.InvalidArgumentError("there is nothing to cite of this answer", field="cite")
    citation = "\n\n".join(citations)
    return replace(told, text=f"{told.text}\n\n{citation}", data={**told.data, "citation": citation})


def _draw(told: Answer, path: Path) -> None:
    """The first result that can be drawn."""
    drawable = next((result for result in told.results if result.figures()), None)
    if drawable is None:
        raise errors.InvalidArgumentError("there is nothing to draw of this answer", field="plot")
    drawable.plot(path)


def _with_options(
    run: Callable[..., None], function: Callable[..., Answer], options: dict[str, tuple[Any, Any]], hidden: set[str]
) -> Callable[..., None]:
    """Give `run` the parameters of `function` and the options, where typer looks for them."""
    signature = inspect.signature(function)
    own = [parameter for name, parameter in signature.parameters.items() if name not in hidden]
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, (kind, default) in options.items()
    ]
    run.__signature__ = signature.replace(parameters=[*own, *added], return_annotation=None)  # type: ignore[attr-defined]  # read by inspect
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in (*own, *added)}
    return run
