"""Causes for a column of text: values re-cased, padded, renamed, re-coded, mis-decoded, or not there any more."""

from collections.abc import Callable, Iterator

from dropforge.contracts.examination import Repair
from dropforge.contracts.profile import ColumnProfile, Profile
from dropforge.core.diagnosis import suggest
from dropforge.core.diagnosis.candidate import Candidate

NOTHING = frozenset(
    ["null", "none", "nan", "n/a", "na", "nil", "-", "--", "?", "unknown", "missing", "(blank)", "#n/a", "undefined"]
)
LOST = 0.25  # of its usual share: what a value that went away may still have
LEAST = 0.002


def causes(name: str, profile: Profile, reference: Profile) -> Iterator[Candidate]:
    """Every cause that accounts for some of the movement of a column of text."""
    column, known = profile.columns[name], reference.columns[name]
    new = {value: rows for value, rows in column.values.items() if value not in known.values}
    total = sum(new.values())
    if total >= LEAST * max(column.present, 1):
        yield from _rewritten(name, column, known, new)
        yield from _named_nothing(column, known, new)
        yield from _renamed(name, column, known, new)
        yield from _of_another(name, profile, reference, new)
    usual = reference.rows / reference.batches
    yield from _gone(name, column, known, total, 1 - profile.rows / usual)


def _rewritten(name: str, column: ColumnProfile, known: ColumnProfile, new: dict[str, int]) -> Iterator[Candidate]:
    """The same values in another spelling."""
    total: float = sum(new.values())
    ways: list[tuple[str, str, Callable[[str], str]]] = [
        ("padded", "have blanks around them", str.strip),
        ("recased", "changed between small and capital letters", str.casefold),
        ("mojibake", "were written in one encoding and read in another", _decoded),
        ("leading_zeros", "lost or won leading zeros", lambda value: value.lstrip("0") or "0"),
    ]
    for cause, what, spell in ways:
        spelled = {spell(value) for value in known.values} | set(known.values)
        hits = {value: rows for value, rows in new.items() if spell(value) in spelled and spell(value) != value}
        if cause == "recased":
            hits = {value: rows for value, rows in new.items() if spell(value) in spelled}
        hit: float = sum(hits.values())
        if not known.complete and cause in ("padded", "recased", "mojibake"):
            hit = max(hit, _by_form(cause, column, known))
            total = max(_new_forms(column, known), hit, 1)
        if hit:
            example = next(iter(hits), next(iter(new)))
            yield Candidate(
                cause,
                min(hit / total, 1.0) * 0.99,
                hit / column.present,
                f"{hit / column.present:.0%} of its values {what}",
                [f"{min(hit / total, 1.0):.0%} of the new values are known once that is undone, such as {example!r}."],
                suggest.respell(cause, name, known.values, _originals(hits, known, spell)),
            )  # fmt: skip


def _originals(hits: dict[str, int], known: ColumnProfile, spell: Callable[[str], str]) -> dict[str, str]:
    """What each of `hits` was, by the spelling that it shares with a known value."""
    names = {spell(value): value for value in reversed(known.values)} | {value: value for value in known.values}
    return {value: names[spell(value)] for value in hits}


def _by_form(cause: str, column: ColumnProfile, known: ColumnProfile) -> float:
    """Rows of a new form, where there are too many values to know them one by one."""
    classes = {"padded": ["padded"], "recased": ["lower", "upper"], "mojibake": ["mojibake"]}[cause]
    if cause != "recased" or column.classes["padded"] > 0.001 * column.present:
        excess = [column.classes[k] - known.classes[k] / max(known.present, 1) * column.present for k in classes]
        return max(*excess, 0.0) if cause != "recased" else 0.0
    spelled = {pattern.lower() for pattern in known.patterns}
    return sum(
        rows
        for pattern, rows in column.patterns.items()
        if pattern not in known.patterns and pattern.lower() in spelled
    )


def _new_forms(column: ColumnProfile, known: ColumnProfile) -> float:
    return sum(rows for pattern, rows in column.patterns.items() if pattern not in known.patterns)


def _decoded(value: str) -> str:
    for encoding in ("cp1252", "latin-1"):
        try:
            return value.encode(encoding).decode("utf-8")
        except (UnicodeEncodeError, UnicodeDecodeError):
            continue
    return value.replace("\ufffd", "")


def _named_nothing(column: ColumnProfile, known: ColumnProfile, new: dict[str, int]) -> Iterator[Candidate]:
    words = {value: rows for value, rows in new.items() if value.strip().lower() in NOTHING}
    fewer = known.nulls / known.rows - column.nulls / column.rows
    if words:
        rows = sum(words.values())
        word = max(words, key=lambda value: words[value])
        yield Candidate(
            "nulls_to_text",
            rows / sum(new.values()),
            rows / column.rows,
            f"{word!r} stands for no value",
            [f"{rows / column.rows:.1%} of its rows hold {word!r}; {max(fewer, 0):.1%} fewer are empty."],
            Repair(change=f"Add {word!r} to the null markers.", yaml=f'null_markers: [NA, "{word}"]'),
        )


def _renamed(name: str, column: ColumnProfile, known: ColumnProfile, new: dict[str, int]) -> Iterator[Candidate]:
    """Values that went away, and as many new ones with about their shares."""
    total = sum(new.values())
    missing = {
        value: rows / known.present - column.values.get(value, 0) / column.present
        for value, rows in known.values.items()
        if rows >= LEAST * known.present
    }
    missing = {value: share for value, share in missing.items() if share > LEAST}
    if not missing or not known.complete:
        return
    came = sorted((rows / column.present for rows in new.values()), reverse=True)
    if len(came) == 1:
        old, share = min(missing.items(), key=lambda item: abs(item[1] - came[0]))
        fits = 1 - min(abs(share - came[0]) / max(share, came[0]), 1.0)
        yield Candidate(
            "renamed",
            0.4 + 0.5 * fits,
            came[0],
            f"{old!r} is now called {next(iter(new))!r}",
            [f"{share:.1%} of the values are {old!r} no more, and {came[0]:.1%} are new: {next(iter(new))!r}."],
            suggest.repair(name, "To undo it, map the new name to the old.", rename={next(iter(new)): old}),
        )
        return
    lost = sorted(missing, key=lambda value: -missing[value])[: len(came)]
    went = [missing[value] for value in lost]
    codes = sorted(new, key=lambda value: -new[value])
    common = sum(min(one, other) for one, other in zip(went, came, strict=False))
    yield Candidate(
        "recoded",
        0.9 * common / max(sum(came), 1e-9),
        total / column.present,
        f"{total / column.present:.0%} of its values are written in another code",
        [f"{len(came)} new values, such as {', '.join(map(repr, list(new)[:3]))}, have the shares that others lost."],
        suggest.repair(
            name,
            "To undo it, map the new codes to the old, here by how often each comes: check every pair.",
            rename=dict(zip(codes, lost, strict=False)),
        ),
    )


def _of_another(name: str, profile: Profile, reference: Profile, new: dict[str, int]) -> Iterator[Candidate]:
    total = sum(new.values())
    for other, known in reference.columns.items():
        if other == name or other not in profile.columns or known.clock:
            continue
        hit = sum(rows for value, rows in new.items() if value in known.values) / total
        there = profile.columns[other]
        came = {value: rows for value, rows in there.values.items() if value not in known.values}
        back = sum(rows for value, rows in came.items() if value in reference.columns[name].values)
        if hit > 0.5 and back > 0.4 * sum(came.values()) > 0:
            yield Candidate(
                "columns_swapped",
                0.5 + 0.5 * hit,
                total / profile.columns[name].present,
                f"its values stand in {other!r}, and those of {other!r} here",
                [f"{hit:.0%} of its new values are known from {other!r}, and the new ones of {other!r} from here."],
                suggest.exchange(name, other),
                other,
            )


def _gone(name: str, column: ColumnProfile, known: ColumnProfile, new: float, fewer: float) -> Iterator[Candidate]:
    """Values that are not there any more, with nothing in their place: there are `fewer` rows (a share) too."""
    gone = {
        value: rows / known.present
        for value, rows in known.values.items()
        if rows >= 0.01 * known.present
        and column.values.get(value, 0) / max(column.present, 1) < LOST * rows / known.present
    }
    lost = sum(gone.values())
    if gone and known.complete and fewer > 0.5 * lost and new < 0.2 * lost * column.present:
        yield Candidate(
            "region_missing",
            0.95,
            lost,
            f"the rows of {', '.join(map(repr, list(gone)[:3]))} are missing",
            [f"{lost:.1%} of the rows had {'this value' if len(gone) == 1 else 'these values'} before."],
            Repair(change=f"Ask the source for the rows where {name!r} is {next(iter(gone))!r}."),
        )
