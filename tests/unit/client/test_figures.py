"""What a figure shows is what the result says; what is written opens without a network and is the same each time."""

import dataclasses
import html
import json
import re
import sys
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from consilience import (
    AlignmentAtK,
    AlignmentComparison,
    AlignmentMatrix,
    AlignmentReport,
    Control,
    Difference,
    Interval,
    InvalidArgumentError,
    MissingExtraError,
    SpaceUse,
    write_report,
)
from consilience._figures.consensus import consensus
from consilience._figures.gallery_curve import Curve, gallery_curve
from consilience._figures.heatmap import heatmap
from consilience._figures.layer_grid import layer_grid
from consilience._figures.model_map import model_map
from consilience._figures.null_distribution import Null, null_distribution
from consilience._figures.trend import Bucket, trend

USE = SpaceUse("clip", "u", 1), SpaceUse("<bge> & co", "v", 2)


def entry(k, score, null):
    return AlignmentAtK(
        k,
        score,
        chance=0.01,
        excess=0.1,
        interval=Interval(score - 0.01, score + 0.01),
        p_value=1 / (len(null) + 1),
        threshold=0.05,
        null=null,
    )


def report(*entries, **told):
    entries = entries or (entry(10, 0.135, np.random.default_rng(0).normal(0.01, 0.002, 99)),)
    values = {"metric": "mutual_knn", "interval_kind": "items", "n": 1024, "gallery": 1024, "permutations": 99, "x": USE[0], "y": USE[1]}
    return AlignmentReport(by_k={one.k: one for one in entries}, **{**values, **told})


def matrix():
    square = np.array([[1.0, 0.25, 0.5], [0.25, 1.0, 0.75], [0.5, 0.75, 1.0]])
    p_values = np.array([[np.nan, 0.2, 0.04], [0.2, np.nan, 0.0001], [0.04, 0.0001, np.nan]])
    arrays = dict.fromkeys(("scores", "chance", "excess", "calibrated", "interval_low", "interval_high"), square)
    return AlignmentMatrix(
        metric="cka", k=0, spaces=("a", "b", "c"), versions=(*USE, SpaceUse("c", "w", 1)), p_values=p_values, interval_kind="items",
        confidence=0.95, n=np.full((3, 3), 50), gallery=np.full((3, 3), 50), items="common", permutations=9999, seed=0, alpha=0.05,
        preprocess="none", engine="1", **arrays,
    )  # fmt: skip


def texts(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def test_the_null_is_drawn_whole_with_what_it_is_judged_by():
    values = np.random.default_rng(1).normal(0.01, 0.002, 999)
    drawn = report(entry(10, 0.135, values), entry(20, 0.2, values)).plot()
    first, second = (axes for axes in drawn.axes if axes.patches)
    assert sum(patch.get_height() for patch in first.containers[0]) == 999
    lines = {line.get_label(): line.get_xdata()[0] for line in first.lines}
    assert (lines["chance"], lines["observed, interval"], lines["exceeded by 0.05 of pairings"]) == (0.01, 0.135, 0.05)
    assert first.get_title(loc="left").startswith("mutual_knn@10  ·  p <= .001")
    assert second.get_title(loc="left").startswith("mutual_knn@20")


def test_a_null_without_spread_and_one_far_from_the_score_can_be_seen():
    thin = np.random.default_rng(0).normal(0.01, 1e-6, 99)
    for values, low in ((np.full(99, 0.25), 0.8), (thin, 0.8), (thin, -np.inf)):
        (axes,) = null_distribution([Null("cka", values, 0.9, 0.01, 0.02, low, 0.95, "")], "t", 0.05).axes
        bars = [patch for patch in axes.containers[0] if patch.get_height()]
        assert sum(bar.get_height() for bar in bars) == 99
        assert max(bar.get_width() for bar in bars) >= 0.005


def test_the_heatmap_marks_what_is_above_chance_in_the_order_asked():
    drawn = heatmap(["a", "b", "c"], matrix().scores, title="t", p_values=matrix().p_values, order=[2, 0, 1])
    axes = drawn.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["c", "a", "b"]
    assert texts(drawn) == ["0.50\n*", "0.75\n***", "0.50\n*", "0.25", "0.75\n***", "0.25"]
    shown = axes.images[0].get_array()
    assert shown.mask.diagonal().all()
    assert shown[0, 1] == 0.5
    assert "* " not in "".join(texts(heatmap(["a", "b"], np.ones((2, 2)), title="t")))


def test_a_mark_includes_its_level_as_what_is_told_beside_it_does():
    # .001 is the least p of 999 permutations, and counts as one at .001.
    p_values = np.array([[np.nan, 0.05, 0.01], [0.05, np.nan, 1 / 1000], [0.01, 1 / 1000, np.nan]])
    drawn = heatmap(["a", "b", "c"], np.full((3, 3), 0.5), title="t", p_values=p_values)
    assert [text.partition("\n")[2] for text in texts(drawn)] == ["*", "**", "*", "***", "**", "***"]


def test_the_matrix_draws_its_heatmap_in_the_order_of_its_tree_and_a_map():
    assert "0.75\n***" in texts(matrix().plot())
    points, adjusted = np.array([[0.0, 1.0], [2.0, 0.0], [1.0, 1.0]]), np.full((3, 3), 0.5)
    whole = dataclasses.replace(matrix(), p_adjusted=adjusted, coordinates=points, explained=0.9, stress=0.1, order=(1, 2, 0))
    drawn = whole.plot()
    assert [label.get_text() for label in drawn.axes[0].get_yticklabels()] == ["b", "c", "a"]
    assert not any("*" in text for text in texts(drawn))
    chart = whole.plot(kind="map").axes[0]
    np.testing.assert_array_equal(chart.collections[0].get_offsets(), points)
    assert chart.get_xlabel() == "distances: 1 - cka; 90% of their variance, stress 0.100"
    assert list(matrix().figures()) == ["heatmap"]


def test_layers_are_drawn_with_the_chosen_pair_framed():
    scores = np.arange(12.0).reshape(3, 4) / 12
    drawn = report(layer_scores=scores, best_layers=(2, 3)).plot()
    axes = drawn.axes[0]
    np.testing.assert_array_equal(axes.images[0].get_array(), scores)
    (frame,) = axes.patches
    assert frame.get_xy() == (2.5, 1.5)
    assert axes.get_xlabel() == "layer of <bge> & co"
    assert list(report(layer_scores=scores).figures()) == ["layers", "null"]
    assert not list(layer_grid(scores, None, title="t", x="a", y="b", label="cka").axes[0].patches)


def test_curve_trend_and_map_show_their_numbers():
    sizes = np.array([100.0, 1000.0])
    axes = gallery_curve([Curve("k = 10", sizes, sizes / 1e4, sizes / 1e5, sizes / 2e4, sizes / 5e3)], title="t", label="s").axes[0]
    assert axes.get_xscale() == "log"
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), sizes / 1e4)
    names, against, scores = ["a", "b", "c"], np.array([1.0, 10.0, 100.0]), np.array([0.1, 0.2, 0.3])
    drawn = trend(
        names, against, scores, title="t", x="loss", y="s", logarithmic=True, line=(0.1, 0.1), families=["f", "g", "f"],
        buckets=[Bucket(1, 10, 0.15, np.nan, 2), Bucket(100, 100, 0.3, 0.01, 1)],
    )  # fmt: skip
    scatter, bars = drawn.axes
    assert sorted(tuple(point) for cloud in scatter.collections for point in cloud.get_offsets()) == list(zip(against, scores, strict=True))
    np.testing.assert_allclose(scatter.lines[0].get_ydata()[[0, -1]], [0.1, 0.3])
    assert [patch.get_height() for patch in bars.patches] == [0.15, 0.3]
    points = np.array([[0.0, 1.0], [2.0, 0.0], [1.0, 1.0]])
    chart = model_map(names, points, title="t", families=["f", "g", "f"]).axes[0]
    np.testing.assert_array_equal(np.concatenate([cloud.get_offsets() for cloud in chart.collections]), points[[0, 2, 1]])
    np.testing.assert_array_equal(model_map(names, points[:, :1], title="t").axes[0].collections[0].get_offsets()[:, 1], 0)


def of_trend(against, **told):
    values = {
        "title": "t",
        "x": "parameters",
        "y": "score",
        "logarithmic": False,
        "line": (0.5, 0.25),
        "buckets": [Bucket(1, 2, 0.3, 0.1, 2)],
    }
    return trend(["a", "b", "c"], np.array(against), np.array([0.1, 0.2, 0.3]), **{**values, **told})


def test_numbers_that_span_decades_are_on_a_logarithmic_axis_where_the_line_is_a_curve():
    axes = of_trend([1.0, 10.0, 100.0]).axes[0]
    assert (axes.get_xscale(), axes.get_xlabel()) == ("log", "parameters")
    x, y = axes.lines[0].get_data()
    np.testing.assert_allclose(y, 0.25 + 0.5 * x)
    assert len(x) > 50
    assert of_trend([1.0, 10.0, 99.0]).axes[0].get_xscale() == "linear"
    assert of_trend([0.0, 10.0, 100.0]).axes[0].get_xscale() == "linear"
    fitted = of_trend([2.0, 4.0, 8.0], logarithmic=True).axes[0]
    x, y = fitted.lines[0].get_data()
    np.testing.assert_allclose(y, 0.25 + 0.5 * np.log10(x))
    assert fitted.get_xscale() == "log"


def test_dates_are_dates():
    days = [float((np.datetime64(date) - np.datetime64("1970-01-01")).astype(int)) for date in ("2021-01-01", "2022-06-01", "2024-01-01")]
    drawn = of_trend(days, dated=True, x="date", buckets=[Bucket(days[0], days[1], 0.3, 0.1, 2)])
    drawn.canvas.draw()
    assert drawn.axes[0].get_xscale() == "linear"
    assert {"2021", "2022", "2023", "2024"} <= {label.get_text() for label in drawn.axes[0].get_xticklabels()}
    assert drawn.axes[1].get_xticklabels()[0].get_text() == "2021-01-01\nto 2022-06-01\n(2)"


def test_controls_and_comparisons_show_scores_and_differences():
    own = entry(10, 0.5, np.zeros(9))
    weak = entry(10, 0.2, np.zeros(9))
    controls = {
        "pixels": Control(SpaceUse("pixels", "p", 1), "x", {10: weak}, {10: Difference(0.3, Interval(0.2, 0.4), 0.004)}),
        "random": Control(SpaceUse("random", "r", 1), "y", {10: weak}, {10: Difference(0.3)}),
    }
    told = report(own, controls=controls)
    assert list(told.figures()) == ["controls", "null"]
    scores, differences = told.plot().axes
    assert [label.get_text() for label in scores.get_yticklabels()] == ["clip and <bge> & co", "pixels and <bge> & co", "random and clip"]
    assert [label.get_text() for label in differences.get_yticklabels()] == ["over pixels", "over random"]
    points = [spots.get_offsets()[0][0] for spots in differences.collections if type(spots).__name__ == "PathCollection"]
    assert points == [0.3, 0.3]
    assert "p = .004" in [text.get_text() for text in differences.texts]
    compared = AlignmentComparison(told, report(weak), {10: Difference(0.3, Interval(0.2, 0.4), 0.004)})
    scores, differences = compared.plot(kind="comparison").axes
    assert len(scores.get_yticklabels()) == 2
    assert [label.get_text() for label in differences.get_yticklabels()] == ["first less second"]


def test_the_page_shows_controls_and_comparisons(tmp_path):
    weak = entry(10, 0.2, np.zeros(9))
    gap = Difference(0.3, Interval(0.2, 0.4), 0.004)
    told = report(controls={"pixels": Control(SpaceUse("pixels", "p", 1), "x", {10: weak}, {10: gap})})
    write_report(tmp_path / "page.html", [told, AlignmentComparison(told, report(weak), {10: gap})])
    page = (tmp_path / "page.html").read_text()
    assert page.count('<figure class="controls">') == page.count('<figure class="comparison">') == 1
    assert "control pixels for x" in page
    assert page.count('class="methods"') == 2


def test_the_consensus_shows_each_space_and_the_items():
    scores, agreement = np.array([0.3, 0.1, 0.2]), np.random.default_rng(0).uniform(0, 1, 200)
    low, high, chance = scores - 0.05, scores + 0.05, np.full(3, 0.01)
    drawn = consensus(
        ["a", "b", "c"], scores, low, high, chance, agreement=agreement, item_chance=0.02, title="t", label="s", item_label="i"
    )
    spaces, items = drawn.axes
    assert [label.get_text() for label in spaces.get_yticklabels()] == ["b", "c", "a"]
    np.testing.assert_array_equal(spaces.collections[1].get_offsets()[:, 0], [0.1, 0.2, 0.3])
    assert sum(patch.get_height() for patch in items.patches) == 200
    assert items.lines[1].get_xdata()[0] == pytest.approx(agreement.mean())
    alone = consensus(["a"], *(np.ones((4, 1))), agreement=np.empty(0), item_chance=0.02, title="t", label="s", item_label="i")
    assert len(alone.axes) == 1


@pytest.mark.parametrize(("name", "magic"), [("a.png", b"\x89PNG"), ("a.svg", b"<?xml"), ("a.pdf", b"%PDF")])
def test_the_same_result_writes_the_same_bytes(tmp_path, name, magic):
    for place in ("1", "2"):
        (tmp_path / place).mkdir()
        report().plot(tmp_path / place / name)
    once, twice = ((tmp_path / place / name).read_bytes() for place in ("1", "2"))
    assert once == twice
    assert once.startswith(magic)


def test_what_cannot_be_drawn_is_refused(tmp_path, monkeypatch):
    with pytest.raises(InvalidArgumentError, match=r"nothing to draw.*ask permutations"):
        report(AlignmentAtK(10, 0.1, 0.01, 0.1, Interval(0, 1))).plot()
    with pytest.raises(InvalidArgumentError, match=r"nothing to draw.*leave stop_after out"):
        dataclasses.replace(report(AlignmentAtK(10, 0.1, 0.01, 0.1, Interval(0, 1))), stop_after=20).plot()
    with pytest.raises(InvalidArgumentError, match="no figure 'map'; there are null"):
        report().plot(kind="map")
    with pytest.raises(InvalidArgumentError, match=r"'a.gif' must end in .png"):
        report().plot(tmp_path / "a.gif")
    with pytest.raises(InvalidArgumentError, match="No such file"):
        report().plot(tmp_path / "none" / "a.png")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=r"consilience\[report\]"):
        report().plot()


def test_the_page_is_whole_in_itself(tmp_path):
    results = [report(warnings=("only 12 items < 50",)), matrix()]
    write_report(tmp_path / "page.html", results, title="Brains & <models>")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    write_report(tmp_path / "again.html", results, title="Brains & <models>")
    assert (tmp_path / "again.html").read_text(encoding="utf-8") == page
    assert "<title>Brains &amp; &lt;models&gt;</title>" in page
    assert "only 12 items &lt; 50" in page
    assert page.count('<p class="subject">clip@1 and &lt;bge&gt; &amp; co@2</p>') == 1
    assert not re.search(r"<script|<link|<img|@import|url\((?!#)", page)
    # Names of XML vocabularies are the only addresses: nothing is fetched.
    fetched = re.findall(r"""(?:src|href)\s*=\s*["'](?!#|data:)[^"']*""", page)
    assert fetched == []
    pictures = re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL)
    assert len(pictures) == 2
    ids = [name for picture in pictures for name in re.findall(r'\bid="([^"]+)"', picture)]
    assert len(set(ids)) == len(ids)
    for picture in pictures:
        ET.fromstring(picture)
        used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', picture))
        assert used <= set(ids)
    told = [
        json.loads(html.unescape(text)) for text in re.findall(r"<summary>All numbers, as JSON</summary><pre>(.*?)</pre>", page, re.DOTALL)
    ]
    assert told == [json.loads(json.dumps(result.to_dict())) for result in results]


def test_a_page_has_every_k(tmp_path):
    null = np.random.default_rng(0).normal(0.01, 0.002, 99)
    write_report(tmp_path / "page.html", report(entry(10, 0.135, null), entry(20, 0.212, null)))
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<pre>@20 = 0.212 [0.202, 0.222]" in page


def test_a_page_needs_results_and_a_path_of_a_page(tmp_path):
    with pytest.raises(InvalidArgumentError, match="at least one result"):
        write_report(tmp_path / "a.html", [])
    with pytest.raises(InvalidArgumentError, match=r"must end in \.html"):
        write_report(tmp_path / "a.txt", report())
    with pytest.raises(InvalidArgumentError, match="cannot be written"):
        write_report(tmp_path / "none" / "a.html", report())
