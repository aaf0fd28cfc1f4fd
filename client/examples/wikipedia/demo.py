"""Cross-modal retrieval of Wikipedia articles: correlation matching, and semantic correlation matching on top of it.

Needs the features of Rasiwasia et al. 2010 as one .npz file (`image_train`, `text_train`, `image_test`, `text_test`, `class_train`,
`class_test`): 2,173 pairs of an image (128 SIFT words) and a text (10 topics) to learn from, 693 to search, in ten classes.

    python client/examples/wikipedia/demo.py wikipedia.npz
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from scm import Posteriors, canonical_directions, mean_average_precision

from consilience import Client

CORRELATED, SEMANTIC = 7, 9
"""Canonical components of correlation matching, and those that semantic correlation matching learns classes from: as published."""


def run(client: Client, path: Path) -> dict[str, dict[str, float]]:
    """Mean average precision over the 693 test articles, by method and what asks.

    Args:
        client: keeps the spaces and ranks.
        path: of the features.
    """
    data = np.load(path, allow_pickle=False)
    sides = ("image", "text")
    means = {side: data[f"{side}_train"].mean(axis=0) for side in sides}
    train, test = ({side: data[f"{side}_{part}"] - means[side] for side in sides} for part in ("train", "test"))
    directions = dict(zip(sides, canonical_directions(train["image"], train["text"], SEMANTIC), strict=True))
    # Classes in any numbering become 0, 1, 2, ...
    labels = np.unique(np.concatenate((data["class_train"], data["class_test"])), return_inverse=True)[1]
    learned, asked = labels[: len(data["class_train"])], labels[len(data["class_train"]) :]
    told = {}
    correlated = {side: test[side] @ directions[side][:, :CORRELATED] for side in sides}
    told["correlation"] = compare(client, "correlation", correlated, asked)
    semantic = {}
    for side in sides:
        posteriors = Posteriors(train[side] @ directions[side], learned)
        semantic[side] = posteriors(test[side] @ directions[side])
    told["semantic correlation"] = compare(client, "semantic", semantic, asked)
    return told


def compare(client: Client, name: str, vectors: dict[str, np.ndarray], classes: np.ndarray) -> dict[str, float]:
    """Keep both sides as spaces, let each ask the other for its whole ranking, and score that."""
    ids = [f"article-{row:04d}" for row in range(len(classes))]
    class_of = dict(zip(ids, classes, strict=True))
    for side, rows in vectors.items():
        client.create_space(f"wikipedia-{name}-{side}", dim=rows.shape[1], modality=side)
        client.upsert(f"wikipedia-{name}-{side}", ids, rows, attributes={"label": classes.tolist()})
    told = {}
    for asking, asked in (("image", "text"), ("text", "image")):
        found = client.match(queries=vectors[asking], space=f"wikipedia-{name}-{asked}", k=len(ids))
        told[asking] = mean_average_precision(np.vectorize(class_of.get)(found.ids), classes)
    return told


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("features", type=Path)
    parser.add_argument("--address", help="a server; without one the engine runs in this process")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Client(arguments.address) if arguments.address else Client.local(folder) as client:
        told = run(client, arguments.features)
    print(f"{'mean average precision':24}image asks   text asks")
    for method, values in told.items():
        print(f"{method:24}{values['image']:10.3f}{values['text']:12.3f}")


if __name__ == "__main__":
    main()
