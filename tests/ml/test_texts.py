"""Text columns: words that decide are found, by training and by a request alike."""

import csv
import gzip
import io
from pathlib import Path

import numpy as np
import pytest

from dropforge.contracts.errors import PipelineInvalid, RequestInvalid
from dropforge.contracts.pipeline import Pipeline, parse
from dropforge.ml import artefact, choose, export, fit, score, serving
from dropforge.ml.rows import LABEL, columns_of
from tests.ml.shop import YAML, visits

MESSAGES = Path(__file__).parents[3] / "shared" / "data" / "sms_spam" / "SMSSpamCollection.tsv.gz"


def pipeline(features: str = "region, pages, said", models: str = "boosting, logistic, constant") -> Pipeline:
    """The shop, where visitors also say something."""
    return parse(
        YAML.replace("MODE", "dynamic")
        .replace("bought: {type: integer}", "bought: {type: integer}\n      said: {type: text}")
        .replace("features: [region, pages, {name: hour, column: at, part: hour}]", f"features: [{features}]")
        .replace("models: [boosting]", f"models: [{models}]")
    )


def talkative(rows: int = 600) -> tuple[dict[str, object], np.ndarray[tuple[int], np.dtype[np.int8]]]:
    """Visits whose words tell whether they buy, and one in ten says nothing."""
    table = visits(rows)
    labels = table["bought"].to_numpy().astype(np.int8)
    random = np.random.default_rng(3)
    words = [
        None if random.random() < 0.1 else f"{'I want it' if label else 'only looking'} today {random.integers(100)}"
        for label in labels
    ]
    return {**columns_of(table), "said": words}, labels


def test_words_decide_together_with_the_other_columns() -> None:
    """And a request with the same values gets the same answer."""
    columns, labels = talkative()
    model = fit.fit(pipeline(), columns, labels, "logistic")
    assert score.roc_auc(labels, serving.given(model, columns)) > 0.95
    keen, idle, silent = serving.predict(
        model, [{"said": "I want it", "pages": 6.0}, {"said": "only looking", "pages": 6.0}, {"pages": 6.0}]
    )
    assert keen > silent > idle


def test_the_linear_model_is_chosen_where_words_decide() -> None:
    """Boosting reads no text, and must not be preferred for standing first."""
    columns, _ = talkative()
    table = visits(600)
    rows = table.append_column(LABEL, table["bought"].cast("int8")).append_column("said", [columns["said"]])
    assert choose.choose(pipeline(), rows).kind == "logistic"
    only = choose.choose(pipeline("said"), rows)
    assert (only.kind, "boosting" in only.tried) == ("logistic", False)


@pytest.mark.parametrize("features", ["said", "region, pages, said"])
@pytest.mark.parametrize("kind", ["constant", "logistic"])
def test_the_same_rows_give_the_same_bytes(features: str, kind: str) -> None:
    """Also where text is all there is."""
    columns, labels = talkative(300)
    first, second = (fit.fit(pipeline(features), columns, labels, kind) for _ in range(2))
    assert artefact.dump(first)[1] == artefact.dump(second)[1]
    assert len(artefact.dump(first)[0]) < 5_000_000


def test_why_it_is_not_compiled_is_recorded() -> None:
    """scikit-learn serves it then."""
    columns, labels = talkative(300)
    exported = export.export(fit.fit(pipeline(), columns, labels, "logistic"), columns)
    assert exported.content is None
    assert "Expected an encoder before one of HistGradientBoostingClassifier" in exported.reason


def test_what_is_no_text_is_refused_by_row_and_column() -> None:
    """As for every other column."""
    model = fit.fit(pipeline("said"), *talkative(300), "logistic")
    with pytest.raises(RequestInvalid, match=r"Row 1, column 'said': expected a text\. Found 7"):
        serving.predict(model, [{"said": "a"}, {"said": 7}])


def test_boosting_alone_on_text_alone_is_an_error_of_the_pipeline() -> None:
    """Said when it is written, not when it trains."""
    with pytest.raises(PipelineInvalid, match="add 'logistic' to 'models'"):
        pipeline("said", "boosting")


@pytest.mark.skipif(not MESSAGES.exists(), reason="the SMS Spam Collection is not beside the repository")
def test_spam_is_told_from_messages() -> None:
    """5,574 real messages, the last third held out; to call none of them spam is right in 87 %."""
    text = gzip.decompress(MESSAGES.read_bytes()).decode()
    lines = list(csv.reader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE))
    labels = np.array([line[0] == "spam" for line in lines], dtype=np.int8)
    said = [line[1] for line in lines]
    cut = len(lines) * 2 // 3
    model = fit.fit(pipeline("said"), {"said": said[:cut]}, labels[:cut], "logistic")
    given = serving.given(model, {"said": said[cut:]})
    assert score.accuracy(labels[cut:], given) > 0.97
    assert score.roc_auc(labels[cut:], given) > 0.98
