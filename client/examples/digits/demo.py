"""Do encoders that learned apart see the same digits alike? And can one find in its own space what another shows it?

1797 images of handwritten digits, seen by descriptors, a linear map and small networks with different objectives, raw pixels and an
untrained network as controls. 597 images train the encoders; everything below is measured on the 1,200 that no encoder learned from.
"""

import argparse
import shutil
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
from encoders import ENCODERS, Digits, embed
from figures import draw_alignment, draw_matches
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.rule import Rule
from rich.table import Table
from server import Server, running_server
from sklearn.datasets import load_digits

from consilience import Client
from consilience.results import AlignmentMatrix, MatchResult

TRAIN, FIT = 597, 800
SOURCE, TARGET = "gradients", "autoencoder"
BRIDGE = f"{SOURCE}-to-{TARGET}"
K = 10
CONTROLS = sum(encoder.kind == "control" for encoder in ENCODERS)

console = Console(highlight=False, width=None if sys.stdout.isatty() else 100)


def heading(text: str) -> None:
    console.print()
    console.print(Rule(f"[bold]{text}", align="left", style="dim"))


def progress() -> Progress:
    return Progress(TextColumn("{task.description:<34}"), BarColumn(24), MofNCompleteColumn(), TimeElapsedColumn(), console=console)


def load() -> tuple[Digits, NDArray[np.int64]]:
    """The images, and the rows that encoders may not learn from, in an order drawn once."""
    bunch = load_digits()
    rows = np.random.default_rng(0).permutation(len(bunch.images))
    return Digits(bunch.images / 16, bunch.target, rows[:TRAIN]), rows[TRAIN:]


def encode(digits: Digits, unseen: NDArray[np.int64]) -> dict[str, NDArray[np.float32]]:
    heading(f"1  {len(ENCODERS)} encoders, each trained on the same {TRAIN} images")
    table = Table("encoder", "kind", "what it sees", "width", box=None, header_style="dim", padding=(0, 2, 0, 0))
    vectors = {}
    with progress() as bar:
        task = bar.add_task("encoding", total=len(ENCODERS))
        for encoder in ENCODERS:
            bar.update(task, description=encoder.name)
            vectors[encoder.name] = np.ascontiguousarray(embed(encoder, digits)[unseen])
            table.add_row(encoder.name, encoder.kind, encoder.sees, str(vectors[encoder.name].shape[1]))
            bar.advance(task)
        bar.update(task, description="encoded")
    console.print(table)
    return vectors


def upload(client: Client, vectors: dict[str, NDArray[np.float32]], ids: list[str], labels: NDArray[np.int64]) -> None:
    heading(f"2  One space for each, {len(ids):,} images that no encoder learned from")
    kinds = {encoder.name: encoder.kind for encoder in ENCODERS}
    with progress() as bar:
        task = bar.add_task("uploading", total=len(vectors))
        for name, rows in vectors.items():
            client.create_space(name, dim=rows.shape[1], similarity="cosine", modality="image", model=kinds[name])
            client.upsert(name, ids, rows, attributes={"label": labels.tolist()})
            bar.advance(task)


def timed_matrix(client: Client) -> tuple[AlignmentMatrix, float]:
    start = time.perf_counter()
    matrix = client.align_matrix([encoder.name for encoder in ENCODERS], k=K)
    return matrix, time.perf_counter() - start


def align(client: Client) -> AlignmentMatrix:
    heading(f"3  How far do they agree?  mutual_knn@{K}")
    with progress() as bar:
        task = bar.add_task("aligning all pairs", total=1)
        matrix, seconds = timed_matrix(client)
        bar.advance(task)
    names = matrix.spaces
    table = Table(box=None, header_style="dim", padding=(0, 1, 0, 0))
    table.add_column("score \\ excess")
    for number in range(len(names)):
        table.add_column(str(number + 1), justify="right")
    for i, name in enumerate(names):
        cells = [
            f"[bold]{matrix.scores[i, j]:.2f}[/]" if j > i else f"[dim]{matrix.excess[i, j]:.2f}[/]" if j < i else "·"
            for j in range(len(names))
        ]
        table.add_row(f"{i + 1} {name}", *cells)
    console.print(table)
    upper = np.triu_indices(len(names), 1)
    order = np.argsort(-matrix.scores[upper], kind="stable")
    rows = Table("pair", f"score [{matrix.confidence:.0%}]", "chance", "excess", "p", box=None, header_style="dim", padding=(0, 2, 0, 0))
    for place in (*order[:3], *order[-3:]):
        i, j = upper[0][place], upper[1][place]
        interval = f"{matrix.scores[i, j]:.3f} [{matrix.interval_low[i, j]:.3f}, {matrix.interval_high[i, j]:.3f}]"
        rows.add_row(
            f"{names[i]} · {names[j]}", interval, f"{matrix.chance[i, j]:.4f}", f"{matrix.excess[i, j]:.3f}", f"{matrix.p_values[i, j]:.3f}"
        )
    console.print()
    console.print("the three closest and the three most distant pairs")
    console.print(rows)
    console.print()
    console.print(
        f"{len(order)} pairs in {seconds:.2f} s; the largest p is {np.nanmax(matrix.p_values):.3f} ({matrix.permutations} permutations)."
    )
    place = {name: row for row, name in enumerate(names)}
    told = [f"{name} {matrix.scores[place[name], place['random-network']]:.2f}" for name in ("pixels", "classifier", "autoencoder")]
    learned = matrix.scores[place["classifier"], place["autoencoder"]]
    console.print("Above chance is easy here, all see the same pixels: read a score against the controls.")
    console.print(f"With the network that learned nothing: {', '.join(told)}. Classifier with autoencoder: {learned:.2f}.")
    return matrix


def repeat(client: Client, first: AlignmentMatrix) -> None:
    heading("4  The same question again")
    again, seconds = timed_matrix(client)
    same = "equal to the last digit" if again == first else "DIFFERENT"
    console.print(f"answered from {again.cache_tier or 'nowhere: computed anew'} in {seconds * 1000:.1f} ms, {same}")


def bridge_and_match(client: Client, ids: list[str], labels: NDArray[np.int64]) -> MatchResult:
    heading(f"5  A bridge from {SOURCE} to {TARGET}, fitted on {FIT} known pairs")
    with progress() as bar:
        task = bar.add_task("fitting", total=1)
        bridge = client.fit_bridge(SOURCE, TARGET, name=BRIDGE, method="auto", pair_ids=ids[:FIT])
        bar.advance(task)
    console.print(
        f"kept: {bridge.method}, the best of {', '.join(candidate.method for candidate in bridge.candidates)} on its own held-out pairs"
    )
    held_out = ids[FIT:]
    label_of = dict(zip(ids, labels.tolist(), strict=True))
    table = Table(
        f"{len(held_out)} queries in {len(ids):,}", "recall@1", "recall@5", "recall@10", "same digit@1", box=None, header_style="dim",
        padding=(0, 2, 0, 0),
    )  # fmt: skip
    share = np.bincount(labels) / len(labels)
    table.add_row("chance", *(f"{k / len(ids):.3f}" for k in (1, 5, 10)), f"{(share**2).sum():.3f}")
    for correction in ("none", "csls"):
        found = client.match(query_ids=held_out, bridge=BRIDGE, k=10, correction=correction)
        right = found.ids == np.asarray(held_out, object)[:, None]
        same_digit = np.mean([label_of[best] == label_of[query] for best, query in zip(found.ids[:, 0], held_out, strict=True)])
        table.add_row(f"correction {correction}", *(f"{right[:, :k].any(axis=1).mean():.3f}" for k in (1, 5, 10)), f"{same_digit:.3f}")
    console.print(table)
    return found


def mutual_pairs(client: Client, ids: list[str]) -> None:
    heading("6  Pairs that are each other's nearest across the bridge")
    pairs = client.mutual_pairs(SOURCE, TARGET, bridge=BRIDGE, correction="csls")
    held_out = set(ids[FIT:])
    mined = [(source, target) for source, target in zip(pairs.source_ids, pairs.target_ids, strict=True) if source in held_out]
    right = sum(source == target for source, target in mined)
    console.print(f"{len(pairs):,} mutual pairs of {len(ids):,} possible")
    console.print(
        f"of {len(held_out)} images that the bridge was not fitted on, {len(mined)} are in one, "
        f"{right} with their true partner: precision {right / max(len(mined), 1):.3f}"
    )


def show_metrics(server: Server, output: Path) -> None:
    heading("7  What the server counted")
    with urllib.request.urlopen(server.metrics, timeout=10) as response:  # noqa: S310 - the server that this program started
        text = response.read().decode()
    (output / "metrics.txt").write_text(text)
    console.print(f"{server.metrics} while it runs; a copy lies in {output}/metrics.txt:")
    shown = ("consilience_cache_requests_total", "consilience_certified_rows_total", "consilience_refined_rows_total", "consilience_spaces")
    for line in text.splitlines():
        if line.startswith(shown) and not line.endswith(" 0.0"):
            console.print(f"  {line}", markup=False)


def draw(output: Path, digits: Digits, unseen: NDArray[np.int64], ids: list[str], matrix: AlignmentMatrix, found: MatchResult) -> None:
    heading("8  Pictures")
    measured = f"mutual_knn@{matrix.k} of {int(matrix.n.max()):,} images that no encoder learned from"
    subtitle = f"{measured}; chance {matrix.chance[0, 1]:.4f}, every p <= {np.nanmax(matrix.p_values):.3f}; controls in italics"
    title = "How far do encoders of the same images agree?"
    draw_alignment(output / "alignment.png", matrix.spaces, CONTROLS, matrix.scores, title, subtitle)
    row_of = dict(zip(ids, unseen.tolist(), strict=True))
    shown = np.random.default_rng(1).choice(len(found), 7, replace=False)
    images = np.stack([[digits.images[row_of[item]] for item in found.ids[query, :6]] for query in shown])
    queries = digits.images[[row_of[ids[FIT + query]] for query in shown]]
    right = np.stack([found.ids[query, :6] == ids[FIT + query] for query in shown])
    draw_matches(output / "matches.png", queries, images, right, f"{SOURCE} ask, {TARGET} answers: held-out queries, true partner framed")
    console.print(f"{output}/alignment.png    the matrix")
    console.print(f"{output}/matches.png      queries and what the bridge found for them")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("demo-output"), help="folder for the store, the pictures and the log")
    output = parser.parse_args().output
    output.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(output / "store", ignore_errors=True)
    start = time.perf_counter()
    digits, unseen = load()
    ids = [f"digit-{row:04d}" for row in unseen]
    labels = digits.labels[unseen]
    vectors = encode(digits, unseen)
    with running_server(output.resolve()) as server, Client(server.address) as client:
        upload(client, vectors, ids, labels)
        matrix = align(client)
        repeat(client, matrix)
        found = bridge_and_match(client, ids, labels)
        mutual_pairs(client, ids)
        show_metrics(server, output)
        draw(output, digits, unseen, ids, matrix, found)
    console.print()
    console.print(f"[bold]Done in {time.perf_counter() - start:.0f} s.[/] The server is stopped; its store and log lie in {output}/.")


if __name__ == "__main__":
    main()
