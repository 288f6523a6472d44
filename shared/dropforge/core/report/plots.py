"""Small plots as inline SVG: now as filled bars, before as a line. They print, and read without colour."""

from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT = 240, 56


def bars(now: Sequence[float], before: Sequence[float] | None, label: str) -> str:
    """A histogram of shares, with the earlier one as an outline."""
    top = max([*now, *(before or []), 1e-9])
    step = WIDTH / max(len(now), 1)
    drawn = "".join(
        f'<rect x="{n * step + 0.5:.1f}" y="{HEIGHT - share / top * HEIGHT:.1f}" width="{max(step - 1, 0.5):.1f}" '
        f'height="{share / top * HEIGHT:.1f}"/>'
        for n, share in enumerate(now)
        if share
    )
    line = ""
    if before:
        points = " ".join(
            f"{x:.1f},{HEIGHT - share / top * HEIGHT:.1f}"
            for n, share in enumerate(before)
            for x in (n * step, (n + 1) * step)
        )
        line = f'<polyline points="{points}"/>'
    return (
        f'<svg viewBox="-1 -2 {WIDTH + 2} {HEIGHT + 4}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(label)}">'
        f'<g class="now">{drawn}</g>{line}</svg>'
    )


def shares(now: Sequence[tuple[str, float]], before: dict[str, float] | None) -> str:
    """Named shares as rows of bars, each with a tick where it stood before."""
    top = max([share for _, share in now] + list((before or {}).values()) + [1e-9])
    lines = []
    for name, share in now:
        tick = ""
        if before is not None:
            tick = f'<i style="left:{before.get(name, 0) / top * 100:.1f}%"></i>'
        lines.append(
            f'<div class="share"><span title="{escape(name)}">{escape(name[:24]) or "&nbsp;"}</span>'
            f'<b><u style="width:{share / top * 100:.1f}%"></u>{tick}</b><em>{share:.1%}</em></div>'
        )
    return "".join(lines)


def ends(*texts: str) -> str:
    """What stands below a plot, from its left end to its right. Texts are HTML."""
    return f"<div class=ends>{''.join(f'<span>{one}</span>' for one in texts)}</div>"
