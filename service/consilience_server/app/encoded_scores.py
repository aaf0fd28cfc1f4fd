"""Scores as bytes, for the cache: every number to the bit, no pickle."""

import json
from collections.abc import Sequence
from dataclasses import fields

import numpy as np

from consilience_server.core.score import Interval, Score

_APART = {"interval", "null", "fit"}
_PLAIN = tuple(field.name for field in fields(Score) if field.name not in _APART)


def encode_scores(scores: Sequence[Score]) -> bytes:
    """Scores with their nulls; `fit`, which no matrix tells, is left out.

    One line of JSON (Python writes the shortest decimal that reads back as the same float64), then the nulls as little-endian float64.
    """
    told = [
        {
            **{name: getattr(score, name) for name in _PLAIN},
            "interval": [score.interval.low, score.interval.high, score.interval.confidence, score.interval.kind],
            "null": None if score.null is None else len(score.null),
        }
        for score in scores
    ]
    nulls = [score.null.astype("<f8").tobytes() for score in scores if score.null is not None]
    return json.dumps(told).encode() + b"\n" + b"".join(nulls)


def decode_scores(value: bytes) -> list[Score]:
    """What `encode_scores` encoded."""
    head, _, rest = value.partition(b"\n")
    found, start = [], 0
    for told in json.loads(head):
        count, null = told.pop("null"), None
        if count is not None:
            null = np.frombuffer(rest, "<f8", count, start).astype(np.float64)
            start += 8 * count
        low, high, confidence, kind = told.pop("interval")
        found.append(Score(**told, interval=Interval(low, high, confidence, kind), null=null))
    return found
