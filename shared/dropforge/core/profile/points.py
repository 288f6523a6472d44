"""A distribution in at most about 2 x `KEPT_POINTS` weighted points, made in SQL or from the points of two profiles.

Frequent values stay as they are; the others are put together with their neighbours, never more than one row in
`KEPT_POINTS` at a time. So a rank is off by less than that share of the rows, and a value that many rows share (zero,
a sentinel) is never smeared.
"""

import duckdb

from dropforge.contracts.profile import KEPT_POINTS

Points = list[tuple[float, float]]


def in_sql(database: duckdb.DuckDBPyConnection, count: float, distinct: int) -> Points:
    """The points of the table `numbered` (x, n), whose rows are `count` in number and `distinct` in value."""
    if distinct <= KEPT_POINTS:
        return [(x, n) for x, n in database.execute("SELECT x, n FROM numbered ORDER BY x").fetchall()]
    step = count / KEPT_POINTS
    # A frequent value opens a new group before and after it, so that groups are runs of neighbours.
    found = database.execute(
        "WITH ranked AS (SELECT x, n, sum(n) OVER (ORDER BY x) - n AS below, "
        f"CAST(n >= {step!r} AS INTEGER) AS alone FROM numbered), "
        "parted AS (SELECT *, sum(alone) OVER (ORDER BY x) AS part FROM ranked) "
        # A value of its own stays as it is to the last bit, or rows at it would not be at most it.
        "SELECT CASE WHEN min(x) = max(x) THEN min(x) ELSE sum(x * n) / sum(n) END AS mean, sum(n) FROM parted "
        f"GROUP BY part, alone, CAST(floor(below / {step!r}) AS BIGINT) * (1 - alone) ORDER BY mean"
    ).fetchall()
    return [(x, n) for x, n in found]


def united(left: Points, right: Points) -> Points:
    """The points of both, equal values added up, in order."""
    both: dict[float, float] = dict(left)
    for value, rows in right:
        both[value] = both.get(value, 0.0) + rows
    return sorted(both.items())


def condensed(given: Points) -> Points:
    """The same distribution in fewer points, as `in_sql` makes them."""
    if len(given) <= KEPT_POINTS:
        return given
    step = sum(rows for _, rows in given) / KEPT_POINTS
    kept: Points = []
    below, open_bucket = 0.0, -1
    for value, rows in given:
        bucket = int(below // step)
        below += rows
        if rows >= step:
            kept.append((value, rows))
            open_bucket = -1
        elif bucket == open_bucket:
            mean, held = kept[-1]
            kept[-1] = ((mean * held + value * rows) / (held + rows), held + rows)
        else:
            kept.append((value, rows))
            open_bucket = bucket
    return kept
