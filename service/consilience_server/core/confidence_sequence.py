"""Bounds on a mean of differences that may be looked at for ever: what a watch alarms on.

**The random object.** Each item of a fixed gallery has, at each version, a difference d in [-1, 1]: its overlap now less its overlap at the
baseline. What is asked is the mean over the gallery; what is seen is the mean over the probes, a simple random sample drawn once, before
any version was seen. Versions follow each other in any way and share the same probes, so their means err together: asking the same probes
again multiplies no evidence, and a martingale over versions would turn one unlucky sample into certainty. So chance enters at one place
only, the draw of the probes, and is paid for at every check:

- within a check by a bet: a value that is 1 on average where the mean is what the null says, hence seldom large (Markov);
- over checks by a union bound: check t has the level alpha ln 2 (1 / ln(t + 1) - 1 / ln(t + 2)), and these sum to alpha. No independence of
  versions is needed, and the thousandth check still has 1.5e-5 alpha, where 1 / (t (t + 1)) would leave it a millionth.

The bets are those of Waudby-Smith and Ramdas 2024 ("Estimating means of bounded random variables by betting"), with fixed stakes, mixed:
the value does not depend on the order of the probes, and what holds for draws with replacement holds for draws without (Hoeffding 1963,
theorem 4: each bet is exp of a sum, and exp is convex). Where all items are probes the bounds speak of items like these.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

_LARGEST_STAKE = 0.95
_CHUNK = 1 << 14
_LN2 = math.log(2.0)
_HALVINGS = 50


def stakes(count: int) -> NDArray[np.float64]:
    """(J,) shares of the largest stake that `count` probes mix: from .95 down to about 8 / sqrt(count), by factors of the square root of 2.

    A gap that `count` probes can just prove at variance v calls for sqrt(2 L / (count v)), L the logarithm of the evidence needed. With
    L = 8 and v = 1/4, more than differences of overlaps have, that is the least of them. J stakes cost ln J of the evidence, so no more.
    """
    steps = math.floor(2.0 * math.log2(max(_LARGEST_STAKE * math.sqrt(count) / 8.0, 1.0)))
    return np.asarray(_LARGEST_STAKE * 2.0 ** (-0.5 * np.arange(steps + 1)))


def log_evidence(differences: NDArray[np.float64], mean: float) -> float:
    """The evidence against "the mean is `mean` or more", as the logarithm of a bet's outcome.

    ```
    E = 1/J sum_j prod_i (1 - c_j (d_i - mean) / (1 - mean)),   c_j in stakes(m)
    ```
    Each factor is positive, and 1 or less on average under the null, so P(E >= 1 / a) <= a. Increasing in `mean`.

    Args:
        differences: (m,) in [-1, 1], a simple random sample, with or without replacement.
        mean: in [-1, 1).

    Returns:
        log E; 0 for no differences.
    """
    gains = (differences - mean) / (1.0 - mean)
    shares = stakes(len(differences))
    logs = np.zeros(len(shares))
    for start in range(0, len(gains), _CHUNK):
        logs += np.log1p(-shares[:, None] * gains[start : start + _CHUNK]).sum(axis=1)
    return float(logsumexp(logs)) - math.log(len(shares))


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
    """What check number `check` >= 1 may spend; all checks together spend alpha.

    ```
    alpha ln 2 (1 / ln(check + 1) - 1 / ln(check + 2))
    ```
    .37 alpha at first, 1.0e-2 at the tenth, 3.2e-4 at the hundredth, 1.5e-5 at the thousandth.
    """
    return alpha * _LN2 * (math.log1p(1.0 / (check + 1.0)) / (math.log(check + 1.0) * math.log(check + 2.0)))


def expected_false_alarms(alpha: float, done: int, coming: float = math.inf) -> float:
    """An upper bound on the expected number of false alarms among the next checks.

    ```
    sum_{t = done + 1}^{done + coming} check_level(alpha, t) = alpha ln 2 (1 / ln(done + 2) - 1 / ln(done + coming + 2))
    ```

    Args:
        alpha: of the baseline.
        done: checks since the baseline.
        coming: checks to come; however many by default.
    """
    return alpha * _LN2 * (1.0 / math.log(done + 2.0) - 1.0 / math.log(done + coming + 2.0))
