"""Which of the past is learned from: all of it, its end, or all with the older counting less.

Where the world drifts a short window is right, where it has seasons a long one, and a pipeline has both. So `auto` asks
the pipeline's own past: at several moments in it, what would have predicted best what came next? (Rolling-origin
evaluation: Tashman, "Out-of-sample tests of forecasting accuracy", International Journal of Forecasting 16 (2000).)
"""

import logging
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dropforge.contracts.errors import NotEnoughData
from dropforge.contracts.pipeline import Pipeline
from dropforge.contracts.pipeline.window import Window
from dropforge.ml import fit, groups, score, serving
from dropforge.ml.choose import ROWS_A_SECOND, recipes
from dropforge.ml.rows import WEIGHT, coded, columns_of, labels_of, weights_of

log = logging.getLogger("train")

ORIGINS = 4  # moments in the past at which is asked
_DAYS = (14, 30, 60, 120, 240, 480)
_HALF_LIVES = (15.0, 45.0, 135.0)
_SHARE = 0.9  # of the past: a window that holds more is no other than all of it
_LEAST_WEIGHT = 1e-3  # older rows, after ten half-lives, count no less: zero would be no row

Times = NDArray[np.datetime64]


@dataclass(frozen=True)
class Past:
    """The rows that are learned from, with `__weight__` where they do not count alike; the window as it is told, and
    for `auto` the mean of the pipeline's metric that each would have reached."""

    rows: pa.Table
    window: str
    tried: dict[str, float]


def past(pipeline: Pipeline, rows: pa.Table) -> Past:
    """The part of labelled rows, in the order of time, that the pipeline's window lets in."""
    window = pipeline.training.window
    if window == "all":
        return Past(rows, "all", {})
    times = times_of(pipeline, rows)
    if window == "auto":
        return _best(pipeline, rows, times)
    return Past(_within(rows, times, window), str(window), {})


def times_of(pipeline: Pipeline, rows: pa.Table) -> Times:
    """When each row was."""
    times: Times = rows[pipeline.main.time].cast(pa.timestamp("us", "UTC")).to_numpy()
    return times


def _best(pipeline: Pipeline, rows: pa.Table, times: Times) -> Past:
    """All, unless another window would have done better at every one of the moments; of several the best on average.

    Winning most of them is too little: weeks in a row are alike, and on the flights a window that won three of four
    was, in the month that followed, worse than all.
    """
    windows = [None, *_candidates(times)]
    reached = [_reached(pipeline, rows, times, origin, windows) for origin in _origins(pipeline, times)]
    values = np.array([found for found in reached if found is not None])
    if not len(values):
        return Past(rows, "all", {})
    sign = 1 if score.HIGHER_IS_BETTER[pipeline.success.metric] else -1
    gains = sign * (values - values[:, :1])
    wins = (gains > 0).all(axis=0)
    best = int(np.argmax(np.where(wins, gains.mean(axis=0), 0.0)))
    tried = {_told(window): round(float(mean), 6) for window, mean in zip(windows, values.mean(axis=0), strict=True)}
    log.info(f"{pipeline.pipeline}: learns from {_told(windows[best])}.", extra={"fields": {"tried": tried}})
    window = windows[best]
    return Past(rows if window is None else _within(rows, times, window), _told(window), tried)


def _candidates(times: Times) -> list[Window]:
    span = (times[-1] - times[0]) / np.timedelta64(1, "D")
    ends = [Window(days=days) for days in _DAYS if days <= _SHARE * span]
    return [*ends, *(Window(half_life_days=half) for half in _HALF_LIVES if half <= span)]


def _origins(pipeline: Pipeline, times: Times) -> list[np.datetime64]:
    """Moments, the newest first, each followed by as many days as the holdout has."""
    step = np.timedelta64(pipeline.training.holdout_days, "D")
    origins = [times[-1] - step * number for number in range(1, ORIGINS + 1)]
    return [origin for origin in origins if origin > times[0]]


def _reached(
    pipeline: Pipeline, rows: pa.Table, times: Times, origin: np.datetime64, windows: list[Window | None]
) -> list[float] | None:
    """The pipeline's metric on the rows that follow, learned from each window before; None where rows are too few."""
    until = origin + np.timedelta64(pipeline.training.holdout_days, "D")
    after = (times >= origin) & (times < until)
    before, after = groups.apart(pipeline, rows, times < origin, after, part=1)
    asked = rows.filter(pa.array(after))
    # Thinned once and not window by window: that would take from a long one what speaks for it, its many rows.
    few = _thinned(np.flatnonzero(before), _most_rows(pipeline))
    known, when = rows.take(pa.array(few)), times[few]
    try:
        fit.check_enough(labels_of(asked), "following", pipeline.label.task)
        return [_value(pipeline, known, when, window, asked) for window in windows]
    except NotEnoughData:
        return None


def _value(pipeline: Pipeline, known: pa.Table, times: Times, window: Window | None, asked: pa.Table) -> float:
    part = known if window is None else _within(known, times, window)
    model = fit.fit(pipeline, columns_of(part), labels_of(part), recipes(pipeline)[0], weights_of(part))
    labels = coded(labels_of(asked), serving.classes(model))
    return score.METRICS[pipeline.success.metric](labels, serving.given(model, columns_of(asked)))


def _most_rows(pipeline: Pipeline) -> int:
    """How many rows a fit may have, so that all keep to `search_seconds`; a budget in rows, as that of `choose`."""
    fits = ORIGINS * (1 + len(_DAYS) + len(_HALF_LIVES))
    return max(2_000, int(pipeline.training.search_seconds * 3 * ROWS_A_SECOND / max(len(pipeline.features), 1) / fits))


def _thinned(places: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Evenly chosen ones, where there are more."""
    return places if len(places) <= most else places[np.linspace(0, len(places) - 1, most).astype(np.int64)]


def _within(rows: pa.Table, times: Times, window: Window) -> pa.Table:
    if window.rows is not None:
        return rows.slice(max(0, rows.num_rows - window.rows))
    age = (times[-1] - times) / np.timedelta64(1, "D")
    if window.days is not None:
        return rows.filter(age <= window.days)
    weights = np.maximum(np.power(0.5, age / (window.half_life_days or 1.0)), _LEAST_WEIGHT)
    return rows.append_column(WEIGHT, pa.array(weights))


def _told(window: Window | None) -> str:
    return "all" if window is None else str(window)
