"""Causes for a file as a whole: rows repeated, its end cut off, rows of one group missing."""

from collections.abc import Collection, Iterator, Sequence
from statistics import median

from dropforge.contracts.examination import Anomaly, Repair
from dropforge.contracts.profile import Profile
from dropforge.core.diagnosis.candidate import Candidate


def causes(profile: Profile, earlier: Sequence[Profile], anomalies: Collection[Anomaly]) -> Iterator[Candidate]:
    """Every cause that accounts for what is unusual about the file as a whole."""
    kinds = {anomaly.statistic.split()[0] for anomaly in anomalies if not anomaly.column}
    if "repeated" in kinds:
        yield Candidate(
            "rows_duplicated",
            1.0,
            profile.repeated / profile.rows,
            "rows stand in it more than once",
            [f"{profile.repeated:,} of {profile.rows:,} rows equal an earlier one in every column."],
            Repair(change="The key rule keeps the first of each; nothing else is needed."),
        )
    usual = median(one.rows for one in earlier)
    spans = [one.span for one in earlier if one.span]
    if profile.span and spans:
        days = (profile.span[1] - profile.span[0]).total_seconds() / 86400
        usually = median((last - first).total_seconds() / 86400 for first, last in spans)
        short = 1 - days / max(usually, 1e-9)
        fewer = 1 - profile.rows / usual
        early = next((-one.effect for one in anomalies if one.statistic.startswith("ends")), 0.0) / max(usually, 1e-9)
        if kinds & {"span", "rows", "ends"} and (early > 0 or (short > 0.05 and fewer > 0.5 * short)):
            agreed = min(short, fewer) / max(short, fewer) if short > 0 and fewer > 0 else 0.0
            yield Candidate(
                "truncated_file",
                0.7 + 0.3 * agreed,
                max(early, short),
                f"its end is missing after {profile.span[1]:%Y-%m-%d %H:%M}",
                [f"It covers {days:.1f} days, not {usually:.1f}, with {profile.rows:,} rows for {usual:,.0f}."],
                Repair(change="Ask the source for the whole file."),
            )
    if "rows" in kinds:
        less = profile.rows < usual
        yield Candidate(
            "rows_missing" if less else "more_rows",
            0.55,
            abs(1 - profile.rows / usual),
            "rows are missing throughout" if less else "there is more of everything",
            [f"It has {profile.rows:,} rows where {usual:,.0f} are usual."],
        )
