"""How far one person's labels agree with the crowd's: share, Cohen's kappa and its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

DECIDED: tuple[str, ...] = ("angry", "calm")
_DRAWS = 2000


@dataclass(frozen=True)
class Agreement:
    """Agreement on the faces where neither side was unsure.

    compared: number of those faces.
    left_out: number of faces on which you or the crowd were unsure.
    same: on how many of the compared faces the labels are the same.
    kappa: Cohen's kappa (1960), at most 1; 0 by definition where one side uses only one label, and NaN
        where both use only the same one.
    low, high: 95 % bootstrap interval of kappa; NaN where one side uses only one label, or kappa cannot be
        computed in more than one of ten resamples.
    """

    compared: int
    left_out: int
    same: int
    kappa: float
    low: float
    high: float

    @property
    def share(self) -> float:
        """Share 0-1 of the compared faces with the same label; NaN when there are none."""
        return self.same / self.compared if self.compared else float("nan")

    def __str__(self) -> str:
        """Return the agreement in words."""
        if not self.compared:
            return "There is no face on which both you and the crowd decided, so there is nothing to compare."
        text = (
            f"On the {self.compared} faces where neither you nor the crowd was unsure you agree on "
            f"{self.same} ({self.share:.0%})"
        )
        if np.isnan(self.kappa):
            return f"{text}; Cohen's kappa is undefined, because only one label was used."
        text += f"; Cohen's kappa is {self.kappa:z.2f}"
        if np.isnan(self.low):
            return f"{text}, with too few faces of one label for an interval."
        return f"{text} (95% interval {self.low:z.2f} to {self.high:z.2f}, over faces)."


def agreement(rng: np.random.Generator, yours: Sequence[str], crowd: Sequence[str]) -> Agreement:
    """Return the agreement of two sets of labels for the same faces.

    "unsure" is not a third label but a missing answer: those faces are left out and counted.

    Args:
        rng: source of randomness of the bootstrap, which draws faces with replacement.
        yours: n labels: angry, calm or unsure.
        crowd: n labels.

    Raises:
        ValueError: when the lengths differ.

    """
    yours, crowd = np.asarray(yours, dtype=object), np.asarray(crowd, dtype=object)
    if yours.shape != crowd.shape or yours.ndim != 1:
        raise ValueError(f"yours has {len(yours)} labels; accepted are {len(crowd)}, as many as crowd.")
    both = np.isin(yours, DECIDED) & np.isin(crowd, DECIDED)
    table = np.zeros(4, dtype=int)
    np.add.at(table, 2 * (yours[both] == "angry") + (crowd[both] == "angry"), 1)
    compared = int(both.sum())
    kappa = low = high = float("nan")
    if compared:
        kappa = float(_kappa(table[None])[0])
        # Drawing faces with replacement is drawing counts of the four kinds of face.
        drawn = _kappa(rng.multinomial(compared, table / compared, size=_DRAWS))
        both_vary = 0 < table[2] + table[3] < compared and 0 < table[1] + table[3] < compared
        if both_vary and np.isnan(drawn).mean() < 0.1:
            low, high = (float(edge) for edge in np.nanquantile(drawn, (0.025, 0.975)))
    return Agreement(compared, len(yours) - compared, int(table[0] + table[3]), kappa, low, high)


def one_annotator(angry: np.ndarray, calm: np.ndarray) -> float:
    """Return the share 0-1 of single votes that agree with the majority of the other votes on the face.

    The yardstick for one person's labels. Ties of the others say nothing and are left out; NaN when
    nothing is left.

    Args:
        angry: number of angry votes on each face, int [n].
        calm: number of calm votes on each face, int [n].

    """
    margin = np.asarray(angry) - np.asarray(calm)
    same = (angry * (margin > 1)).sum() + (calm * (margin < -1)).sum()
    judged = (angry * (margin != 1)).sum() + (calm * (margin != -1)).sum()
    return float(same / judged) if judged else float("nan")


def _kappa(tables: np.ndarray) -> np.ndarray:
    """Return Cohen's kappa [m] of counts [m, 4]: both calm, only crowd angry, only you, both angry."""
    share = tables / tables.sum(axis=1, keepdims=True)
    observed = share[:, 0] + share[:, 3]
    you, crowd = share[:, 2] + share[:, 3], share[:, 1] + share[:, 3]
    chance = you * crowd + (1.0 - you) * (1.0 - crowd)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(chance < 1.0 - 1e-12, (observed - chance) / (1.0 - chance), np.nan)
