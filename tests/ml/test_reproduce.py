"""A version is explained by its lineage if training from that alone gives the same bytes."""

import pytest

from dropforge.contracts import places
from dropforge.ml import reproduce
from tests.ml.published import train
from tests.ml.shop import YAML, Shop


def test_a_candidate_comes_out_the_same_from_its_lineage_alone() -> None:
    """Also after more data, and another configuration, have come."""
    shop = Shop()
    candidate = train(shop, "a.csv")
    shop.land("b.csv")
    place = places.pipeline_yaml("shop")
    other = YAML.replace("MODE", "dynamic").replace("seed: 3", "seed: 4")
    shop.state.replace(place, other.encode(), shop.state.stat(place).generation)
    result = reproduce.reproduce(candidate, shop.state)
    assert result.same
    assert (result.gone, result.changed) == ([], [])


def test_inputs_that_are_gone_are_named() -> None:
    """A lifecycle rule may have deleted them; then nobody can reproduce the version, and it says so."""
    shop = Shop()
    candidate = train(shop, "a.csv")
    (rows,) = [name for name in shop.state._versions if name.endswith("accepted.parquet")]
    del shop.state._versions[rows]
    result = reproduce.reproduce(candidate, shop.state)
    assert not result.same
    assert result.gone[0].startswith(f"gs://memory/{rows}#")
    assert "shop/a.csv" in result.gone[0]


def test_other_code_is_said_to_be_other_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """A different hash then has an explanation."""
    shop = Shop()
    candidate = train(shop, "a.csv")
    monkeypatch.setattr(reproduce, "code_version", lambda: "0.2.0+other")
    result = reproduce.reproduce(candidate, shop.state)
    assert result.changed == [f"code: {candidate.lineage.code_version} then, 0.2.0+other now"]
    assert result.same
