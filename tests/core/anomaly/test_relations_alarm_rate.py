"""The alarm rate holds when how columns hang together is watched too, on resampled rows of real flights."""

import csv
import gzip
import io
from pathlib import Path
from random import Random

import pytest

from dropforge.contracts.batch import Batch
from dropforge.contracts.pipeline import parse
from dropforge.contracts.profile import Profile
from dropforge.core.anomaly import Earlier, examine
from tests.core.profile.measuring import profiled

EXAMPLE = Path(__file__).parents[3] / "examples" / "flights"
TABLE = parse((EXAMPLE / "pipeline.yaml").read_bytes()).main
UNITS = {name: column.unit for name, column in TABLE.columns.items()}
ONE_IN = 20


def _drawn(rows: int, batches: int, columns: int) -> list[Profile]:
    """Clean batches by construction: disjoint random rows of one month, so that none differs from the others."""
    content = gzip.decompress((EXAMPLE / "data" / "flights-2013-05-EWR.csv.gz").read_bytes()).decode()
    month = list(csv.DictReader(io.StringIO(content)))
    Random(rows).shuffle(month)
    names = list(TABLE.columns)[-columns:]
    table = TABLE.model_copy(update={"columns": {name: TABLE.columns[name] for name in names}, "time": None})
    parts = [month[at * rows : (at + 1) * rows] for at in range(batches)]
    return [profiled({name: [row[name] for row in part] for name in names}, table) for part in parts]


@pytest.mark.parametrize(("rows", "columns"), [(120, 14), (400, 6)])
def test_clean_batches_raise_no_more_alarms_than_stated(rows: int, columns: int) -> None:
    """40 choices of a batch and 3 to 8 earlier ones: at one in 20, more than 5 alarms come once in seventy runs."""
    made = _drawn(rows, 14, columns)
    random = Random(columns)
    alarms, tests = 0, 0
    for trial in range(40):
        *before, now = random.sample(made, 4 + trial % 6)
        earlier = [Earlier(f"{n:03}", profile) for n, profile in enumerate(before)]
        found = examine(Batch(pipeline="p", table="t", batch_id="now"), now, earlier, ONE_IN, UNITS)
        alarms += bool(found.anomalies)
        tests += found.tests
    assert tests > 40 * columns
    assert alarms <= 5
