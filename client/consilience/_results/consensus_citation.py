"""A methods sentence of a consensus: every parameter that it takes to repeat the numbers."""

from dataclasses import replace
from typing import Any

from consilience._results import sources
from consilience._results.base import number, probability
from consilience._results.citation import (
    chosen,
    computed,
    form,
    intervals,
    listed,
    metric_source,
    nearness,
    null_of,
    ranged,
    side,
    stopped,
)
from consilience._results.matrix_citation import left_out


def cite_consensus(report: Any) -> str:
    """The sentences of a `ConsensusReport` (which imports this file, so that its type cannot stand here)."""
    return " ".join([_made(report), _left_out(report), _agreed(report), computed(report.engine)])


def _made(report: Any) -> str:
    method = sources.CONSENSUS.get(report.method, report.method)
    rules = [f"{side(use, '')} as {rule}" for use, rule in zip(report.versions, report.kernel_rules, strict=False) if rule]
    kernels = f", with the stored matrices of {listed(rules)}" if rules else ""
    # The consensus is of all common items: only the alignments with it are of a sample.
    dropped = "" if report.measurement is None else left_out(replace(report.measurement, sampled_items=None))
    rest = "" if report.converged else ", still moving"
    rounds = f" ({report.iterations:,} rounds{rest})" if report.iterations else ""
    # Random spaces score higher than 1/M: their kernels have a positive part in common, and rotation fits chance.
    nothing = (
        f" and {number(1.0 / len(report.spaces))} no inner product in common, more by chance" if report.method == "mean_kernel" else ""
    )
    asked = f" of at most {report.rank:,}" if report.rank else ""
    return (
        f"The consensus of {listed([side(use, '') for use in report.versions])} was taken as {method}{rounds}, from the spaces as "
        f"stored{kernels}, over the {report.n:,} items common to all{dropped}, in {report.dim:,}{asked} axes with {report.kept:.1%} of its "
        f"variance; its squared norm was {number(report.ratio)}, where 1 is one and the same space{nothing}."
    )


def _left_out(report: Any) -> str:
    """Each space with the consensus of the others."""
    first = report.leave_one_out[0]
    ks = f" with k = {first.k:,}" if first.k else form(first).removesuffix(",")
    asked = ""
    if first.sampled_items is not None:
        asked = f", over {first.n:,} of them, a sample by a hash of their ids"
    elif first.n != first.gallery:
        asked = f", {first.n:,} queries {chosen(first)} among the {first.gallery:,} items"
    told = []
    for name, each in zip(report.spaces, report.leave_one_out, strict=True):
        p_value = "" if each.p_value is None else f", {probability(each.p_value, each.permutations)}"
        told.append(f"{name} {ranged(each.score, each.interval)}, chance {number(each.chance)}{p_value}")
    tested = "" if first.p_value is None else (f" {null_of(first.permutations, first.seed, first.within)}.{stopped(report.leave_one_out)}")
    return (
        f"Each space was aligned with the consensus of the others by {metric_source(first.metric)}{ks}{asked}{nearness(first)}: "
        f"{'; '.join(told)} ({intervals(first)}).{tested}"
    )


def _agreed(report: Any) -> str:
    return (
        f"The items' agreement, the mean overlap of their {report.k:,} nearest over all pairs of spaces, was "
        f"{number(report.mean_agreement)} on average, chance {number(report.chance)}."
    )
