"""A notice as the alert that a person reads: what was expected, what was seen, why perhaps, and what was done."""

from dropforge.contracts.events import AlertRaised
from dropforge.contracts.monitoring import SliceScore
from dropforge.core.monitoring.watch import Notice

_GONE = 0.2  # more of a feature's values missing than on the holdout
_SHIFTED = 0.05  # between the share of positives on the holdout and now


def alert(pipeline: str, notice: Notice, metric: str, did: str, undo: str, diagnosis: str = "") -> AlertRaised:
    """The alert of a notice; its key is the same for every delivery, and another for "raised" and "resolved".

    `diagnosis` is what is known of the data themselves: a likelier cause than any that the score shows.
    """
    code = f"{metric}_down"
    found, then = notice.alert, notice.then
    facts = {
        "pipeline": pipeline,
        "slice": notice.slice,
        "version": notice.version,
        "expected": f"{metric} {found.expected:.3f}",
        "seen": f"{metric} {found.seen:.3f}",
        "since": found.since,
        "rows": f"{notice.score.rows:,} in this batch, accuracy {notice.score.low:.3f} to {notice.score.high:.3f}",
        "batch": notice.batch_id,
    }
    if notice.status == "resolved":
        back = found.recovery.mean_since
        sentence = f"The {metric} of {pipeline} in {notice.slice} is back at {back:.3f}; it was {found.seen:.3f}."
        facts |= {"now": f"{metric} {back:.3f}"}
    else:
        facts |= {
            "likely cause": diagnosis or cause(notice),
            "done": did,
            "undo": undo,
            "holdout rows": f"{then.rows:,}",
        }
        sentence = (
            f"The {metric} of {pipeline} in {notice.slice} fell from {found.expected:.3f} to {found.seen:.3f} since "
            f"{found.since}. {facts['likely cause']} {did}"
        )
    return AlertRaised(
        pipeline=pipeline,
        severity="error" if notice.status == "raised" else "warning",
        code=code,
        subject=notice.slice,
        sentence=sentence,
        status="raised" if notice.status == "raised" else "resolved",
        key=f"{found.key}:{notice.status}",
        facts=facts,
    )


def cause(notice: Notice) -> str:
    """What most likely lies behind it, as far as the rows of the batch tell."""
    now, then = notice.score, notice.then
    gone = {name: share - then.missing.get(name, 0.0) for name, share in now.missing.items()}
    worst = max(gone, key=lambda name: gone[name], default=None)
    if worst is not None and gone[worst] > _GONE:
        return (
            f"{worst!r} is empty in {now.missing[worst]:.0%} of its rows, and was in {then.missing.get(worst, 0):.0%}: "
            "look at where it comes from."
        )
    shifted = _shifted(now, then)
    if shifted is not None:
        return shifted
    if notice.others:
        return f"It is not alone: {', '.join(notice.others)} fell as well."
    if then.positives is None:
        return "The inputs are as before: what they mean for the label has changed."
    return "Inputs and the share of positives are as before: what they mean for each other has changed."


def _shifted(now: SliceScore, then: SliceScore) -> str | None:
    """What to say where yes became more or less frequent; None where it did not, or there is no yes."""
    if now.positives is None or then.positives is None or now.predicted is None or then.predicted is None:
        return None
    moved = now.positives - then.positives
    if abs(moved) <= _SHIFTED:
        return None
    if abs(now.predicted - then.predicted) < abs(moved) / 2:
        return (
            f"What is predicted happens in {now.positives:.0%} of its rows, before in {then.positives:.0%}, and the "
            "inputs do not tell: the world has changed, or the labels have."
        )
    return f"What is predicted happens in {now.positives:.0%} of its rows, before in {then.positives:.0%}."
