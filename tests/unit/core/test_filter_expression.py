"""The filter language against Python's own evaluation of the same condition, SQL's three values, and what it refuses to read."""

import itertools

import numpy as np
import pytest

from consilience_server.core.errors import InvalidArgument, InvalidAttribute
from consilience_server.core.filter_expression import read_filter

LABELS = ["cat", "dog", None, "it's", "", "cat"]
YEARS = [2019, None, 2020, 2**60, -3, 2021]
SCORES = [0.5, float("nan"), 1.0, -2.0, None, 3.5]
FLAGS = [True, False, None, True, False, True]
COLUMNS = {
    "label": ("string", LABELS), "year": ("integer", YEARS), "a.score": ("real", SCORES), "flag": ("boolean", FLAGS),
    "odd name": ("integer", [1, 2, 3, 4, 5, 6]),
}  # fmt: skip

KEPT = {
    "label == 'cat'": [0, 5],
    'label = "cat" ': [0, 5],
    "label != 'cat'": [1, 3, 4],
    "label <> 'cat' ": [1, 3, 4],
    "label = 'it''s'": [3],
    "label = ''": [4],
    "label < 'd'": [0, 4, 5],
    "year >= 2020": [2, 3, 5],
    "year = 1152921504606846976": [3],
    "year = 1152921504606846977": [],
    "year > 2019.5 AND year < 2021": [2],
    "a.score <= 1": [0, 2, 3],
    "a.score > -1e0 or flag": [0, 2, 3, 5],
    "a.score is null": [1, 4],
    "a.score IS NOT NULL": [0, 2, 3, 5],
    "flag": [0, 3, 5],
    "not flag": [1, 4],
    "flag = false": [1, 4],
    "flag < true": [1, 4],
    "label in ('dog', 'cat')": [0, 1, 5],
    "label not in ('dog', 'cat')": [3, 4],
    "year in (2019, 2021.0)": [0, 5],
    "not (label = 'cat' or year = 2020)": [3, 4],
    "not label = 'cat' and not flag": [1, 4],
    "label = 'cat' and flag or year = -3": [0, 4, 5],
    "label = 'cat' and (flag or year = -3)": [0, 5],
    "`odd name` >= 5": [4, 5],
    "year is null or year is not null": [0, 1, 2, 3, 4, 5],
    "year = 2020 or not year = 2020": [0, 2, 3, 4, 5],
}


@pytest.mark.parametrize("text", KEPT)
def test_what_is_kept(text):
    assert np.flatnonzero(read_filter(text).kept(COLUMNS)).tolist() == KEPT[text]


def test_three_values_by_their_tables():
    """Kleene's tables, written out: true, false and unknown of two attributes."""
    values = list(itertools.product([True, False, None], repeat=2))
    columns = {"a": ("boolean", [a for a, _ in values]), "b": ("boolean", [b for _, b in values])}
    tables = {
        "a and b": lambda a, b: False if a is False or b is False else None if a is None or b is None else True,
        "a or b": lambda a, b: True if a is True or b is True else None if a is None or b is None else False,
        "not (a and b)": lambda a, b: True if a is False or b is False else None if a is None or b is None else False,
        "not (a or b)": lambda a, b: False if a is True or b is True else None if a is None or b is None else True,
        "not not a": lambda a, b: a,
    }
    for text, table in tables.items():
        assert read_filter(text).kept(columns).tolist() == [table(a, b) is True for a, b in values], text


UNREADABLE = {
    "": "character 1, after ''.*name of an attribute",
    "label ==": "expected a value.*it ends",
    "label == cat": "expected a value.*found 'cat'",
    "label == 'cat": "character 10.*nothing that the language has",
    "label = 'cat' year = 3": "expected and, or, or the end, found 'year'",
    "(label = 'cat'": r"expected \)",
    "label in ()": "expected a value",
    "label in ('a' 'b')": r"expected , or \)",
    "label is 3": "expected null",
    "label not 3": "expected in",
    "and": "name of an attribute",
    "f(x) = 3": "expected and, or, or the end, found",
    "label; drop": "nothing that the language has",
    "__import__('os')": "expected and, or",
    "year = 1e999": "expected a value",
    "year + 1 = 3": "nothing that the language has|expected and",
    "(" * 100 + "flag" + ")" * 100: "nested deeper than 64",
    "not " * 100 + "flag": "nested deeper than 64",
    "flag or " * 20_000 + "flag": "160,004 characters",
}


@pytest.mark.parametrize("text", UNREADABLE, ids=lambda text: text[:20])
def test_what_cannot_be_read_is_told_with_its_place(text):
    with pytest.raises(InvalidArgument, match=UNREADABLE[text]) as refused:
        read_filter(text)
    assert refused.value.field == "filter"


MISTAKEN = {
    "colour = 'red'": "no attribute 'colour'; there are: a.score, flag, label, odd name, year",
    "label = 3": "'label' is of type string and is compared with 3, a number; give a string",
    "year = '2020'": "of type integer and is compared with '2020', a string; give a number",
    "year = true": "compared with True, a boolean; give a number",
    "flag = 1": "give a boolean",
    "label": "is of type string and is compared with True",
    "year in (1, 'x')": "compared with 'x'",
}


@pytest.mark.parametrize("text", MISTAKEN)
def test_what_does_not_fit_the_attributes_is_refused(text):
    with pytest.raises(InvalidAttribute, match=MISTAKEN[text]) as refused:
        read_filter(text).kept(COLUMNS)
    assert refused.value.field == "filter"


def test_a_long_filter_is_no_deep_one():
    text = " or ".join(f"year = {year}" for year in range(2000, 3000))
    assert np.flatnonzero(read_filter(text).kept(COLUMNS)).tolist() == [0, 2, 5]
