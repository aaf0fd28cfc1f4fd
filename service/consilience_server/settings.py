"""The server's settings: one validated value, built once at the edge and passed down.

Each comes from the first of: a flag (`--max-k 512`), an environment variable (`CONSILIENCE_MAX_K=512`), the TOML file named by `--config`
or `CONSILIENCE_CONFIG`, the default below. This is the only file of the server that reads the environment.
"""

import argparse
import ipaddress
import os
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from consilience_server.machine import usable_cores, usable_memory_bytes

MIB = 1 << 20
_MEMORY_SHARE = 0.6
"""Of the machine's memory: the rest is for the libraries, the store's own caches and the page cache."""

Port = Annotated[int, Field(ge=0, le=65535)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class SettingsError(Exception):
    """Settings that do not hold together; the message names each and says what would."""


class Settings(BaseSettings):
    """Everything an operator decides. Immutable. `str(settings)` masks secrets."""

    model_config = SettingsConfigDict(env_prefix="CONSILIENCE_", extra="forbid", frozen=True, validate_default=True)

    data_dir: Path = Field(Path("consilience-data"), description="folder of the store")
    read_only: bool = Field(False, description="open the store without the writer's lease; every write is refused")

    host: str = Field(
        "127.0.0.1", min_length=1, description="address of the gRPC port; anything but loopback needs TLS and keys, or insecure"
    )
    port: Port = Field(50051, description="gRPC port; 0 takes a free one and logs it")
    metrics_host: str = Field(
        "127.0.0.1",
        description="address of the HTTP port for metrics and health; it has neither TLS nor keys, so beyond loopback everybody who "
        "reaches it reads them",
    )
    metrics_port: Port | None = Field(
        9464, description="HTTP port for /metrics, /livez, /readyz, /startupz; 0 takes a free one; empty is none"
    )
    tls_cert: Path | None = Field(None, description="PEM certificate chain of the gRPC port")
    tls_key: Path | None = Field(None, description="PEM private key of the gRPC port")
    api_keys: Path | None = Field(None, description="file of API keys, one a line: plain, or sha256:HEX; calls then need one")
    insecure: bool = Field(False, description="serve beyond loopback without TLS or without keys")
    reflection: bool = Field(False, description="serve gRPC reflection")

    redis: SecretStr | None = Field(None, description="redis://... of the second cache tier; empty is none")
    redis_timeout_seconds: Seconds = Field(0.02, description="longest that a request waits for Redis")
    memory_cache_bytes: int = Field(256 * MIB, ge=0, description="size of the first cache tier")

    engine: Literal["auto", "native", "torch", "faiss"] = Field(
        "auto", description="what finds neighbours: native kernels, torch, FAISS, or the fastest that is there"
    )
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="where neighbours are searched")
    bridge_runtime: Literal["numpy", "onnxruntime"] = Field(
        "numpy",
        description="what applies bridges: numpy (the same bits on every machine), or onnxruntime, on a GPU where device allows",
    )
    threads: int = Field(0, ge=0, le=4096, description="threads of every numeric library; 0 is one a core")
    memory_budget_bytes: int = Field(0, ge=0, description="snapshots, tables and requests together; 0 is 60% of the machine's memory")
    queue_limit: int = Field(256, ge=1, description="pieces of work that may wait for a thread")
    max_concurrent_calls: int = Field(1024, ge=1, description="calls in progress at a time")
    batch_queries: int = Field(
        256, ge=1, le=65_536, description="most queries of concurrent calls that are searched together; 1 is each alone"
    )
    batch_pause_ms: float = Field(1.0, ge=0, le=100, description="milliseconds between two shared searches in which more queries may join")
    inline_seconds: Seconds = Field(
        20.0, description="work estimated to last longer is answered with an operation, if the caller left it open"
    )

    max_message_bytes: int = Field(64 * MIB, ge=MIB, le=2**31 - 1, description="largest request and largest answer")
    upload_batch_bytes: int = Field(4 * MIB, ge=1024, description="what clients cut uploads into")
    max_dim: int = Field(65_536, ge=1, description="widest vectors")
    max_k: int = Field(2048, ge=1, description="largest k")
    max_id_bytes: int = Field(512, ge=1, le=4096, description="longest item id, in bytes of UTF-8")
    max_items_per_message: int = Field(1_000_000, ge=1, description="most ids or rows in one message")
    max_permutations: int = Field(99_999, ge=1, description="most permutations of a null")
    max_head_bytes: int = Field(16 * MIB, ge=0, description="largest ONNX classifier of a caller that evaluations run; 0 runs none")
    max_watches: int = Field(64, ge=0, le=1000, description="most watches; each is thirteen series of Prometheus")

    keep_version_seconds: Seconds = Field(86_400.0, description="age at which maintenance removes a replaced version that nobody uses")
    upload_ttl_seconds: Seconds = Field(86_400.0, description="idle time after which an unfinished upload is forgotten")
    maintenance_interval_seconds: Seconds = Field(600.0, description="time between rounds of maintenance")
    drain_seconds: Seconds = Field(30.0, description="time that running calls get after SIGTERM")

    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="least severity that is logged")
    log_format: Literal["text", "json"] = Field("text", description="one readable line, or one JSON object, an event")

    toml_file: ClassVar[Path | None] = None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic-settings calls by these names
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - likewise
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags, environment, file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, cls.toml_file)

    @field_validator("redis", "metrics_port", "tls_cert", "tls_key", "api_keys", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        """An empty string in a flag, a variable or a file switches the thing off."""
        return None if value == "" else value

    @field_validator("redis")
    @classmethod
    def _known_scheme(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("must begin with redis://, rediss:// or unix://")
        return value

    @field_validator("tls_cert", "tls_key", "api_keys")
    @classmethod
    def _readable(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError(f"there is no file {value}")
        return value

    @model_validator(mode="after")
    def _hold_together(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key go together: give both or neither")
        if not self.is_loopback and not self.is_protected and not self.insecure:
            raise ValueError(
                f"host {self.host!r} can be reached from other machines: give tls_cert, tls_key and api_keys, "
                "or insecure (--insecure) to serve everybody in clear text, or leave host at 127.0.0.1"
            )
        if self.upload_batch_bytes > self.max_message_bytes // 2:
            raise ValueError("upload_batch_bytes must be at most half of max_message_bytes: ids and attributes travel beside the vectors")
        return self

    @property
    def is_loopback(self) -> bool:
        """Whether the gRPC port can be reached from this machine only."""
        return _is_loopback(self.host)

    @property
    def exposes_metrics(self) -> bool:
        """Whether the HTTP port, which is always in clear text and without keys, can be reached from other machines."""
        return self.metrics_port is not None and not _is_loopback(self.metrics_host)

    @property
    def is_protected(self) -> bool:
        """Whether callers are encrypted and known."""
        return self.tls_cert is not None and self.api_keys is not None

    @property
    def effective_threads(self) -> int:
        """`threads`, resolved."""
        return self.threads or usable_cores()

    @property
    def effective_memory_budget_bytes(self) -> int:
        """`memory_budget_bytes`, resolved."""
        return self.memory_budget_bytes or int(_MEMORY_SHARE * usable_memory_bytes())

    def __str__(self) -> str:
        """The value as TOML with secrets masked; what is switched off is an empty string."""
        return "\n".join(_toml_line(name, value) for name, value in self.model_dump(mode="json").items())


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _toml_line(name: str, value: object) -> str:
    if value is None:
        return f'{name} = ""'
    if isinstance(value, bool):
        return f"{name} = {str(value).lower()}"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'{name} = "{escaped}"'
    return f"{name} = {value}"


_ALIASES = {"data_dir": ["--data"]}


def argument_parser(program: str) -> argparse.ArgumentParser:
    """A flag for every setting, beside `--config` and `--print-settings`."""
    parser = argparse.ArgumentParser(
        program,
        description="The Consilience server.",
        epilog="Every flag is also an environment variable (CONSILIENCE_MAX_K) and a line of the TOML file (max_k).",
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    parser.add_argument("--config", metavar="FILE", help="TOML file of settings")
    parser.add_argument("--print-settings", action="store_true", help="print the settings as they would hold, secrets masked, and exit")
    for name, info in Settings.model_fields.items():
        flags = ["--" + name.replace("_", "-"), *_ALIASES.get(name, [])]
        default = "" if info.default is None else f" (default: {info.default})"
        help_text = f"{info.description}{default}".replace("%", "%%")
        if info.annotation is bool:
            parser.add_argument(*flags, dest=name, action=argparse.BooleanOptionalAction, help=help_text)
        else:
            parser.add_argument(*flags, dest=name, metavar="VALUE", help=help_text)
    return parser


def load_settings(flags: Mapping[str, Any], config: str | None = None) -> Settings:
    """Join the sources and validate.

    Args:
        flags: settings by name, text or already of their type; they win.
        config: path of the TOML file; None asks `CONSILIENCE_CONFIG`.

    Raises:
        SettingsError: with every problem found, its setting and its value (never a secret's).
    """
    chosen = config or os.environ.get("CONSILIENCE_CONFIG")
    path = Path(chosen) if chosen else None
    if path is not None and not path.is_file():
        raise SettingsError(f"the settings file {path} does not exist")
    try:
        loaded: Settings = _settings_of(path)(**flags)
    except ValidationError as error:
        raise SettingsError(_problems(error)) from None
    except ValueError as error:
        raise SettingsError(f"the settings file {path} is not TOML: {error}") from None
    return loaded


@cache
def _settings_of(path: Path | None) -> type[Settings]:
    """The class whose instances read the file. pydantic-settings takes a file as a property of the class, and a class is slow to make."""
    return type("Settings", (Settings,), {"toml_file": path, "__module__": Settings.__module__, "__doc__": Settings.__doc__})


def parse_settings(arguments: Sequence[str], program: str = "consilience-server") -> tuple[Settings, bool]:
    """Settings from command-line arguments, and whether they are only to be printed."""
    parsed = vars(argument_parser(program).parse_args(arguments))
    config, only_print = parsed.pop("config", None), parsed.pop("print_settings", False)
    return load_settings(parsed, config), only_print


def _problems(error: ValidationError) -> str:
    lines = []
    for problem in error.errors(include_url=False):
        name = ".".join(str(part) for part in problem["loc"])
        if not name:
            lines.append(str(problem["msg"]).removeprefix("Value error, "))
        elif problem["type"] == "extra_forbidden":
            lines.append(f"{name}: there is no such setting")
        else:
            given = "" if name == "redis" else f" (given: {problem['input']!r})"
            lines.append(f"{name}: {str(problem['msg']).removeprefix('Value error, ')}{given}")
    return "; ".join(lines)


__all__ = ["Settings", "SettingsError", "argument_parser", "load_settings", "parse_settings"]
