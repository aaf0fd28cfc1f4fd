import pytest

from consilience import InvalidArgumentError
from consilience.ingest.store_pages import Columns, page_rows
from consilience.ingest.store_url import parse_store_url

URL = parse_store_url("qdrant://host/docs")
RECORDS = [{"lang": "en", "n": 1, "price": 2, "tags": ["x"], "Upper": "no", "vector": 3}, {"lang": None, "n": 2, "price": 2.5, "meta": {}}]


def test_all_scalars_under_a_name_that_an_attribute_can_have():
    assert Columns(None).of(RECORDS) == {"lang": ["en", None], "n": [1, 2], "price": [2, 2.5]}


def test_chosen_ones_with_types():
    columns = Columns(["lang", "price:real"])
    assert columns.names == ["lang", "price"]
    told = columns.of(RECORDS)
    assert told == {"lang": ["en", None], "price": [2.0, 2.5]}
    assert [type(value) for value in told["price"]] == [float, float]
    columns.check_seen(URL)


@pytest.mark.parametrize(("chosen", "told"), [("n:string", "no string"), ("lang:integer", "no integer"), ("price:integer", "2.5")])
def test_values_of_another_type_are_refused(chosen, told):
    with pytest.raises(InvalidArgumentError, match=told) as refused:
        Columns([chosen]).of(RECORDS)
    assert refused.value.field == "attribute_columns"


def test_booleans_are_no_numbers():
    with pytest.raises(InvalidArgumentError):
        Columns(["b:integer"]).of([{"b": True}])
    assert Columns(["b:boolean"]).of([{"b": True}]) == {"b": [True]}


def test_an_unknown_type_and_a_column_that_is_nowhere_are_refused():
    with pytest.raises(InvalidArgumentError, match="no type 'text'"):
        Columns(["lang:text"])
    columns = Columns(["nowhere", "lang"])
    columns.of(RECORDS)
    with pytest.raises(InvalidArgumentError, match="has a value of nowhere"):
        columns.check_seen(URL)


def test_pages_stay_small():
    assert [page_rows(dim) for dim in (1, 1024, 1 << 21)] == [4096, 1024, 1]
