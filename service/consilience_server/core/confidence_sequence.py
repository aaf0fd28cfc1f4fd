"""Bounds on a mean of differences that may be looked at for ever: what a watch alarms on.

**The random object.** Each item of a fixed gallery has, at each version, a difference d in [-1, 1]: its overlap now less its overlap at the
baseline. What is asked is the mean over the gallery; what is seen is the mean over the probes, a simple random sample drawn once, before
any version was seen. Versions follow each other in any way and share the same probes, so their means err together: asking the same probes
again multiplies no evidence, and a martingale over versions would turn one unlucky sample into certainty. So chance enters at one place
only, the draw of the probes, and is paid for at every check:

- within a check by a bet: a value that is 1 on average where the mean is what the null says, hence seldom large (Markov);
- over checks by a union bound: check t has the level alpha / (t (t + 1)), which sum to alpha. No independence of versions is needed.

The bets are those of Waudby-Smith and Ramdas 2024 ("Estimating means of bounded random variables by betting"), with fixed stakes, mixed:
the value does not depend on the order of the probes, and what holds for draws with replacement holds for draws without (Hoeffding 1963,
theorem 4: each bet is exp of a sum, and exp is convex). Where all items are probes the bounds speak of items like these.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

STAKES = 0.95 * 2.0 ** (-0.5 * np.arange(16))
"""Shares of the largest stake: 0.95 down to about 0.005. A mean gap g at variance v calls for about g / (v + g^2)."""

_CHUNK = 1 << 14
_HALVINGS = 50


def log_evidence(differences: NDArray[np.float64], mean: float) -> float:
    """The evidence against "the mean is `mean` or more", as the logarithm of a bet's outcome.

    ```
    E = 1/J sum_j prod_i (1 - c_j (d_i - mean) / (1 - mean)),   c_j in STAKES
    ```
    Each factor is positive, and 1 or less on average under the null, so P(E >= 1 / a) <= a. Increasing in `mean`.

    Args:
        differences: (m,) in [-1, 1], a simple random sample, with or without replacement.
        mean: in [-1, 1).

    Returns:
        log E; 0 for no differences.
    """
    gains = (differences - mean) / (1.0 - mean)
    logs = np.zeros(len(STAKES))
    for start in range(0, len(gains), _CHUNK):
        logs += np.log1p(-STAKES[:, None] * gains[start : start + _CHUNK]).sum(axis=1)
    return float(logsumexp(logs)) - math.log(len(STAKES))


def upper_bound(differences: NDArray[np.float64], level: float) -> float:
    """The mean of all items is below this, but for a chance of `level`: the least mean that E >= 1 / level speaks against.

    Args:
        differences: (m,) in [-1, 1], a simple random sample.
        level: in (0, 1).

    Returns:
        In [-1, 1], to within 1e-12; 1 where the sample excludes nothing.
    """
    needed = -math.log(level)
    low, high = -1.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        if middle < 1.0 and log_evidence(differences, middle) >= needed:
            high = middle
        else:
            low = middle
    return high


def lower_bound(differences: NDArray[np.float64], level: float) -> float:
    """The mean of all items is above this, but for a chance of `level`: `upper_bound` of the other side."""
    return -upper_bound(-differences, level)


def check_level(alpha: float, check: int) -> float:
    """What check number `check` >= 1 may spend: alpha / (check (check + 1)). All checks together spend alpha."""
    return alpha / (check * (check + 1.0))


def expected_false_alarms(alpha: float, done: int, coming: float = math.inf) -> float:
    """An upper bound on the expected number of false alarms among the next checks.

    ```
    sum_{t = done + 1}^{done + coming} alpha / (t (t + 1)) = alpha (1 / (done + 1) - 1 / (done + coming + 1))
    ```

    Args:
        alpha: of the baseline.
        done: checks since the baseline.
        coming: checks to come; however many by default.
    """
    return alpha * (1.0 / (done + 1.0) - 1.0 / (done + coming + 1.0))
