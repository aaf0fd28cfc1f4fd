"""The command `curve`: what it hands on and prints."""

import numpy as np
import pytest

from consilience._results.alignment_at_k import AlignmentAtK, Interval
from consilience._results.alignment_report import AlignmentReport
from consilience._results.gallery_curve import CurveLine, GalleryCurve
from consilience.commands.curve import curve, parse_sizes
from consilience.errors import InvalidArgumentError


class Answering:
    def gallery_curve(self, *arguments, **options):
        self.asked = arguments, options
        told = np.array([0.5, 0.25])
        line = CurveLine("k = 3", np.array([3, 3]), told, told / 10, told, told, told, told - 0.1, told + 0.1)
        top = AlignmentAtK(3, 0.5, 0.05, 0.4, Interval(0.4, 0.6))
        report = AlignmentReport(metric="mutual_knn", by_k={3: top}, interval_kind="items", n=9, gallery=9)
        return GalleryCurve("mutual_knn", np.array([10, 100]), np.array([10, 100]), (line,), (report, report), ("beware",))


def test_options_are_handed_on_and_the_curve_is_printed():
    client = Answering()
    told = curve(client, "a", "b", k="3,n/10", sizes="10,100", permutations=0)
    (x, y), options = client.asked
    assert (x, y, options["ks"], options["sizes"], options["permutations"]) == ("a", "b", [3, "n/10"], [10, 100], 0)
    assert told.text.splitlines() == [
        "mutual_knn in nested galleries of 10, 100 items",
        f"k = 3 {'0.500 (chance 0.050)':>22} {'0.250 (chance 0.025)':>22}",
        "caution: beware",
    ]
    curve(client, "a", "b")
    assert client.asked[1]["sizes"] is None


def test_sizes_are_whole_numbers():
    assert parse_sizes("64,128") == [64, 128]
    with pytest.raises(InvalidArgumentError, match="whole numbers"):
        parse_sizes("64,n")
