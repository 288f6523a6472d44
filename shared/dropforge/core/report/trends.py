"""Lines over batches as inline SVG: one for each series, on one scale, against time."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape

WIDTH, HEIGHT = 240, 56
COLOURS = 5  # classes t0 to t4 of the style; further series are drawn like the last
Points = Sequence[tuple[str, float]]  # moments (ISO 8601) and values, in order


def trend(series: Mapping[str, Points], label: str, floor: float | None = None) -> str:
    """Lines with a dot at each batch; `floor` is a value that the scale must reach down to."""
    values = [value for points in series.values() for _, value in points]
    times = [_seconds(moment) for points in series.values() for moment, _ in points]
    if not values:
        return ""
    low, high = min([*values, *([floor] if floor is not None else [])]), max(values)
    drawn = "".join(
        _line(points, min(COLOURS - 1, at), (min(times), max(times)), (low, high))
        for at, points in enumerate(series.values())
    )
    return (
        f'<svg class=trend viewBox="-3 -3 {WIDTH + 6} {HEIGHT + 6}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(label)}">{drawn}</svg>'
    )


def stacked(bars: Sequence[tuple[float, float]], label: str) -> str:
    """Bars of two parts: what is well below, what is not on top."""
    top = max((sum(bar) for bar in bars), default=0) or 1.0
    step = WIDTH / max(len(bars), 1)
    width = max(step - min(1.0, step / 4), 0.4)
    drawn = "".join(
        f'<rect class=well x="{at * step:.2f}" y="{HEIGHT * (1 - well / top):.2f}" width="{width:.2f}" '
        f'height="{HEIGHT * well / top:.2f}"/>'
        + (
            f'<rect class=ill x="{at * step:.2f}" y="{HEIGHT * (1 - (well + ill) / top):.2f}" width="{width:.2f}" '
            f'height="{HEIGHT * ill / top:.2f}"/>'
            if ill
            else ""
        )
        for at, (well, ill) in enumerate(bars)
    )
    return (
        f'<svg class=tall viewBox="0 -1 {WIDTH} {HEIGHT + 2}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(label)}">{drawn}</svg>'
    )


def legend(names: Sequence[str]) -> str:
    """Which colour is which series; nothing where there is one."""
    if len(names) < 2:
        return ""
    shown = [f'<b class="t{min(COLOURS - 1, at)}">{escape(name)}</b>' for at, name in enumerate(names[: COLOURS - 1])]
    if len(names) >= COLOURS:
        others = names[COLOURS - 1] if len(names) == COLOURS else f"{len(names) - COLOURS + 1} others"
        shown.append(f'<b class="t{COLOURS - 1}">{escape(others)}</b>')
    return f"<span class=legend>{' '.join(shown)}</span>"


def _line(points: Points, colour: int, times: tuple[float, float], scale: tuple[float, float]) -> str:
    placed = [(_part(_seconds(moment), times) * WIDTH, HEIGHT * (1 - _part(value, scale))) for moment, value in points]
    joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
    # A dot is a line of no length with round ends: it stays round when the picture is stretched.
    dots = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in placed)
    return f'<polyline class="t{colour}" points="{joined}"/><path class="t{colour}" d="{dots}"/>'


def _part(value: float, between: tuple[float, float]) -> float:
    low, high = between
    return (value - low) / (high - low) if high > low else 0.5


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
