"""Whether a mean has gone down: a test that may be looked at after every observation, and never wears out.

Observations lie in [0, 1]: a row's answer (right or wrong), or the share of right answers of a day. While a slice is as
good as its reference, each is expected to be at least that, whatever came before. Then a gambler who stakes on "worse"
with 1 + bet * (reference - observation) gains nothing on average (Waudby-Smith and Ramdas, "Estimating means of bounded
random variables by betting", JRSS B 2023), and a mixture of gamblers, of various bets and who begin at various times,
is an e-process (Shin, Ramdas and Rinaldo, "E-detectors", 2022). By Ville's inequality the chance that it ever reaches
1/a is at most a. Neither a distribution nor independence is assumed.

Where an observation is the share of right answers among some rows that are each for themselves, the gambler stakes on
row after row, in any order: the wealth grows by the product, and faster than by a bet on the share.

Where this departs from the papers: a twentieth of the stake is on a change before the first observation, the rest is
spread over all later times with weights that sum to one. So it bounds the chance of ever crying wolf, where an
e-detector bounds the mean time between two cries; the delay grows with the logarithm of the time before the change.
Where a change is awaited, `soon`, half of the stake is on one before the first observation, the rest on the next ones;
and as it is known how large a change would be, most of it is on large bets (docs/decisions/0034).
"""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

# Bets as shares of the largest that cannot ruin, which is 1 / (1 - reference). Small ones find small changes.
_SHARES = dict.fromkeys((0.06, 0.2, 0.45, 0.8), 0.25)
# A slice that is well again lies as far above the middle as it lay below: several times the spread of its days, where
# the best bet is the largest that survives a bad day.
_AWAITED_SHARES = {0.1: 0.2, 0.3: 0.3, 0.9: 0.5}
# Of single rows, which differ more than their means, the best bet on a drop is about the drop, as a share of the
# reference; most of the stake is on drops of some hundredths, for larger ones are soon found whoever bets.
_ROW_SHARES = {0.04: 0.4, 0.08: 0.4, 0.2: 0.15, 0.5: 0.05}
_AT_ONCE = 0.05  # of the stake, on a change before the first observation
_SPREAD = 500.0  # observations within which half of the other stakes are placed
_AT_ONCE_SOON, _SPREAD_SOON = 0.5, 30.0  # the same where a change is awaited
_MOST = 1e100  # where wealth stops to grow, long after it has convinced anybody; keeping less of it is safe


class Gambler(BaseModel):
    """One bet: the wealth of all who play it, and of the luckiest when it began and what it saw since."""

    model_config = ConfigDict(extra="forbid")
    bet: float
    wealth: float
    weight: float = 0.25  # of the stakes of all gamblers
    lucky: float = 1.0
    since: str = ""
    total: float = 0.0
    seen: int = 0


class Test(BaseModel):
    """The state of one test; small, and all that is kept. `falling`: for "below the reference", else for "above"."""

    __test__ = False  # no test of pytest's
    model_config = ConfigDict(extra="forbid")
    reference: float
    falling: bool
    seen: int
    rows: int = 1  # right or wrong ones, each for itself, that make an observation; 1 for a mean of another kind
    at_once: float = _AT_ONCE
    spread: float = _SPREAD
    gamblers: list[Gambler]

    @property
    def evidence(self) -> float:
        """The e-value: at most 1 on average, at any time one may stop at, while the reference holds."""
        wealth = sum(gambler.weight * gambler.wealth for gambler in self.gamblers)
        return wealth + self.unplaced(self.seen)

    @property
    def since(self) -> str:
        """When the change began, as the luckiest bet has it: the label of an observation, or nothing."""
        return self._best.since

    @property
    def mean_since(self) -> float:
        """The mean of the observations since then; the reference where there are none."""
        best = self._best
        return best.total / best.seen if best.seen else self.reference

    def unplaced(self, seen: int) -> float:
        """The stake that is not placed yet, after so many observations."""
        return (1 - self.at_once) / (1 + max(seen - 1, 0) / self.spread)

    @property
    def _best(self) -> Gambler:
        return max(self.gamblers, key=lambda gambler: gambler.lucky)


def begin(reference: float, *, falling: bool = True, rows: int = 1, soon: bool = False) -> Test:
    """A test of "the mean is at least `reference`", or, not `falling`, of "it is at most that".

    Each observation is the share of right answers among `rows` independent rows, if these are more than one. `soon`: a
    change is awaited now, as when something was done about it.

    Raises:
        ValueError: the reference is not in [0, 1].
    """
    if not 0 <= reference <= 1:
        raise ValueError(f"Expected a reference from 0 to 1. Got {reference!r}.")
    worst = 1 - reference if falling else reference  # the largest step against the gambler
    largest = 1 / max(worst, 0.01)
    shares = _ROW_SHARES if rows > 1 else _AWAITED_SHARES if soon else _SHARES
    at_once, spread = (_AT_ONCE_SOON, _SPREAD_SOON) if soon else (_AT_ONCE, _SPREAD)
    gamblers = [Gambler(bet=share * largest, wealth=at_once, weight=each) for share, each in shares.items()]
    return Test(
        reference=reference, falling=falling, seen=0, rows=rows, at_once=at_once, spread=spread, gamblers=gamblers
    )


def observed(test: Test, observations: Sequence[tuple[str, float]]) -> Test:
    """The test after more observations, each with a label that says when it was, in their order.

    Raises:
        ValueError: an observation is not in [0, 1].
    """
    seen = test.seen
    gamblers = [gambler.model_copy() for gambler in test.gamblers]
    for label, value in observations:
        if not 0 <= value <= 1:
            raise ValueError(f"Expected an observation from 0 to 1 at {label}. Got {value!r}.")
        stake = test.unplaced(seen) - test.unplaced(seen + 1)
        seen += 1
        for gambler in gamblers:
            _play(gambler, _gain(test, gambler.bet, value), stake, label, value)
    return test.model_copy(update={"seen": seen, "gamblers": gamblers})


def _gain(test: Test, bet: float, value: float) -> float:
    """What an observation multiplies a stake by."""
    way = 1 if test.falling else -1
    if test.rows == 1:
        return max(1 + way * bet * (test.reference - value), 0.0)
    right = value * test.rows
    win, lose = 1 + way * bet * test.reference, 1 + way * bet * (test.reference - 1)
    return float(max(lose, 0.0) ** right * max(win, 0.0) ** (test.rows - right))


def _play(gambler: Gambler, gain: float, stake: float, label: str, value: float) -> None:
    gambler.wealth = min((gambler.wealth + stake) * gain, _MOST)
    if gambler.lucky <= 1:  # whoever begins now is at least as lucky (Page's CUSUM)
        gambler.lucky, gambler.since, gambler.total, gambler.seen = 1.0, label, 0.0, 0
    gambler.lucky = min(gambler.lucky * gain, _MOST)
    gambler.total += value
    gambler.seen += 1


def threshold(false_alarms: float, tests: int) -> float:
    """The evidence at which one of `tests` alarms, so that the chance that any ever does wrongly is `false_alarms`."""
    return max(tests, 1) / false_alarms
