"""`consilience doctor`: what is installed, and whether a server answers."""

import platform
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Any

from consilience._version import __version__
from consilience.commands.connected import AddressOption, Answer, CaOption, TimeoutOption, TlsOption, open_client
from consilience.errors import ConsilienceError

_PROBE_SECONDS = 5.0
_BASE = ("grpcio", "grpcio-status", "protobuf", "numpy")


def doctor(*, address: AddressOption = None, tls: TlsOption = None, ca: CaOption = None, timeout: TimeoutOption = _PROBE_SECONDS) -> Answer:
    """Versions, extras, the server and the kernel that it computes with. Exits 1 where no server answers."""
    told: dict[str, Any] = {
        "consilience": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: _version(name) for name in _BASE},
        "extras": {name: {"complete": not missing, "missing": missing} for name, missing in _extras().items()},
        "server": _server(address, tls, ca, timeout),
    }
    return Answer(_text(told), told, code=0 if told["server"]["ready"] else 1)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _extras() -> dict[str, list[str]]:
    """Packages that each extra lacks, from the distribution's own metadata; nothing where it is not installed as one."""
    missing: dict[str, list[str]] = {}
    try:
        requirements = requires("consilience") or []
    except PackageNotFoundError:
        return missing
    for requirement in requirements:
        named, _, marker = requirement.partition(";")
        _, _, extra = marker.partition("extra ==")
        if not extra:
            continue
        package = named.split("[")[0]
        for stop in "<>=!~ ":
            package = package.split(stop)[0]
        lacking = missing.setdefault(extra.strip().strip("'\""), [])
        if _version(package) is None:
            lacking.append(package)
    return missing


def _server(address: str | None, tls: bool | None, ca: Any, timeout: float) -> dict[str, Any]:  # noqa: FBT001 - options, passed through
    try:
        with open_client(address, None, tls, ca, timeout) as client:
            info = client.server_info()
            ready = client.is_ready(timeout=timeout)
            return {"address": client.settings.address, "ready": ready, "error": None, **info.to_dict()}
    except ConsilienceError as error:
        return {"address": address, "ready": False, "error": str(error)}


def _text(told: dict[str, Any]) -> str:
    packages = ", ".join(f"{name} {number or 'missing'}" for name, number in told["packages"].items())
    lines = [f"consilience {told['consilience']} on Python {told['python']}, {told['platform']}", packages]
    for name, extra in told["extras"].items():
        lines.append(f"extra [{name}]: {'complete' if extra['complete'] else 'misses ' + ', '.join(extra['missing'])}")
    server = told["server"]
    if server["error"]:
        return "\n".join([*lines, f"server: {server['error']}"])
    engine = server["engine"]
    state = "ready" if server["ready"] else "not ready"
    lines.append(f"server at {server['address']}: {server['version']}, {state}{', read-only' if server['read_only'] else ''}")
    lines.append(
        f"engine: {engine['backend']} on {engine['device']}, {engine['threads']} threads, "
        f"native kernels {engine['kernels'] or 'unknown'}, BLAS kernel {engine['blas_kernel'] or 'unknown'}"
    )
    lines.append(f"cache: {', '.join(server['cache_tiers']) or 'off'}; metrics: {server['metrics_url'] or 'off'}")
    return "\n".join(lines)
