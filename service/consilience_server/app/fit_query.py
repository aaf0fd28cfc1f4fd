"""What a fit is asked for."""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from consilience_server.app.alignment_spec import SpaceQuery
from consilience_server.app.known_pairs import check_pairs
from consilience_server.app.validation import check_name, shown
from consilience_server.bridges.choose import METHODS, TRAINED, MethodChoice
from consilience_server.bridges.stitching_options import StitchingOptions, check_stitching
from consilience_server.core.errors import InvalidArgument, NotServed, UnknownMethod

METHOD_CHOICES: tuple[MethodChoice, ...] = ("auto", *METHODS, *TRAINED, "unsupervised")
_MOST_HELD_OUT = 0.9
_MOST_PENALTIES = 100
_MAX_SEED = 2**64 - 1

_LATER = ("keep_unconverged", "attribute", "stitching")
"""Options that a digest leaves out where they are not used: those of requests from before them stay what they were."""


@dataclass(frozen=True)
class FitQuery:
    """What to fit.

    Attributes:
        name: the bare id of the bridge to be.
        source: where vectors come from.
        target: where they go.
        method: `auto` fits all that the pairs support and keeps the best; `unsupervised` is fitted on no pairs, measured on those named.
        item_ids: source items of the pairs; empty: all items common to both spaces, for `unsupervised` none.
        target_ids: their partners where the two sides have different ids; empty: the same ids.
        held_out_fraction: share of the pairs kept out of the fit for the report, in (0, .9].
        seed: of the choice of held-out pairs, 0 to 2^64 - 1.
        penalties: ridge penalties to try, in units of the mean eigenvalue; empty: the server's.
        request_id: the same id and query again answer the bridge that the first made.
        keep_unconverged: keep a bridge without pairs even where it did not converge; of no meaning for other methods.
        attribute: joins the pairs instead of ids, many-to-many: items of equal value; empty for pairs by id.
        stitching: how a stitching layer is trained; None: linear by name, a residual MLP where `auto` trains one. For other methods None.
    """

    name: str
    source: SpaceQuery
    target: SpaceQuery
    method: MethodChoice = "auto"
    item_ids: Sequence[str] = ()
    target_ids: Sequence[str] = ()
    held_out_fraction: float = 0.2
    seed: int = 0
    penalties: Sequence[float] = ()
    request_id: str = ""
    keep_unconverged: bool = False
    attribute: str = ""
    stitching: StitchingOptions | None = None

    @property
    def layer(self) -> StitchingOptions:
        """What a stitching layer is trained as, the defaults filled in."""
        return self.stitching or StitchingOptions("residual_mlp" if self.method == "auto" else "linear")


def check_fit(query: FitQuery) -> None:
    """What can be refused before anything is read."""
    check_name(query.name, "bridge_id")
    if query.method not in METHOD_CHOICES:
        raise UnknownMethod(f"{query.method!r} is no bridge method; choose one of {', '.join(METHOD_CHOICES)}", field="method")
    if not 0 < query.held_out_fraction <= _MOST_HELD_OUT:
        raise InvalidArgument(
            f"held_out_fraction is {query.held_out_fraction}; it must be above 0 and at most {_MOST_HELD_OUT}", field="held_out_fraction"
        )
    if not 0 <= query.seed <= _MAX_SEED:
        raise InvalidArgument(f"the seed is {query.seed}; it must be 0 to 2^64 - 1", field="seed")
    bad = [penalty for penalty in query.penalties if not (math.isfinite(penalty) and penalty >= 0)]
    if bad or len(query.penalties) > _MOST_PENALTIES:
        raise InvalidArgument(
            f"penalties must be at most {_MOST_PENALTIES} finite numbers from 0 on, in units of the mean eigenvalue; got {shown(bad)}"
            if bad
            else f"{len(query.penalties)} penalties; at most {_MOST_PENALTIES} are tried",
            field="penalties",
        )
    if query.attribute and query.method in TRAINED:
        raise NotServed("stitching layers are trained on pairs by id; leave the attribute out, or use ridge", field="pairs.attribute")
    if query.stitching is not None:
        if query.method not in ("auto", *TRAINED):
            raise InvalidArgument(
                f"architecture, loss and what belongs to them are of stitching layers; the method is {query.method!r}: leave them out, "
                "or use method stitching_layer",
                field="architecture",
            )
        check_stitching(query.stitching)
    check_pairs(query.item_ids, query.target_ids, query.attribute)
    if query.attribute and query.method == "unsupervised":
        raise NotServed(
            "a fit without pairs measures pairs by id; leave the attribute out, and measure the bridge by it with evaluate_bridge",
            field="pairs.attribute",
        )


def fit_digest(query: FitQuery) -> str:
    """Of everything that was asked but the request id."""
    asked = {key: value for key, value in asdict(query).items() if key != "request_id" and (value or key not in _LATER)}
    return hashlib.blake2b(json.dumps(asked, sort_keys=True).encode(), digest_size=16).hexdigest()
