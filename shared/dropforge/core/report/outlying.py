"""What lies far out in a column of numbers, by Tukey's outer fences."""

from dropforge.contracts.profile import Numbers

REACH = 3.0  # interquartile ranges beyond the quartiles (Tukey, Exploratory Data Analysis, 1977)


def outlying(numbers: Numbers) -> str | None:
    """Which share of the values lies beyond the outer fences, in words; None where none does, or half are the same."""
    low, high = numbers.quantile(0.25), numbers.quantile(0.75)
    fences = low - REACH * (high - low), high + REACH * (high - low)
    far = sum(rows for value, rows in numbers.points if not fences[0] <= value <= fences[1])
    if high <= low or not far:
        return None
    sides = []
    if numbers.min < fences[0]:
        sides.append(f"to {numbers.min:,.6g}")
    if numbers.max > fences[1]:
        sides.append(f"to {numbers.max:,.6g}")
    return f"{far / numbers.count:.1%} far out, {' and '.join(sides)}" if sides else None
