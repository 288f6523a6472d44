"""Slice by slice: a challenger that is better overall may still be worse for one region."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from dropforge.contracts.pipeline import Success
from dropforge.ml import score
from dropforge.ml.judgement import Holdout, Judgement
from dropforge.ml.paired import difference, holm

Mask = NDArray[np.bool_]


def judge_slices(
    success: Success, by: Sequence[str], holdout: Holdout, champion: score.Floats, judgement: Judgement
) -> None:
    """Refuse what is worse than the champion in any slice: by more than the margin, and by more than chance.

    Chance is judged over all slices together (Holm), so that many slices do not make a refusal likely by themselves.
    """
    sliced = {column: list(score.slices(holdout.columns, [column])) for column in by}
    _vanished(success, sliced, holdout, judgement)
    masks = [pair for column in by for pair in _large_enough(success, column, sliced[column], judgement)]
    metric, labels, challenger = success.metric, holdout.labels, holdout.challenger
    found = [difference(metric, labels[mask], challenger[mask], champion[mask]) for _, mask in masks]
    certain = holm([1.0 if each is None else each.p_worse for each in found])
    for (name, mask), each, beyond_chance in zip(masks, found, certain, strict=True):
        its, old = (score.METRICS[metric](labels[mask], given[mask]) for given in (challenger, champion))
        worse = each is not None and beyond_chance and each.estimate < -success.slice_margin
        judgement.compare(success, name, int(mask.sum()), its, old, each, not worse)
        if each is not None and worse:
            said = (
                f"In {name} ({mask.sum():,} rows) its {metric} of {its:.4f} is {-each.estimate:.4f} worse than the "
                f"champion's {old:.4f}. The margin is {success.slice_margin:g}, and chance does not explain it."
            )
            judgement.refuse("worse_in_slice", name, each.estimate, -success.slice_margin, said)


def _large_enough(
    success: Success, column: str, sliced: Sequence[tuple[str, Mask]], judgement: Judgement
) -> Iterator[tuple[str, Mask]]:
    """The slices of a column that are large enough to judge, the others together as one if they make up enough rows."""
    small: list[tuple[str, Mask]] = []
    for name, mask in sliced:
        if mask.sum() >= success.min_slice_rows:
            yield name, mask
        else:
            small.append((name, mask))
    if not small:
        return
    pooled = np.logical_or.reduce([mask for _, mask in small])
    names = ", ".join(name for name, _ in small)
    judged = bool(pooled.sum() >= success.min_slice_rows)
    said = (
        f"{len(small)} slices of fewer than {success.min_slice_rows} rows are "
        f"{'judged together' if judged else 'too few rows even together, and not judged'}: {names}."
    )
    judgement.note("small_slices", column, int(pooled.sum()), success.min_slice_rows, said)
    if judged:
        yield f"{column}=({len(small)} small slices)", pooled


def _vanished(
    success: Success, sliced: Mapping[str, Sequence[tuple[str, Mask]]], holdout: Holdout, judgement: Judgement
) -> None:
    """Of a slice that the champion was judged on and that has no rows now, nothing is known of the challenger."""
    now = {name for pairs in sliced.values() for name, _ in pairs}
    for name, rows in sorted(holdout.champion_slices.items()):
        if name.partition("=")[0] in sliced and name not in now and rows >= success.min_slice_rows:
            said = (
                f"{name} had {rows:,} rows when the champion was judged, and has none in this holdout, so nothing is "
                "known of the challenger there. If the slice is gone for good, publish it by name."
            )
            judgement.refuse("slice_vanished", name, 0, success.min_slice_rows, said)
