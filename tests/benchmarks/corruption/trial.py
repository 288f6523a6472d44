"""Spoil one file of the flights example, and judge it by the rules and by its history."""

import csv
import gzip
import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from dropforge.contracts.batch import Batch, Source
from dropforge.contracts.examination import Examination
from dropforge.contracts.pipeline import Pipeline, Table, parse
from dropforge.contracts.profile import Profile
from dropforge.contracts.verdicts import Staged
from dropforge.core import engine
from dropforge.core.anomaly import Earlier, examine
from dropforge.core.profile import measure
from dropforge.core.validation import Files, judge
from tests.benchmarks.corruption.kinds import Kind, Rows

EXAMPLE = Path(__file__).parents[3] / "examples" / "flights"
AIRPORTS = ("EWR", "JFK", "LGA")


@dataclass(frozen=True)
class Outcome:
    """What became of one spoiled file. `ruled`: rules refused it, or at least half of the rows that were touched."""

    kind: str
    share: float
    file: str
    touched: float  # of the column's rows (or of the file's)
    ruled: bool
    noticed: bool
    right: bool
    said: list[str] = field(default_factory=list)

    @property
    def caught(self) -> bool:
        """By whichever."""
        return self.ruled or self.noticed


@cache
def pipeline() -> Pipeline:
    """The example's own."""
    return parse((EXAMPLE / "pipeline.yaml").read_bytes())


def names(table: str) -> list[str]:
    """The example's files of a table, in order of time."""
    return sorted(path.name for path in (EXAMPLE / "data").glob(f"{table}-*.csv.gz"))


def rows_of(name: str) -> Rows:
    """A file's rows, all text."""
    return list(csv.DictReader(io.StringIO(gzip.decompress((EXAMPLE / "data" / name).read_bytes()).decode())))


class Bench:
    """Judges files of the flights example; keeps the profiles of clean ones."""

    def __init__(self, database: duckdb.DuckDBPyConnection, folder: Path) -> None:
        self._database = database
        self._folder = folder
        self._clean: dict[str, Profile] = {}

    def profile(self, table: str, name: str, rows: Rows) -> tuple[Staged, Profile]:
        """Stage rows as ingest would, and profile them."""
        columns = list(rows[0])
        arrays: dict[str, object] = {column: [row[column] for row in rows] for column in columns}
        arrays |= {"_row": range(1, len(rows) + 1), "_line": range(2, len(rows) + 2)}
        path = self._folder / "rows.parquet"
        pq.write_table(pa.table(arrays), path)
        staged = Staged(
            batch=Batch(pipeline="flights", table=table, batch_id=name),
            source=Source(bucket="landing", name=f"flights/{name}", generation=1),
            size_bytes=1,
            format="csv",
            compression="none",
            encoding="utf-8",
            columns=columns,
            rows=len(rows),
            rejected=0,
            content_sha256="",
            pipeline_generation=1,
        )
        return staged, measure(self._database, staged, self.table(name), path)

    def table(self, name: str) -> Table:
        """The rules of a file."""
        return pipeline().tables[name.split("-")[0]]

    def rows(self, name: str) -> Rows:
        """A clean file."""
        return rows_of(name)

    def before(self, name: str) -> list[str]:
        """The clean files that came earlier."""
        table = name.split("-")[0]
        earlier = [other for other in names(table) if other < name]
        return [other for other in earlier if other[8:15] < name[8:15]] if table == "flights" else earlier

    def clean(self, name: str) -> Profile:
        """The profile of a file as it is."""
        if name not in self._clean:
            self._clean[name] = self.profile(name.split("-")[0], name, self.rows(name))[1]
        return self._clean[name]

    def examined(self, name: str, profile: Profile) -> Examination:
        """A profile in the place of the file `name`, against the clean files before it."""
        units = {column: said.unit for column, said in self.table(name).columns.items()}
        earlier = [Earlier(other, self.clean(other)) for other in self.before(name)]
        batch = Batch(pipeline="flights", table=name.split("-")[0], batch_id=name)
        return examine(batch, profile, earlier, 100, units)

    def spoiled(self, kind: Kind, share: float, name: str, seed: int) -> Outcome:
        """One trial."""
        before = self.rows(name)
        after = kind.spoil(before, share, Random(f"{kind.name} {share} {name} {seed}"))
        staged, profile = self.profile(kind.table, name, after)
        files = Files.within(self._folder)
        judged = judge(staged, self.table(name), None, files)
        found = self.examined(name, profile)
        if len(before) == len(after):
            touched = sum(one != other for one, other in zip(before, after, strict=True)) / len(before)
        else:
            touched = abs(len(before) - len(after)) / len(before)
        broken = sum(b.observed for b in judged.breaches if kind.column in b.subject or not kind.column)
        right = any(d.cause in kind.causes and d.column in (kind.column, "") for d in found.diagnoses)
        said = [f"{d.column}: {d.cause} {d.confidence:.2f} {d.share:.3f}" for d in found.diagnoses]
        ruled = bool(judged.refusals) or broken >= max(0.5 * touched * len(after), 1)
        return Outcome(kind.name, share, name, touched, ruled, bool(found.anomalies), right, said)


@contextmanager
def bench[B: Bench](kind: type[B]) -> Iterator[B]:
    """A bench with a database and a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="dropforge-corruption-") as folder, engine.opened(Path(folder)) as database:
        yield kind(database, Path(folder))
