"""Relations are learned from clean rows, hold on further clean ones, and break where a column was changed alone."""

from collections.abc import Callable
from random import Random

import pytest

from dropforge.contracts.profile import Sample
from dropforge.core.diagnosis.blame import blamed
from dropforge.core.relations import Relation, Rows, learn, rows_of

UNITS = {"left": "HHMM", "planned": "HHMM", "temp": "°F"}
SPEED = {"lorry": 60.0, "van": 80.0, "bike": 20.0}
TITLES = {
    "delay": "'delay' = 'left' - 'planned' by the clock",
    "limit": "'vehicle' decides 'limit'",
    "at": "'planned' and 'at' lie the usual hours apart",
    "paid": "'paid' and 'tip' are empty in the same rows",
    "temp": "'temp' is about what 'dew' foretell",
    "total": "'total' = 'amount' + 'tax'",
}
Row = dict[str, float | str | None]


def batch(random: Random, rows: int = 600, change: Callable[[Row], None] = lambda _: None) -> Rows:
    """Trips of a made-up courier: what each column has to do with the others is written here."""
    made: list[Row] = []
    for _ in range(rows):
        planned, delay = random.randrange(360, 1200), round(random.gauss(5, 12))
        temp, amount, tax = random.gauss(60, 10), random.randrange(100, 9000), random.randrange(10, 900)
        vehicle, paid = random.choice(list(SPEED)), random.random() < 0.9
        row: Row = {
            "planned": float(planned // 60 * 100 + planned % 60),
            "left": float((planned + delay) // 60 * 100 + (planned + delay) % 60),
            "delay": float(delay),
            "at": 1.4e9 // 86400 * 86400 + random.randrange(28) * 86400 + (planned // 60 + 4) * 3600.0,
            "temp": temp,
            "dew": temp - 15 + random.gauss(0, 3),
            "amount": float(amount),
            "tax": float(tax),
            "total": float(amount + tax),
            "limit": SPEED[vehicle],
            "paid": float(random.randrange(1, 50)) if paid else None,
            "tip": random.random() if paid else None,
            "alone": random.random(),
            "vehicle": vehicle,
        }
        change(row)
        made.append(row)
    names = [name for name in made[0] if name != "vehicle"]
    return rows_of(
        Sample.model_validate(
            {
                "hashes": list(range(rows)),
                "numbers": {name: [row[name] for row in made] for name in names},
                "texts": {"vehicle": [row["vehicle"] for row in made]},
            }
        ),
        UNITS,
        frozenset(["at"]),
    )


@pytest.fixture(scope="module")
def learned() -> list[Relation]:
    """From five clean batches."""
    random = Random(3)
    return learn([batch(random) for _ in range(5)])


def test_every_relation_of_the_made_up_world_is_found(learned: list[Relation]) -> None:
    """Each kind once; and nothing is said of the column that has to do with none."""
    says = {relation.says for relation in learned}
    assert set(TITLES.values()) <= says
    assert not any("alone" in relation.columns for relation in learned)


def test_clean_rows_keep_what_was_learned(learned: list[Relation]) -> None:
    """Of rows that were not learned from, too."""
    later = batch(Random(4))
    assert [relation.says for relation in learned if relation.test(later).rows > 0.01 * later.count] == []


def celsius(row: Row) -> None:
    """°F to °C."""
    row["temp"] = (float(row["temp"] or 0) - 32) / 1.8


def flip(row: Row) -> None:
    """The sign of a whole number."""
    row["delay"] = -float(row["delay"] or 0)


def later_clock(row: Row) -> None:
    """Two hours."""
    row["planned"] = (float(row["planned"] or 0) + 200) % 2400


def later_time(row: Row) -> None:
    """Six hours."""
    row["at"] = float(row["at"] or 0) + 6 * 3600


def zero(row: Row) -> None:
    """Nothing becomes 0."""
    row["paid"] = row["paid"] or 0.0


def lose(row: Row) -> None:
    """A value is gone."""
    row["tip"] = None


def swap(row: Row) -> None:
    """Two columns exchange their values."""
    row["tax"], row["limit"] = row["limit"], row["tax"]


CHANGES = [
    (celsius, "temp", "unit_change"),
    (flip, "delay", "sign_flip"),
    (later_clock, "planned", "clock_shift"),
    (later_time, "at", "clock_shift"),
    (zero, "paid", "filled"),
    (lose, "tip", "lost"),
    (swap, "tax", "columns_swapped"),
]


@pytest.mark.parametrize(("change", "column", "cause"), CHANGES, ids=[change.__name__ for change, _, _ in CHANGES])
def test_a_change_breaks_a_relation_and_undoing_it_tells_the_cause(
    learned: list[Relation], change: Callable[[Row], None], column: str, cause: str
) -> None:
    """In a fifth of the rows: each column by itself could look so, and the right one is blamed for the right thing."""
    random = Random(9)
    rows = batch(random, change=lambda row: change(row) if random.random() < 0.2 else None)
    broken = {one.says: one for one in learned if one.test(rows).rows > 0.01 * rows.count}
    guilty = blamed(broken, {one.says: one for one in learned}, rows, UNITS, frozenset())
    found = [mended for name, mended in guilty.values() if name == column]
    assert cause in [one.cause for one in found if one and one.fixed > 0.9]
