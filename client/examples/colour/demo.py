"""Do photographs know how colours look to people? The paper's figure 8 (Huh et al. 2024), on photographs that packages bundle.

Which colours stand beside each other in photographs is counted, turned into a kernel of pointwise mutual information, and compared with
CIELAB, the space that was built from what people see. Nothing is learned and no one is asked.
"""

import argparse
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from cielab import to_cielab
from figures import draw
from numpy.typing import NDArray
from photographs import bundled_photographs, quantise
from scaling import metric_mds, overlay
from scipy.spatial.distance import pdist, squareform
from scipy.stats import rankdata, zscore

from consilience import Client
from consilience.cooccurrence import from_pixels

RADIUS, LEVELS, LEAST, SMOOTHING, K = 4, 8, 100, 0.5, 10
PERMUTATIONS = 999


def rank_correlation(x: NDArray[np.float64], y: NDArray[np.float64], seed: int = 0) -> tuple[float, float]:
    """Spearman's rho of two (n, n) dissimilarities over all pairs, and its p over random pairings of the items (Mantel 1967)."""
    random = np.random.default_rng(seed)
    ours, theirs = (zscore(rankdata(squareform(side, checks=False))) for side in (x, y))
    square, observed = squareform(theirs), float(ours @ theirs) / len(ours)
    reached = 0
    for _ in range(PERMUTATIONS):
        order = random.permutation(len(x))
        reached += float(ours @ squareform(square[np.ix_(order, order)], checks=False)) / len(ours) >= observed
    return observed, (1 + reached) / (PERMUTATIONS + 1)


def shuffled(images: list[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
    """The same pixels in random places of their photograph: the control that knows which colours share one, not what stands beside what."""
    random = np.random.default_rng(0)
    return [random.permutation(image.ravel()).reshape(image.shape) for image in images]


def run(out: Path, photographs: Mapping[str, NDArray[np.uint8]], starts: int = 10) -> dict[str, float]:
    """Everything, with the picture in `out`; the numbers that it prints."""
    colours = quantise(list(photographs.values()), LEVELS, LEAST)
    print(f"{len(photographs)} photographs ({', '.join(photographs)}), {colours.pixels.sum():,} pixels, {len(colours.ids)} colours")
    lab = to_cielab(colours.rgb)
    with tempfile.TemporaryDirectory() as folder, Client.local(folder) as client:
        for name, images in (("photographs", list(colours.images)), ("shuffled-pixels", shuffled(list(colours.images)))):
            counts = from_pixels(images, RADIUS, ids=colours.ids)
            print(client.pmi_space(name, None, counts, form="kernel", positive=False, smoothing=SMOOTHING, modality="image"))
        client.create_space("cielab", dim=3, similarity="squared_l2", model="CIE 1976")
        client.upsert("cielab", colours.ids, lab)
        found = client.align("photographs", "cielab", k=K)
        control = client.align("shuffled-pixels", "cielab", k=K)
        kept = client.get_embeddings("photographs")
    print(f"photographs with CIELAB      {found}")
    print(f"shuffled pixels with CIELAB  {control}")
    row = {item: at for at, item in enumerate(kept.ids)}
    order = [row[item] for item in colours.ids]
    dissimilarity = np.asarray(kept.vectors, dtype=np.float64)[np.ix_(order, order)]
    seen = squareform(pdist(lab))
    rho, p = rank_correlation(dissimilarity, seen)
    print(f"rank correlation of all pairs {rho:.3f}, p <= {p:.3f} over {PERMUTATIONS} random pairings of the colours (chance 0)")
    points, stress = metric_mds(dissimilarity, starts=starts)
    laid = overlay(points, lab)
    print(f"three axes (MDS, stress {stress:.3f}) laid over CIELAB hit {laid.explained:.1%} of its variance")
    out.mkdir(parents=True, exist_ok=True)
    paths = [out / "colour.png", out / "colour.svg"]
    draw(
        paths,
        colours.rgb,
        colours.pixels,
        lab,
        laid.points,
        (squareform(seen, checks=False), squareform(dissimilarity, checks=False)),
        (
            f"{len(colours.ids)} colours in CIELAB; size is how common\na colour is in {len(photographs)} photographs",
            f"PMI within {RADIUS} pixels, laid over CIELAB\nmutual {K}-NN {found.score:.2f} · chance {found.chance:.2f}",
            f"median and middle half\nSpearman {rho:.2f} · p = {p:.3f}",
        ),
    )
    print(f"figure: {paths[0]}, {paths[1]}")
    return {"score": found.score, "chance": found.chance, "control": control.score, "rho": rho, "p": p, "explained": laid.explained}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("colour-output"), help="where the figure goes")
    begun = time.perf_counter()
    run(parser.parse_args().out, bundled_photographs())
    print(f"{time.perf_counter() - begun:.0f} s")
