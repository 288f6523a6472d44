"""Raw columns to numbers: the same from Arrow, NumPy and JSON."""

from datetime import UTC, date, datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropforge.contracts.errors import RequestInvalid
from dropforge.ml.encoder import Encoder, Input
from dropforge.ml.timeparts import instants, part_of
from tests.ml.shop import visits

INPUTS = [
    Input("region", "region", "category"),
    Input("pages", "pages", "number"),
    Input("hour", "at", "time", "hour", "America/New_York"),
]


@pytest.fixture
def fitted() -> Encoder:
    """Fitted on Arrow columns, as in training."""
    rows = visits(500)
    return Encoder(INPUTS).fit({name: rows[name] for name in rows.column_names})


def test_json_and_arrow_give_the_same_numbers(fitted: Encoder) -> None:
    """Skew between training and serving would be invisible and would make every metric a lie."""
    rows = visits(200, start=500)
    from_arrow = fitted.transform({name: rows[name] for name in rows.column_names})
    plain = {name: rows[name].to_pylist() for name in ("region", "pages")}
    texts = [moment.isoformat() for moment in rows["at"].to_pylist()]
    np.testing.assert_array_equal(fitted.transform({**plain, "at": texts}), from_arrow)
    assert np.isnan(from_arrow[:, 1]).any()


def test_missing_and_unknown_values_are_nan(fitted: Encoder) -> None:
    """A category that was never seen is missing, not an error: tomorrow has regions that today has not."""
    matrix = fitted.transform({"region": [None, "atlantis"], "pages": [None, 2], "at": [None, None]})
    assert np.isnan(matrix).tolist() == [[True, True, True], [True, False, True]]


def test_an_absent_column_is_missing_in_every_row(fitted: Encoder) -> None:
    """A request need not give what training rows could lack too."""
    assert np.isnan(fitted.transform({"region": ["north", "south"]})[:, 1:]).all()


def test_a_feature_without_any_value_in_training_never_moves_a_prediction() -> None:
    """Such as the weather, where only flights have been dropped yet; the booster cannot bin a column of nothing."""
    encoder = Encoder(INPUTS).fit({"region": ["north", "south"], "pages": [None, None], "at": ["2024-01-01", None]})
    assert encoder.transform({"pages": [7.0, None]})[:, 1].tolist() == [0.0, 0.0]


def test_rare_categories_are_dropped_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A column of user ids must not make the artefact grow without bound; what is frequent is kept."""
    monkeypatch.setattr("dropforge.ml.encoder.MOST_CATEGORIES", 2)
    encoder = Encoder(INPUTS[:1]).fit({"region": ["a", "b", "b", "c", "c"]})
    np.testing.assert_array_equal(encoder.transform({"region": ["a", "b", "c"]})[:, 0], [np.nan, 0, 1])


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"pages": [1.0, "many"]}, "Row 1, column 'pages': expected a number. Found 'many'."),
        ({"at": ["yesterday"]}, "Row 0, column 'at': expected a time such as"),
        ({"at": [7]}, "Row 0, column 'at': expected a time such as"),
    ],
)
def test_a_value_of_the_wrong_type_names_row_and_column(
    fitted: Encoder, columns: dict[str, list[object]], said: str
) -> None:
    """The caller of an endpoint sees only this sentence."""
    with pytest.raises(RequestInvalid) as caught:
        fitted.transform(columns)
    assert caught.value.message.startswith(said)


moments = st.datetimes(datetime(1980, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))


@given(st.lists(moments, min_size=1, max_size=20), st.sampled_from(["America/New_York", "Asia/Kathmandu", "UTC"]))
def test_parts_of_times_are_those_of_the_standard_library(times: list[datetime], zone: str) -> None:
    """Whole arrays by arithmetic, against zoneinfo one by one: daylight saving, half-hour zones, leap years."""
    from zoneinfo import ZoneInfo

    found = instants([moment.isoformat() for moment in times], "at")
    local = [moment.astimezone(ZoneInfo(zone)) for moment in times]
    assert part_of(found, "hour", zone).tolist() == [moment.hour for moment in local]
    assert part_of(found, "minute_of_day", zone).tolist() == [moment.hour * 60 + moment.minute for moment in local]
    assert part_of(found, "weekday", zone).tolist() == [moment.weekday() for moment in local]
    assert part_of(found, "month", zone).tolist() == [moment.month for moment in local]
    assert part_of(found, "day_of_year", zone).tolist() == [moment.timetuple().tm_yday for moment in local]


def test_times_of_every_kind_are_the_same_instant() -> None:
    """Arrow in training, text in a request, Python objects in a test; no offset means UTC."""
    moment = datetime(2013, 1, 31, 10, tzinfo=UTC)
    arrow = pa.chunked_array([pa.array([moment, None], pa.timestamp("us", "UTC"))])
    expected = np.array(["2013-01-31T10", "NaT"], dtype="datetime64[us]")
    np.testing.assert_array_equal(instants(arrow, "at"), expected)
    for given_ in (moment, "2013-01-31T10:00:00Z", "2013-01-31T11:00:00+01:00", "2013-01-31T10:00"):
        np.testing.assert_array_equal(instants([given_, None], "at"), expected)
    assert instants([date(2013, 1, 31), "2013-01-31"], "at").tolist() == [datetime(2013, 1, 31)] * 2
