"""Whether a challenger may serve: each criterion in turn, each with a sentence.

Pure: probabilities in, a judgement out. Why these rules: docs/decisions/0010-how-a-challenger-is-judged.md.
"""

from collections.abc import Sequence

import numpy as np

from dropforge.contracts.pipeline import Success
from dropforge.ml import score
from dropforge.ml.judgement import Holdout, Judgement
from dropforge.ml.paired import CONFIDENCE, Difference, difference
from dropforge.ml.slicewise import judge_slices

# A challenger that removes more than this share of the champion's error has more likely seen the label than learned.
SUSPICIOUS = 0.9
# What so many times the holdout rows could not prove is no doubt but a refusal.
MOST_TIMES = 10


def judge(success: Success, by: Sequence[str], holdout: Holdout) -> Judgement:
    """Hold a challenger against `success`; without a champion it must beat a constant instead."""
    judgement = Judgement()
    _sound(holdout, judgement)
    if not judgement.passed:
        return judgement
    measured = score.METRICS[success.metric](holdout.labels, holdout.challenger)
    _floor(success, measured, judgement)
    if holdout.champion is None:
        _first(success, holdout, measured, judgement)
    else:
        _against_champion(success, holdout, measured, holdout.champion, judgement)
        judge_slices(success, by, holdout, holdout.champion, judgement)
    return judgement


def _sound(holdout: Holdout, judgement: Judgement) -> None:
    """Every row must have been given probabilities, or a finite number; anything else would poison every mean."""
    if holdout.numbers:
        good, wanted, code = np.isfinite(holdout.challenger), "finite number", "not_a_number"
    else:
        inside = (holdout.challenger >= 0) & (holdout.challenger <= 1)  # NaN is neither
        good = inside if inside.ndim == 1 else inside.all(axis=1)
        wanted, code = "number from 0 to 1", "not_a_probability"
    if bad := int((~good).sum()):
        said = f"The model gives {bad:,} of {len(holdout.labels):,} holdout rows no {wanted}."
        judgement.refuse(code, score.ALL, bad, 0, said)


def _floor(success: Success, measured: float, judgement: Judgement) -> None:
    higher = score.HIGHER_IS_BETTER[success.metric]
    if not (measured >= success.floor if higher else measured <= success.floor):  # also when it is NaN
        bound = f"at {'least' if higher else 'most'} {success.floor:g}"
        said = f"Its {success.metric} is {measured:.4f}; asked for is {bound}."
        judgement.refuse("below_floor", success.metric, measured, success.floor, said)


def _first(success: Success, holdout: Holdout, measured: float, judgement: Judgement) -> None:
    constant = score.constant(holdout.labels, holdout.challenger, success.metric)
    found = difference(success.metric, holdout.labels, holdout.challenger, constant)
    passed = found is not None and found.low() > 0
    judgement.compare(success, score.ALL, len(holdout.labels), measured, None, found, passed)
    said = _said(success, holdout, measured, constant, "a constant", found)
    if passed:
        judgement.note("first", score.ALL, found and found.estimate, 0.0, f"There is no champion yet. {said}")
    elif (doubt := _doubt(len(holdout.labels), found, 0.0)) is not None:
        judgement.doubt(*doubt, score.ALL, found and found.estimate, 0.0, said)
    else:
        judgement.refuse("no_better_than_constant", score.ALL, found and found.estimate, 0.0, said)


def _against_champion(
    success: Success, holdout: Holdout, measured: float, champion: score.Floats, judgement: Judgement
) -> None:
    found = difference(success.metric, holdout.labels, holdout.challenger, champion)
    passed = found is not None and _good_enough(success, found)
    its = score.METRICS[success.metric](holdout.labels, champion)
    judgement.compare(success, score.ALL, len(holdout.labels), measured, its, found, passed)
    said = f"{_said(success, holdout, measured, champion, 'the champion', found)} {_asked(success)}"
    if not passed:
        bar = max(success.gain, 0.0) if success.prefer == "better" else -success.tolerance
        if (doubt := _doubt(len(holdout.labels), found, bar)) is not None:
            judgement.doubt(*doubt, score.ALL, found and found.estimate, success.gain, said)
        else:
            judgement.refuse("not_better", score.ALL, found and found.estimate, success.gain, said)
        return
    judgement.note(
        "better" if success.prefer == "better" else "fresher", score.ALL, found and found.estimate, success.gain, said
    )
    if _error(success, measured) < (1 - SUSPICIOUS) * _error(success, its):
        said = (
            f"From {its:.4f} to {measured:.4f} it removes more than {SUSPICIOUS:.0%} of the champion's error, as a "
            "model does that has seen the label. Look for a leak, or publish it by name."
        )
        judgement.refuse("too_good", score.ALL, measured, its, said)


def _good_enough(success: Success, found: Difference) -> bool:
    if success.prefer == "better":
        return found.estimate >= success.gain and found.low() > 0
    return found.low() > -success.tolerance


def _doubt(rows: int, found: Difference | None, bar: float) -> tuple[str, str] | None:
    """Why these rows cannot tell, as a code and a sentence; None where they can, or ten times as many could not."""
    if found is None:
        return "too_few_rows", "That decides nothing."
    if found.estimate <= bar:
        return None
    beyond_zero = found.estimate - min(bar, 0.0)  # chance is held against zero, or against the tolerance below it
    needed = rows * ((found.estimate - found.low()) / beyond_zero) ** 2
    if needed > MOST_TIMES * rows:
        return None
    return "not_proven", f"That may be chance: were it so on some {needed:,.0f} rows, it would be enough."


def _asked(success: Success) -> str:
    if success.prefer == "better":
        return f"Asked for are {success.gain:+g}, and more than nothing with {CONFIDENCE:.1%} confidence."
    return f"The fresher one is preferred, unless it may be more than {success.tolerance:g} worse."


def _said(
    success: Success, holdout: Holdout, measured: float, rival: score.Floats, name: str, found: Difference | None
) -> str:
    rows = f"{len(holdout.labels):,} holdout rows"
    if found is None:
        return f"The {rows} have too few of one class to compare it with {name}."
    its = score.METRICS[success.metric](holdout.labels, rival)
    side = "better" if found.estimate >= 0 else "worse"
    return (
        f"Its {success.metric} of {measured:.4f} is {abs(found.estimate):.4f} {side} than {name}'s {its:.4f} on "
        f"{rows}: at least {found.low():+.4f} with {CONFIDENCE:.1%} confidence."
    )


def _error(success: Success, value: float) -> float:
    return 1 - value if score.HIGHER_IS_BETTER[success.metric] else value
