"""`consilience serve`: the server, in this process."""

import importlib

import typer


def serve(context: typer.Context) -> None:
    """Run the server; every option is the server's own (`consilience serve --help`)."""
    try:
        # By name, so that the SDK does not depend on the server.
        server = importlib.import_module("consilience_server.__main__")
    except ImportError as error:
        typer.echo(f"consilience: the server misses {error.name or error}: pip install 'consilience[server]'", err=True)
        raise typer.Exit(2) from None
    raise typer.Exit(server.main(context.args) or 0)
