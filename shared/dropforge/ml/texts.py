"""A text column as weights of words and pairs of words, for a linear model."""

from collections.abc import Mapping
from typing import Any, Self

from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer

from dropforge.contracts.errors import RequestInvalid
from dropforge.ml.encoder import plain

# Words are known by their hash, so that no vocabulary makes the artefact grow with the data; of a million distinct
# words and pairs, several share a weight, of a hundred thousand hardly any that matter.
_HASHES = 2**17


class Words(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Columns by name -> sparse matrix of shape (n_rows, 131,072), of one text column; a missing text has no words.

    Words and pairs of them, by rarity (TF-IDF, Spärck Jones, 1972), a repeated word by the logarithm of its count.
    """

    def __init__(self, column: str) -> None:
        self.column = column

    def fit(self, columns: Mapping[str, Any], y: object = None) -> Self:  # noqa: ARG002  # scikit-learn passes it
        """Learn how rare each word is."""
        self.rarity_ = TfidfTransformer(sublinear_tf=True).fit(self._counts(columns))
        return self

    def transform(self, columns: Mapping[str, Any]) -> Any:
        """Weigh the words of each row.

        Raises:
            RequestInvalid: a value is no text; names the row and the column.
        """
        return self.rarity_.transform(self._counts(columns))

    def _counts(self, columns: Mapping[str, Any]) -> Any:
        rows = max((len(values) for values in columns.values()), default=0)
        values = plain(columns.get(self.column, [None] * rows))
        texts = [_text(value, row, self.column) for row, value in enumerate(values)]
        words = HashingVectorizer(n_features=_HASHES, ngram_range=(1, 2), alternate_sign=False, norm=None)
        return words.transform(texts)


def _text(value: object, row: int, column: str) -> str:
    if value is not None and not isinstance(value, str):
        raise RequestInvalid(f"Row {row}, column {column!r}: expected a text. Found {value!r}.", row=row, column=column)
    return value or ""
