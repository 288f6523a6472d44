"""The artefact with corrections: the common pipeline, what reads the numeric features, and each entity's offsets."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from dropforge.core.compiled import Offsets, Scale
from dropforge.ml.encoder import Encoder, plain
from dropforge.ml.personal.correction import moved
from dropforge.ml.personal.raw import raw, shares

Floats = NDArray[np.float64]


class Numbers(BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """The numeric features, each less its mean and by its deviation in training; what is missing is 0."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder

    def fit(self, columns: Any, y: Any = None) -> Self:  # noqa: ARG002  # needs no labels
        """Learn means and deviations."""
        matrix = self.encoder.fit_transform(columns)
        centres, spreads = np.nanmean(matrix, axis=0), np.nanstd(matrix, axis=0)
        self.scales_ = [
            Scale(centre, 1 / spread if spread > 0 else 0.0)
            for centre, spread in zip(centres.tolist(), spreads.tolist(), strict=True)
        ]
        return self

    def transform(self, columns: Any) -> Floats:
        """Shape (n_rows, n_numbers)."""
        matrix = self.encoder.transform(columns)
        centres = np.array([scale.centre for scale in self.scales_])
        factors = np.array([scale.factor for scale in self.scales_])
        scaled: Floats = np.nan_to_num((matrix - centres) * factors, nan=0.0)
        return scaled


class _Personal(BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """A fitted common pipeline and the corrections of entities, by their name in `column`."""

    def __init__(self, common: Any, numbers: Numbers, column: str, entities: Mapping[str, Offsets]) -> None:
        self.common = common
        self.numbers = numbers
        self.column = column
        self.entities = entities

    def fit(self, columns: Any, y: Any = None) -> Self:  # noqa: ARG002  # all is fitted before
        """There is nothing to learn."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        """It is."""
        return True

    def scores(self, columns: Any) -> Floats:
        """The corrected scores, shape (n_rows, n_outputs)."""
        common = raw(self.common, columns)
        places = by_entity(columns.get(self.column, ()))
        known = {name: where for name, where in places.items() if name in self.entities}
        numbers = self.numbers.transform(columns) if known else np.zeros((len(common), 0))
        for name, where in known.items():
            common[where] = moved(common[where], numbers[where], self.entities[name])
        return common


class PersonalNumbers(RegressorMixin, _Personal):  # type: ignore[misc]  # as above
    """Of a number."""

    def predict(self, columns: Any) -> Floats:
        """The numbers, shape (n_rows,)."""
        return self.scores(columns)[:, 0]


class PersonalClasses(ClassifierMixin, _Personal):  # type: ignore[misc]  # as above
    """Of yes and no, or of classes."""

    def __init__(self, common: Any, numbers: Numbers, column: str, entities: Mapping[str, Offsets]) -> None:
        super().__init__(common, numbers, column, entities)
        self.classes_ = common.classes_

    def predict_proba(self, columns: Any) -> Floats:
        """Probabilities of the classes, shape (n_rows, n_classes)."""
        return shares(self.scores(columns))


def by_entity(values: Any) -> dict[str, NDArray[np.int64]]:
    """The places of each entity's rows; those that name none are left out."""
    places: dict[str, list[int]] = {}
    for place, value in enumerate(plain(values)):
        if value is not None:
            places.setdefault(str(value), []).append(place)
    return {name: np.array(where, dtype=np.int64) for name, where in places.items()}
