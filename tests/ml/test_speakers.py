"""The example of spoken digits: its rows are made from recordings, and its speakers are worth a correction each.

The recordings lie beside the repository where it was developed; elsewhere the test that needs them is skipped.
"""

import tarfile
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from scipy.io import wavfile

from dropforge.contracts.pipeline import parse
from dropforge.ml import export, score, serving, training
from dropforge.ml.paired import difference
from dropforge.ml.rows import coded, columns_of, labels_of
from examples.speakers import sounds

EXAMPLE = Path(sounds.__file__).parent
PIPELINE = parse((EXAMPLE / "pipeline.yaml").read_text("utf-8"))
RECORDINGS = EXAMPLE.parents[2] / "shared" / "data" / "fsdd" / "fsdd_recordings.tar.xz"


def takes(files: list[Path]) -> pa.Table:
    """The rows of recordings as training reads them."""
    made = list(zip(*sounds.rows(files), strict=True))
    table = pa.table(dict(zip(sounds.HEADER, map(list, made), strict=True)))
    with duckdb.connect() as database:
        database.register("takes", table)
        return database.sql(
            "SELECT * REPLACE (day::DATE AS day), digit AS __label__ FROM takes ORDER BY take, speaker, digit"
        ).to_arrow_table()


def test_a_tone_becomes_a_row(tmp_path: Path) -> None:
    """With every column that the pipeline reads; a higher tone sounds different, and so does silence."""
    time = np.arange(sounds.RATE) / sounds.RATE
    for digit, pitch in enumerate((0, 300, 1500)):
        tone = (np.sin(2 * np.pi * pitch * time) * 8000).astype(np.int16)
        wavfile.write(tmp_path / f"{digit}_jo_{digit}.wav", sounds.RATE, tone)
    rows = takes(sorted(tmp_path.glob("*.wav")))
    assert set(PIPELINE.main.columns) == set(sounds.HEADER)
    assert [feature.column for feature in PIPELINE.features] == sounds.SOUNDS
    assert rows["digit"].to_pylist() == ["0", "1", "2"]
    assert len(set(rows["s2_01"].to_pylist())) == 3
    assert all(np.isfinite(rows[name].cast("float64").to_numpy()).all() for name in sounds.SOUNDS)


@pytest.mark.skipif(not RECORDINGS.exists(), reason="the recordings are not beside the repository")
def test_speakers_are_understood_better_by_their_own_takes(tmp_path: Path) -> None:
    """Dynamic personal against static global, on later takes of the same speakers: surely better, served exactly."""
    with tarfile.open(RECORDINGS) as archive:
        archive.extractall(tmp_path, filter="data")
    rows = takes(sorted(tmp_path.glob("recordings/*.wav")))
    split = training.split_by_time(PIPELINE, rows)
    model, chosen = training.fit_rows(PIPELINE, split.train)
    assert chosen.personal is not None
    assert chosen.personal.plan
    columns, labels = columns_of(split.holdout), coded(labels_of(split.holdout), serving.classes(model))
    common, own = serving.given(model.common, columns), serving.given(model, columns)
    found = difference("log_loss", labels, own, common)
    assert found is not None
    assert found.low() > 0
    assert score.accuracy(labels, own) > score.accuracy(labels, common)
    assert export.export(model, columns).content is not None
