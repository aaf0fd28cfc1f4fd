"""The door of the command line `consilience`; the commands are in `commands/`."""

import sys


def main() -> None:
    """Run the command line; without its packages, say which extra brings them."""
    try:
        from consilience.commands.app import run
    except ModuleNotFoundError as error:
        if error.name not in {"typer", "rich", "click"}:
            raise
        sys.stderr.write(f"the command line needs {error.name}: pip install 'consilience[cli]'\n")
        sys.exit(2)
    sys.exit(run(sys.argv[1:]))
