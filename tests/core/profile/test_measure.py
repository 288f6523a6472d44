"""What a profile says of rows, against values worked out by hand."""

from tests.core.profile.measuring import profiled, table_of


def test_values_that_are_not_of_the_type_are_counted_and_shown() -> None:
    """What cannot be read is the best witness of what happened to a column."""
    column = profiled({"x": ["1", "2,5", "NA", None, "", "4e2"]}, table_of(x="number")).columns["x"]
    assert (column.rows, column.present, column.readable, column.nulls) == (6, 3, 2, 3)
    assert column.unreadable == {"2,5": 1}


def test_the_decimal_mark_of_the_file_is_used() -> None:
    """The profile reads as the rules read."""
    column = profiled({"x": ["1,5", "2,5"]}, table_of(x="number"), decimal=",").columns["x"]
    assert column.numbers is not None
    assert column.numbers.mean == 2.0


def test_texts_have_patterns_classes_and_lengths() -> None:
    """N14228 is a letter and five digits; a run of three and more is written as one and a plus."""
    texts = ["N14228", "N5", "n5", " N5", "Zürich", "ZÃ¼rich"]
    column = profiled({"c": texts}, table_of(c="category")).columns["c"]
    assert column.patterns == {"A9": 1, "A9+": 1, "Aa+": 1, "a9": 1, " A9": 1} | {"AA¼a+": 1}
    assert column.classes == {"upper": 5, "lower": 3, "digit": 4, "padded": 1, "foreign": 2, "mojibake": 1}
    assert (column.shortest, column.longest) == (2, 7)


def test_times_are_counted_by_hour_and_day() -> None:
    """In UTC, whatever zone the text has."""
    times = ["2013-01-01T00:30:00Z", "2013-01-01T00:30:00+02:00", "2013-01-02"]
    profile = profiled({"t": times}, table_of(t="timestamp"))
    clock = profile.columns["t"].clock
    assert clock is not None
    assert (clock.hours[0], clock.hours[22]) == (2, 1)
    assert clock.days == {"2012-12-31": 1, "2013-01-01": 1, "2013-01-02": 1}


def test_rows_that_repeat_an_earlier_row_are_counted() -> None:
    """In every column: equal values in one alone are nothing odd."""
    assert profiled({"x": ["1", "1", "1"], "c": ["a", "a", "b"]}, table_of(x="integer", c="category")).repeated == 1


def test_a_column_without_any_value_has_a_profile() -> None:
    """A dead column is what one looks for."""
    column = profiled({"x": [None, "NA"]}, table_of(x="number")).columns["x"]
    assert (column.present, column.distinct, column.numbers, column.values) == (0, 0.0, None, {})


def test_a_value_that_many_rows_share_is_kept_to_the_last_bit() -> None:
    """The mean of 53 times 0.2 is not 0.2 in binary, and rows at 0.2 would no longer be at most 0.2."""
    values = [*(repr(n / 1000) for n in range(1, 190)), *(repr(n / 1000 + 0.0005) for n in range(1, 190))]
    numbers = profiled({"x": [*values, *["0.2"] * 53]}, table_of(x="number")).columns["x"].numbers
    assert numbers is not None
    assert numbers.points[-1] == (0.2, 53)
    assert numbers.at_most(0.2) == numbers.count
