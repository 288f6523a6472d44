"""A batch that does not fit into memory gets a verdict, and is not tried again for ever."""

from importlib import import_module

import pytest

from dropforge.core import quarantine
from dropforge.core.anomaly import recorded
from tests.functions.drops import HEADER, PIPELINE, Shop

ROWS = HEADER + "".join(f"{n},2013-01-01,9,big,{'text ' * 200}{n}\n" for n in range(3000)) + "short\n"


def test_a_batch_that_does_not_fit_is_refused_and_judged_once_it_does(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the engine's own limit, set to what no batch fits into. No row is lost: a larger function replays it."""
    with monkeypatch.context() as little:
        little.setattr(import_module("dropforge.core.validation.judge"), "MEMORY_MB", 3)
        verdict = shop.drop(ROWS)
    assert (verdict.status, verdict.reasons[0].code, verdict.rows_quarantined) == ("quarantined", "out_of_memory", 3001)
    assert [row["raw"] for row in shop.quarantined(verdict)][::3000] == ["{}", '{"_text":"short"}']
    (held,) = quarantine.held(shop.state, "shop")
    shop.deploy(PIPELINE + b"# with more memory\n")
    again = shop.judge_again(held)
    assert again is not None
    assert again.rows_accepted == 3000


def test_a_batch_that_cannot_be_profiled_is_judged_by_its_rules(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """History is worth a warning, not the rows."""
    monkeypatch.setattr(recorded, "MEMORY_MB", 3)
    verdict = shop.drop(ROWS)
    assert (verdict.rows_accepted, [reason.code for reason in verdict.warnings]) == (3000, ["not_examined"])
