"""One artefact: the same bytes for the same rows, and only the bytes that were promised."""

import subprocess
import sys

import numpy as np
import pytest

from dropforge.contracts.errors import ArtefactTampered, NotEnoughData
from dropforge.ml import artefact, fit, serving
from dropforge.ml.rows import columns_of
from tests.ml.shop import Shop, visits

AGAIN = """
from dropforge.ml import artefact, fit
from tests.ml.shop import Shop
from tests.ml.test_artefact import train
print(artefact.dump(train())[1])
"""


def train(rows: int = 400) -> object:
    """A fitted artefact."""
    table = visits(rows)
    return fit.fit(Shop().pipeline, columns_of(table), table["bought"].to_numpy().astype(np.int8))


def test_two_processes_make_the_same_bytes() -> None:
    """Reproduction rests on it, and training by three architectures. Other hash seeds and cores change nothing."""
    environment = {"PYTHONPATH": ":".join(sys.path), "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "7"}
    again = subprocess.run([sys.executable, "-c", AGAIN], env=environment, capture_output=True, text=True, check=True)
    assert again.stdout.strip() == artefact.dump(train())[1]


def test_the_number_of_threads_does_not_change_a_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another machine has other cores."""
    monkeypatch.setattr(fit, "THREADS_PAY", 0)
    many = artefact.dump(train(2000))[1]
    monkeypatch.setattr(fit, "THREADS_PAY", 10_000)
    assert artefact.dump(train(2000))[1] == many


def test_it_loads_under_its_own_digest_only() -> None:
    """Unpickling runs code, so what is not exactly what was judged is never unpickled."""
    content, digest = artefact.dump({"a": 1})
    assert artefact.load(content, digest) == {"a": 1}
    with pytest.raises(ArtefactTampered, match=digest):
        artefact.load(content + b" ", digest)


def test_a_loaded_artefact_predicts_the_same() -> None:
    """Bit for bit: the judge compares the served model with what it judged."""
    model = train()
    content, digest = artefact.dump(model)
    rows = columns_of(visits(50, start=400))
    again = artefact.load(content, digest)
    np.testing.assert_array_equal(serving.given(again, rows), serving.given(model, rows))


def test_instances_give_the_same_as_columns() -> None:
    """A request is a list of objects, training a table; skew between them is impossible, and this holds it."""
    model = train()
    table = visits(50, start=400)
    plain = [{"region": row["region"], "pages": row["pages"], "at": row["at"].isoformat()} for row in table.to_pylist()]
    assert serving.predict(model, plain) == serving.given(model, columns_of(table)).tolist()
    assert serving.predict(model, []) == []


def test_one_class_or_a_handful_of_rows_is_refused() -> None:
    """A fit on them would work, and mean nothing."""
    table = visits(400)
    with pytest.raises(NotEnoughData, match="Found 400 rows, 400 of them positive"):
        fit.fit(Shop().pipeline, columns_of(table), np.ones(400, dtype=np.int8))
    with pytest.raises(NotEnoughData, match="Found 20 rows"):
        fit.fit(Shop().pipeline, columns_of(table.slice(0, 20)), np.array([0, 1] * 10, dtype=np.int8))


def test_serving_imports_neither_arrow_nor_duckdb() -> None:
    """Each costs a cold start time and a container size, and a prediction needs none of them."""
    code = "import sys; from dropforge.ml import artefact, serving, encoder; print(*sys.modules)"
    environment = {"PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "sklearn" in loaded
    assert not loaded & {"pyarrow", "duckdb", "pandas", "pydantic", "google.auth"}
