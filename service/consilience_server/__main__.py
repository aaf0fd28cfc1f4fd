"""`python -m consilience_server`: serve until told to stop.

Exit status: 0 stopped in order; 1 could not start (a package is missing, a port is taken, the store is damaged); 2 settings that do not
hold together; 3 the store is open for writing by another process.
"""

import asyncio
import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consilience_server.settings import Settings

STOPPED, FAILED, BAD_SETTINGS, STORE_IN_USE = 0, 1, 2, 3
_HINT = (
    "the server needs packages that are not installed ({name} is missing): "
    "pip install 'consilience[server]', or 'consilience[server-gpu]' on a machine with a GPU"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve with the settings of these arguments (default: the command line); answers the exit status."""
    try:
        from consilience_server.settings import SettingsError, parse_settings
    except ModuleNotFoundError as error:
        return _missing(error)
    try:
        settings, only_print = parse_settings(sys.argv[1:] if arguments is None else arguments)
    except SettingsError as error:
        return _complain(str(error), BAD_SETTINGS)
    if only_print:
        sys.stdout.write(f"{settings}\n")
        return STOPPED
    try:
        from consilience_server.logs import configure_logs

        configure_logs(settings.log_level, settings.log_format)
        return asyncio.run(_serve(settings))
    except ModuleNotFoundError as error:
        return _missing(error)
    except KeyboardInterrupt:
        return STOPPED


async def _serve(settings: "Settings") -> int:
    import logging

    from consilience_server.bootstrap import build
    from consilience_server.core.errors import DomainError, StoreLocked

    log = logging.getLogger("consilience_server")
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    if not settings.is_loopback and not settings.is_protected:
        log.warning(
            "INSECURE: %s is open to everybody who can reach it, in clear text or without keys, because of --insecure", settings.host
        )
    if settings.exposes_metrics:
        log.warning(
            "metrics and health on %s are open to everybody who can reach it, in clear text and without keys: "
            "let only scrapers through the firewall, or leave metrics_host at 127.0.0.1",
            settings.metrics_host,
        )
    try:
        server = await build(settings)
    except StoreLocked as error:
        return _complain(error.message, STORE_IN_USE)
    except DomainError as error:
        return _complain(error.message, FAILED)
    except (OSError, ValueError) as error:
        return _complain(str(error), FAILED)
    try:
        await server.start()
        log.info("ready on %s, data in %s", server.target, settings.data_dir)
        await stop.wait()
        log.info("stopping: running calls have %.0f s", settings.drain_seconds)
    finally:
        await server.stop(settings.drain_seconds)
    log.info("stopped")
    return STOPPED


def _complain(message: str, status: int) -> int:
    sys.stderr.write(f"consilience-server: {message}\n")
    return status


def _missing(error: ModuleNotFoundError) -> int:
    if (error.name or "").partition(".")[0] in {"consilience_server", "consilience"}:
        raise error
    return _complain(_HINT.format(name=error.name), FAILED)


if __name__ == "__main__":
    sys.exit(main())
