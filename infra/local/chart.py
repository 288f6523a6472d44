"""The end of a run as a picture: what retraining was worth, month by month."""

from collections.abc import Sequence
from pathlib import Path

WIDTH, HEIGHT = 760, 300
LEFT, RIGHT, TOP, BOTTOM = 54, 110, 44, 36
INK, FAINT = "#1d2733", "#d9d5cb"
TITLE = "ROC AUC of each month, by models made before it"
LINES = (("retrained", "#3c8f52"), ("static", "#bb4a4a"))


def draw(path: Path, months: Sequence[str], retrained: Sequence[float | None], static: Sequence[float | None]) -> None:
    """Write an SVG line chart of ROC AUC by the month that was predicted; a None is a gap."""
    known = [value for value in (*retrained, *static) if value is not None]
    low, high = min(known) - 0.01, max(known) + 0.01

    def x(position: int) -> float:
        return LEFT + position * (WIDTH - LEFT - RIGHT) / max(1, len(months) - 1)

    def y(value: float) -> float:
        return TOP + (high - value) / (high - low) * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'font-family="-apple-system,Segoe UI,Helvetica,Arial,sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="#fbfaf7"/>',
        f'<text x="{LEFT}" y="24" font-size="15" font-weight="600" fill="{INK}">{TITLE}</text>',
    ]
    for step in range(5):
        value = low + step * (high - low) / 4
        parts.append(f'<path d="M{LEFT} {y(value):.1f}H{WIDTH - RIGHT}" stroke="{FAINT}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end" fill="{INK}">{value:.2f}</text>')
    for position, month in enumerate(months):
        parts.append(f'<text x="{x(position):.1f}" y="{HEIGHT - 14}" text-anchor="middle" fill="{INK}">{month}</text>')
    for (name, colour), values in zip(LINES, (retrained, static), strict=True):
        points = [(x(position), y(value)) for position, value in enumerate(values) if value is not None]
        if not points:
            continue
        path_data = "M" + "L".join(f"{across:.1f} {down:.1f}" for across, down in points)
        parts.append(f'<path d="{path_data}" fill="none" stroke="{colour}" stroke-width="2.5"/>')
        parts += [f'<circle cx="{across:.1f}" cy="{down:.1f}" r="3.5" fill="{colour}"/>' for across, down in points]
        across, down = points[-1]
        parts.append(f'<text x="{across + 10:.1f}" y="{down + 4:.1f}" font-weight="600" fill="{colour}">{name}</text>')
    path.write_text("\n".join([*parts, "</svg>"]) + "\n")
