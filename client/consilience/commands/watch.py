"""`consilience watch`: create, list, show, run, rebaseline, history, delete."""

from typing import Annotated

import typer

from consilience._results.base import plain
from consilience._results.watch import Watch
from consilience._sync.client import Client
from consilience.commands.connected import Answer, answer, shows_progress
from consilience.commands.exit_codes import ALARM

NameArgument = Annotated[str, typer.Argument(help="The watch.")]


def create(
    client: Client,
    x: Annotated[str, typer.Argument(help="A space.")],
    y: Annotated[str, typer.Argument(help="Another space.")],
    name: Annotated[str, typer.Argument(help="Name of the new watch.")],
    *,
    k: Annotated[int, typer.Option("-k", "--k", help="Neighbours a list.")] = 10,
    metric: Annotated[str, typer.Option(help="mutual_knn, lcs_knn or edit_distance_knn.")] = "mutual_knn",
    probes: Annotated[int, typer.Option(help="Items asked at every check, chosen by a hash.")] = 4096,
    seed: Annotated[int, typer.Option(help="Chooses the probes.")] = 0,
    min_drop: Annotated[
        float | None, typer.Option(help="A smaller drop never alarms; by default a tenth of what the baseline scores above chance.")
    ] = None,
    alpha: Annotated[float, typer.Option(help="Chance of ever raising a false alarm while one baseline stands.")] = 0.05,
    on_versions: Annotated[bool, typer.Option(help="Check when a space has a new version.")] = True,
    every: Annotated[float | None, typer.Option(help="Check at this interval, in seconds.")] = None,
) -> Answer:
    """Take the alignment of two spaces as a baseline, and watch whether it drops."""
    made = client.watch(
        x,
        y,
        name,
        k=k,
        metric=metric,
        probes=probes,
        seed=seed,
        min_drop=min_drop,
        alpha=alpha,
        on_versions=on_versions,
        every_seconds=every,
        progress=shows_progress(),
    )
    return answer(made)


def list_watches(client: Client) -> Answer:
    """All watches; the exit code is 6 where one alarms."""
    watches = client.list_watches()
    return Answer("\n".join(repr(watch) for watch in watches), plain(watches), ALARM if any(watch.alarm for watch in watches) else 0)


def show(client: Client, name: NameArgument) -> Answer:
    """A watch, its last result and the probes that fell most; the exit code is 6 where it alarms."""
    return _told(client.get_watch(name))


def run(client: Client, name: NameArgument) -> Answer:
    """Check now; the exit code is 6 where the alignment has dropped."""
    return _told(client.run_watch(name, progress=shows_progress()))


def rebaseline(client: Client, name: NameArgument) -> Answer:
    """Accept what is as the new baseline; the alarm ends."""
    return answer(client.rebaseline_watch(name, progress=shows_progress()))


def history(
    client: Client,
    name: NameArgument,
    *,
    limit: Annotated[int | None, typer.Option(help="The newest so many; all that are kept by default.")] = None,
) -> Answer:
    """Results, the newest first."""
    return answer(client.watch_history(name, limit=limit))


def delete(client: Client, name: NameArgument) -> Answer:
    """Remove a watch, its history and its gauges."""
    client.delete_watch(name)
    return Answer(f"watch {name} is deleted", {"deleted": name})


def _told(watch: Watch) -> Answer:
    last = watch.last_result
    fallen = (f"  {change.item_id}\t{change.baseline_overlap:.2f} -> {change.overlap:.2f}" for change in last.fallen)
    return Answer("\n".join([repr(watch), f"  {last!r}", *fallen]), watch.to_dict(), ALARM if watch.alarm else 0, [watch])
