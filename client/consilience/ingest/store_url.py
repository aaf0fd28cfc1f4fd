"""Addresses of collections in other stores: `qdrant://host:port/collection?vector=name`, `milvus:///folder/file.db/collection`."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from consilience.errors import InvalidArgumentError

_OPTIONS = {"qdrant": ("vector", "filter", "tls"), "milvus": ("field", "filter", "db", "tls")}
_PORTS = {"qdrant": 6333, "milvus": 19530}


@dataclass(frozen=True)
class StoreUrl:
    """A collection of a store.

    Attributes:
        scheme: `qdrant` or `milvus`.
        host: empty for a store in a folder or file of this machine.
        port: of the host.
        path: the folder or file; empty with a host.
        collection: its name.
        options: what stands behind the question mark.
    """

    scheme: str
    host: str
    port: int
    path: str
    collection: str
    options: Mapping[str, str]

    @property
    def tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self.options.get("tls", "false") == "true"

    def __str__(self) -> str:
        where = f"{self.host}:{self.port}" if self.host else self.path
        return f"{self.scheme}://{where}/{self.collection}"


def is_store_url(path: object) -> bool:
    """Whether it begins as an address of a store does."""
    return isinstance(path, str) and path.partition("://")[0] in _OPTIONS and "://" in path


def parse_store_url(text: str) -> StoreUrl:
    """The parts of an address; a secret does not belong in one: it is read from QDRANT_API_KEY or MILVUS_TOKEN.

    Raises:
        InvalidArgumentError: no collection, an option that the store does not have, a port that is none, a user or a password.
    """
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise _refused(text, str(error)) from None
    scheme = parts.scheme
    if parts.username or parts.password or any(name in parts.query for name in ("api_key", "token", "password")):
        told = "QDRANT_API_KEY" if scheme == "qdrant" else "MILVUS_TOKEN"
        raise InvalidArgumentError(f"a store's address holds no secrets; put the key into the environment as {told}", field="path")
    folder, _, collection = parts.path.rpartition("/")
    if not collection:
        raise _refused(text, "it names no collection")
    if not parts.hostname and not folder:
        raise _refused(text, "it has neither a host nor the path of a store")
    if parts.hostname and folder:
        raise _refused(text, f"behind the host stands {parts.path!r}, where one name of a collection is expected")
    try:
        options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    except ValueError as error:
        raise _refused(text, str(error)) from None
    for name in options:
        if name not in _OPTIONS[scheme]:
            raise _refused(text, f"there is no option {name!r}; there are {', '.join(_OPTIONS[scheme])}")
    if options.get("tls", "true") not in {"true", "false"}:
        raise _refused(text, f"tls is {options['tls']!r}; give true or false")
    return StoreUrl(scheme, parts.hostname or "", port or _PORTS[scheme], unquote(folder), unquote(collection), options)


def _refused(text: str, why: str) -> InvalidArgumentError:
    scheme = text.partition("://")[0]
    example = {"qdrant": "qdrant://host:6333/collection?vector=name", "milvus": "milvus://host:19530/collection?field=name"}[scheme]
    return InvalidArgumentError(f"{text!r} is no address of a collection: {why}; write {example}", field="path")
