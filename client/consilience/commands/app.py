"""The command line: which command is where."""

import typer

from consilience._version import __version__
from consilience.commands import (
    align,
    bridge,
    bridge_algebra,
    bridge_estimate,
    bridge_export,
    ceiling,
    classify,
    compare,
    consensus,
    curve,
    doctor,
    estimate,
    gate,
    ingest,
    items,
    match,
    matrix,
    pairs,
    pmi,
    report,
    serve,
    spaces,
    translate,
    trend,
    watch,
)
from consilience.commands.connected import command, connected
from consilience.commands.exit_codes import HELP

app = typer.Typer(
    name="consilience",
    help="Measure how far embedding spaces agree, bridge them, and match items across them.",
    epilog=HELP,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
spaces_app = typer.Typer(help="List, make, show and delete spaces.", no_args_is_help=True, epilog=HELP)
bridge_app = typer.Typer(help="Foresee, fit, measure, list, show, compose, invert, export, delete.", no_args_is_help=True, epilog=HELP)
app.add_typer(spaces_app, name="spaces")
app.add_typer(bridge_app, name="bridge")
watch_app = typer.Typer(help="Watch whether the alignment of two spaces drops.", no_args_is_help=True, epilog=HELP)
app.add_typer(watch_app, name="watch")

_ANY_ARGUMENTS = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
app.command("serve", epilog=HELP, context_settings=_ANY_ARGUMENTS, add_help_option=False)(serve.serve)
app.command("ingest", epilog=HELP)(connected(ingest.ingest))
app.command("align", epilog=HELP)(command(align.align, drawn=True, cited=True))
app.command("matrix", epilog=HELP)(connected(matrix.matrix, drawn=True, cited=True))
app.command("compare", epilog=HELP)(connected(compare.compare, drawn=True, cited=True))
app.command("trend", epilog=HELP)(connected(trend.trend, drawn=True, cited=True))
app.command("consensus", epilog=HELP)(connected(consensus.consensus, drawn=True, cited=True))
app.command("pmi", epilog=HELP)(connected(pmi.pmi))
app.command("report", epilog=HELP)(connected(report.report))
app.command("curve", epilog=HELP)(connected(curve.curve, drawn=True, cited=True))
app.command("estimate", epilog=HELP)(connected(estimate.estimate))
app.command("items", epilog=HELP)(connected(items.items, cited=True))
app.command("changes", epilog=HELP)(connected(items.changes, cited=True))
app.command("ceiling", epilog=HELP)(connected(ceiling.ceiling, cited=True))
app.command("match", epilog=HELP)(connected(match.match))
app.command("translate", epilog=HELP)(connected(translate.translate))
app.command("pairs", epilog=HELP)(connected(pairs.pairs))
app.command("classify", epilog=HELP)(connected(classify.classify))
app.command("gate", epilog=HELP)(connected(gate.gate))
app.command("doctor", epilog=HELP)(command(doctor.doctor))
spaces_app.command("list", epilog=HELP)(connected(spaces.list_spaces))
spaces_app.command("create", epilog=HELP)(connected(spaces.create))
spaces_app.command("get", epilog=HELP)(connected(spaces.get))
spaces_app.command("describe", epilog=HELP)(connected(spaces.describe))
spaces_app.command("export", epilog=HELP)(connected(spaces.export))
spaces_app.command("delete", epilog=HELP)(connected(spaces.delete))
bridge_app.command("fit", epilog=HELP)(connected(bridge.fit))
bridge_app.command("estimate", epilog=HELP)(connected(bridge_estimate.estimate))
bridge_app.command("list", epilog=HELP)(connected(bridge.list_bridges))
bridge_app.command("evaluate", epilog=HELP)(connected(bridge.evaluate))
bridge_app.command("get", epilog=HELP)(connected(bridge.get))
bridge_app.command("compose", epilog=HELP)(connected(bridge_algebra.compose))
bridge_app.command("invert", epilog=HELP)(connected(bridge_algebra.invert))
bridge_app.command("export", epilog=HELP)(connected(bridge_export.export))
bridge_app.command("download", epilog=HELP)(connected(bridge_export.download))
bridge_app.command("delete", epilog=HELP)(connected(bridge.delete))
watch_app.command("create", epilog=HELP)(connected(watch.create, cited=True))
watch_app.command("list", epilog=HELP)(connected(watch.list_watches))
watch_app.command("show", epilog=HELP)(connected(watch.show, cited=True))
watch_app.command("run", epilog=HELP)(connected(watch.run, cited=True))
watch_app.command("rebaseline", epilog=HELP)(connected(watch.rebaseline, cited=True))
watch_app.command("history", epilog=HELP)(connected(watch.history, drawn=True))
watch_app.command("delete", epilog=HELP)(connected(watch.delete))


def _version(*, value: bool) -> None:
    if value:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def root(
    *, version: bool = typer.Option(False, "--version", is_eager=True, callback=lambda value: _version(value=value), help="Print it.")
) -> None:
    """Measure how far embedding spaces agree, bridge them, and match items across them."""
    del version


def run(arguments: list[str]) -> int:
    """Run a command; returns the exit code."""
    try:
        app(arguments)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 0
    return 0
