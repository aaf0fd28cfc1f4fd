"""Cautions: said where they hold, and nothing is said of a sound report."""

from dataclasses import replace

import numpy as np
import pytest

from consilience_server.app.alignment_spec import AlignmentSpec
from consilience_server.app.cautions import Restriction, matrix_cautions, query_cautions, report_cautions
from consilience_server.app.item_groups import ItemGroups
from consilience_server.core.intervals import Jackknife
from consilience_server.core.score import Interval, Score


def score(k=10, chance=0.01, **told):
    return Score(k, 0.3, chance, 0.2, Interval(0.2, 0.4, 0.95, "items"), **told)


def test_a_sound_report_needs_none():
    assert report_cautions([score(), score(50)], 1000, 999, 0.05) == ()
    assert report_cautions([score(0)], 1000, 0, 0.05) == ()
    assert matrix_cautions([score()] * 3, np.full((3, 3), 1000), 999, 0.05) == ()


@pytest.mark.parametrize(
    ("said", "by_k", "n", "permutations"),
    [
        ("only 49 items", [score(5)], 49, 999),
        ("k = 21, 30 is more than a fifth of 100", [score(), score(21), score(30)], 100, 999),
        ("62% of the lists of y at k = 5", [score(5, tie_fraction_y=0.625), score(9, tie_fraction_y=0.9)], 1000, 999),
        ("would score 0.82: read the excess, 0.200", [score(chance=0.82)], 1000, 999),
        ("18 permutations cannot give a p of 0.05 or less; ask 19", [score()], 1000, 18),
    ],
)
def test_each_is_said_alone_where_it_holds(said, by_k, n, permutations):
    (told,) = report_cautions(by_k, n, permutations, 0.05)
    assert said in told


def test_few_items_are_said_to_score_by_chance_only_where_they_do():
    (told,) = report_cautions([score(0, chance=0.002)], 30, 999, 0.05)
    assert told.startswith("only 30 items: the score varies")
    assert "unrelated" not in told
    (told,) = report_cautions([score(5, chance=0.17)], 30, 999, 0.05)
    assert "unrelated spaces would score up to 0.17" in told
    (told, _) = matrix_cautions([score(5, chance=0.17), score(5, chance=0.19)], np.full((3, 3), 26), 9, 0.05)
    assert "up to 0.19" in told


@pytest.mark.parametrize("cautions", [report_cautions, lambda scores, n, *more: matrix_cautions(scores, np.full((2, 2), n), *more)])
def test_an_interval_that_is_not_known_is_explained(cautions):
    known = Interval(0.2, 0.4, 0.95, "items", Jackknife(0.3, np.array([0.3, 0.2]), np.array([500, 500])))
    unknown = Interval(-np.inf, 1.0, 0.95, "items", Jackknife(0.3, np.array([0.3, np.nan]), np.array([500, 500])))
    assert cautions([replace(score(0), interval=known)], 1000, 999, 0.05) == ()
    (told,) = cautions([replace(score(0), interval=unknown)], 1000, 999, 0.05)
    assert "its interval is all that it could be; add items" in told


def test_just_enough_is_enough():
    assert report_cautions([score(10, tie_fraction_x=0.5)], 51, 19, 0.05) == ()


def test_a_matrix_warns_of_pairs_over_different_items():
    n = np.array([[90, 60], [60, 80]])
    (told,) = matrix_cautions([score(5)], n, 999, 0.05)
    assert "60 to 90 items: scores of different n do not compare" in told
    assert any("more than a fifth of 60" in text for text in matrix_cautions([score(20)], n, 999, 0.05))
    assert any("up to 90%" in text for text in matrix_cautions([score(5), score(5, tie_fraction_x=0.9)], n, 999, 0.05))


def test_folds_of_groups_under_free_pairings_are_a_caution():
    folds = np.repeat(np.arange(30), 2)
    (told,) = report_cautions([score()], 60, 999, 0.05, Restriction(folds=folds))
    assert "folds keep groups of items together" in told
    same = Restriction(ItemGroups("subject", folds), folds=folds)
    finer = Restriction(ItemGroups("session", np.repeat(np.arange(15), 4)), folds=np.repeat(np.arange(5), 12))
    coarser = Restriction(ItemGroups("kind", np.repeat(np.arange(5), 12)), folds=np.repeat(np.arange(15), 4))
    for restriction, is_told in ((same, False), (finer, False), (coarser, True)):
        found = report_cautions([score()], 60, 999, 0.05, restriction)
        assert any("folds keep" in text for text in found) == is_told
    assert report_cautions([score()], 60, 0, 0.05, Restriction(folds=folds)) == ()
    assert report_cautions([score()], 60, 999, 0.05, Restriction(folds=np.arange(60))) == ()


def test_queries_alone_in_their_group_are_counted():
    groups = ItemGroups("label", np.repeat(np.arange(6), 10))
    (told,) = report_cautions([score()], 60, 999, 0.05, Restriction(groups, np.array([0, 1, 10, 20])))
    assert told.startswith("2 of 4 queries are alone among those of their group")
    assert list(query_cautions(AlignmentSpec(query_ids=("a", "b")))) == []
    (twice,) = query_cautions(AlignmentSpec(query_ids=("a", "b"), duplicate_queries=3))
    assert twice.startswith("3 of 5 query_ids stand twice")
