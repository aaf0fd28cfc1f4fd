"""Sizes, lines and cautions of gallery curves."""

import pytest

from consilience_server.app.alignment_spec import AlignmentSpec, SpaceQuery
from consilience_server.app.gallery_curve_query import CurveLine, GalleryCurveQuery, check_curve, curve_cautions, curve_lines, gallery_sizes
from consilience_server.core.errors import InvalidArgument, InvalidK

X, Y = SpaceQuery("x"), SpaceQuery("y")


def query(*sizes, ks=(10,), **spec):
    return GalleryCurveQuery(X, Y, AlignmentSpec(ks=ks, **spec), sizes)


def test_by_default_the_galleries_halve_down_to_64_items_and_above_every_k():
    assert gallery_sizes(query(), 1000) == [125, 250, 500, 1000]  # 62 would be too few
    assert gallery_sizes(query(ks=(200,)), 1000) == [250, 500, 1000]
    assert gallery_sizes(query(), 50) == [50]
    assert len(gallery_sizes(query(), 10**6)) == 8


def test_sizes_that_are_asked_ascend():
    assert gallery_sizes(query(500, 100), 1000) == [100, 500]
    with pytest.raises(InvalidArgument, match="gallery of 2,000, but only 1,000") as refused:
        gallery_sizes(query(2000), 1000)
    assert refused.value.field == "gallery_sizes"
    with pytest.raises(InvalidK, match="smallest gallery has 10 items"):
        gallery_sizes(query(10, 100), 1000)
    assert gallery_sizes(query(5, metric="cka"), 1000) == [5]


@pytest.mark.parametrize("wrong", [query(100, 100), query(*range(100, 133)), query(query_ids=("a",))])
def test_what_no_curve_has_is_refused(wrong):
    with pytest.raises(InvalidArgument):
        check_curve(wrong)


def test_a_line_is_one_question_in_every_gallery():
    spec = AlignmentSpec(ks=(1, 10), k_fractions=(0.01,))
    assert curve_lines(spec, [50, 1000, 2500]) == [
        CurveLine(1, 0.0, (1, 1, 1)),
        CurveLine(10, 0.0, (10, 10, 10)),
        CurveLine(0, 0.01, (1, 10, 25)),
    ]
    assert curve_lines(AlignmentSpec("cka"), [50, 100]) == [CurveLine(0, 0.0, (0, 0))]


def test_scores_at_a_fixed_k_are_warned_of_and_shares_are_not():
    assert (
        "at a fixed k (1, 10) in galleries of 50 to 1,000 items do not compare" in curve_cautions(AlignmentSpec(ks=(1, 10)), [50, 1000])[0]
    )
    assert curve_cautions(AlignmentSpec(ks=(), k_fractions=(0.01,)), [50, 1000]) == []
    assert curve_cautions(AlignmentSpec(), [50]) == []
    assert curve_cautions(AlignmentSpec("cka"), [50, 1000]) == []
