"""Drafts of a pipeline.yaml: they parse, they take in their own sample, and they say what a sample cannot tell."""

import csv
import gzip
from pathlib import Path

import pytest

from dropforge.contracts.errors import FileUnreadable
from dropforge.contracts.pipeline import parse
from dropforge.core.drafting import Draft, draft
from tests.commands.cli import Cli

REPO = Path(__file__).parents[2]
FLIGHTS = REPO / "examples" / "flights" / "data"
SEEDS = REPO.parent / "shared" / "data"  # the data sets that the work began with, where they lie beside the repository


def seed(name: str) -> Path:
    """A data set that is not part of the repository."""
    path = SEEDS / name
    if not path.exists():
        pytest.skip(f"{name} does not lie beside the repository")
    return path


def fits(made: Draft) -> Draft:
    """A draft whose text parses to what it says, and which takes in all of its sample."""
    assert parse(made.text) == made.pipeline
    assert not made.lacking
    assert made.judged is not None and made.judged.refusals == []
    assert made.judged.rows_quarantined <= 0.001 * made.judged.rows_accepted
    return made


def test_the_flights() -> None:
    """What the example's author wrote by hand, a draft finds: the time, a key, the label, and what would leak it."""
    pipeline = fits(draft(FLIGHTS / "flights-2013-01-JFK.csv.gz", "flights")).pipeline
    main = pipeline.main
    assert main.time == "time_hour" and "time_hour" in main.key and "flight" in main.key
    assert (pipeline.label.column, pipeline.label.above is not None) == ("arr_delay", True)
    assert {"air_time", "arr_time", "dep_delay", "dep_time"} <= set(pipeline.forbidden_features)
    assert main.columns["sched_dep_time"].unit == "HHMM" and main.columns["arr_delay"].unit == "minute"
    assert "carrier" in pipeline.slices


def test_the_weather() -> None:
    """Units by range, and the one wind of 1,048 that month after month nobody measured."""
    made = fits(draft(FLIGHTS / "weather-2013-02.csv.gz", "weather"))
    columns = made.pipeline.main.columns
    assert sorted(made.pipeline.main.key) == ["origin", "time_hour"]
    units = {name: columns[name].unit for name in ("temp", "humid", "wind_dir", "pressure")}
    assert units == {"temp": "°F", "humid": "%", "wind_dir": "degree", "pressure": "hPa"}
    assert "1048.36 lies far from the rest" in made.text
    assert made.judged is not None and made.judged.rows_quarantined == 1


def test_shoppers_without_key_and_time() -> None:
    """What the schema asks for and the data lack is declared, marked, and explained; given it, the sample passes."""
    made = draft(seed("online_shoppers/online_shoppers_intention.csv.gz"))
    assert list(made.lacking) == ["row_id", "recorded_at"] and made.text.count("NOT IN THE SAMPLE") == 2
    pipeline = parse(made.text)
    assert (pipeline.label.column, pipeline.label.equals) == ("Revenue", "true")
    assert pipeline.slices == ["Region", "VisitorType"]
    assert pipeline.main.columns["OperatingSystems"].type == "category", "a number that names is no quantity"


def test_shoppers_with_what_they_lacked(tmp_path: Path) -> None:
    """The other half of that promise."""
    with gzip.open(seed("online_shoppers/online_shoppers_intention.csv.gz"), "rt", newline="") as text:
        rows = list(csv.DictReader(text))
    path = tmp_path / "shoppers.csv"
    with path.open("w", newline="") as text:
        writer = csv.DictWriter(text, ["row_id", "recorded_at", *rows[0]])
        writer.writeheader()
        writer.writerows(
            {"row_id": n, "recorded_at": f"2017-{1 + n % 12:02}-{1 + n % 28:02}T10:00:00Z", **row}
            for n, row in enumerate(rows)
        )
    pipeline = fits(draft(path)).pipeline
    assert (pipeline.main.key, pipeline.main.time) == (["row_id"], "recorded_at")


def test_messages_without_a_header() -> None:
    """A first message is no name of a column; said at once, instead of drafting nonsense."""
    with pytest.raises(FileUnreadable, match=r"seems to have no header: its first line, 'ham'"):
        draft(seed("sms_spam/SMSSpamCollection.tsv.gz"))


def test_messages_with_a_header(tmp_path: Path) -> None:
    """Text is told from categories, and spam from ham."""
    path = tmp_path / "sms.tsv"
    with gzip.open(seed("sms_spam/SMSSpamCollection.tsv.gz"), "rb") as body:
        path.write_bytes(b"label\ttext\n" + body.read())
    pipeline = parse(draft(path).text)
    assert pipeline.main.columns["text"].type == "text"
    assert (pipeline.label.name, pipeline.label.equals) == ("is_spam", "spam")


def test_spoken_digits() -> None:
    """Two hundred columns of numbers, few names: the key of three, the digit to tell, the speakers as slices."""
    made = draft(seed("fsdd/fsdd_features.csv.gz"))
    pipeline = parse(made.text)
    assert sorted(pipeline.main.key) == ["digit", "speaker", "take"]
    assert (pipeline.label.column, pipeline.slices) == ("digit", ["speaker"])
    assert (pipeline.label.kind, pipeline.success.metric) == ("classes", "macro_f1")


NASTY = {
    "yes": ["no", "on", "off", "null", "~", "1e3"],
    "quoted": ["a: b", "#c", "'d'", '"e"', "{f}", "- g"],
    "wide": ["ü", "日本", "😀", "tab\there", "line\nbreak", "back\\slash"],
}


def test_values_that_mean_something_to_yaml(tmp_path: Path) -> None:
    """A draft is text around texts from anywhere; it must say them and nothing else."""
    path = tmp_path / "nasty.csv"
    with path.open("w", newline="", encoding="utf-8") as text:
        writer = csv.writer(text)
        writer.writerow(["id", "at", *NASTY, "a name: #1", "late"])
        for n in range(600):
            picked = [values[n % 6] for values in NASTY.values()]
            writer.writerow([n, f"2024-01-{1 + n % 28:02}", *picked, "x", n % 5 == 0])
    pipeline = fits(draft(path)).pipeline
    for name, values in NASTY.items():
        assert sorted(pipeline.main.columns[name].allowed or []) == sorted(set(values) - {"null"})
    assert pipeline.main.unexpected_columns == "ignore" and pipeline.label.column == "late"


def test_a_draft_is_written_once(cli: Cli, tmp_path: Path) -> None:
    """A person may have worked on the first; it is not written over."""
    out = tmp_path / "mine.yaml"
    arguments = ("init", str(FLIGHTS / "flights-2013-01-LGA.csv.gz"), "--pipeline", "mine", "--out", str(out))
    told = cli.ask(None, *arguments)
    assert told["fits"] and parse(out.read_bytes()).pipeline == "mine"
    assert "it is not written over" in cli.tell(None, *arguments)[2]
