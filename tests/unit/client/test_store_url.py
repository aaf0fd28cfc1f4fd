import pytest

from consilience import InvalidArgumentError
from consilience.ingest.store_url import is_store_url, parse_store_url


@pytest.mark.parametrize(
    ("text", "where", "options"),
    [
        ("qdrant://host/docs", ("qdrant", "host", 6333, "", "docs"), {}),
        ("qdrant://host:99/docs?vector=img", ("qdrant", "host", 99, "", "docs"), {"vector": "img"}),
        ("qdrant:///data/store/docs", ("qdrant", "", 6333, "/data/store", "docs"), {}),
        ("milvus://h/my%20docs?field=e&db=d&tls=true", ("milvus", "h", 19530, "", "my docs"), {"field": "e", "db": "d", "tls": "true"}),
        ("milvus:///data/m.db/docs?filter=n%20%3E%203", ("milvus", "", 19530, "/data/m.db", "docs"), {"filter": "n > 3"}),
        ("milvus://[::1]:5/docs", ("milvus", "::1", 5, "", "docs"), {}),
    ],
)
def test_parts(text, where, options):
    url = parse_store_url(text)
    assert ((url.scheme, url.host, url.port, url.path, url.collection), dict(url.options)) == (where, options)
    assert url.tls == (options.get("tls") == "true")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("qdrant://host", "names no collection"),
        ("qdrant://host/", "names no collection"),
        ("qdrant:///docs", "neither a host nor the path"),
        ("qdrant://host/a/b", "one name of a collection"),
        ("qdrant://host/docs?field=x", "no option 'field'; there are vector, filter, tls"),
        ("milvus://host/docs?vector=x", "no option 'vector'"),
        ("qdrant://host:port/docs", "no address"),
        ("qdrant://host:99999/docs", "no address"),
        ("qdrant://host/docs?vector", "no address"),
        ("qdrant://host/docs?tls=yes", "give true or false"),
        ("qdrant://me:secret@host/docs", "holds no secrets"),
        ("milvus://host/docs?token=secret", "MILVUS_TOKEN"),
    ],
)
def test_what_is_no_address(text, told):
    with pytest.raises(InvalidArgumentError, match=told) as refused:
        parse_store_url(text)
    assert refused.value.field == "path"
    assert "secret" not in str(refused.value).replace("holds no secrets", "")


def test_which_paths_are_addresses(tmp_path):
    assert is_store_url("qdrant://x")
    assert is_store_url("milvus://x")
    assert not any(is_store_url(path) for path in ("a.npy", "s3://bucket/a", "qdrant:x", tmp_path, "/qdrant/a.parquet"))
