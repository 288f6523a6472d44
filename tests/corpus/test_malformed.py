"""Every malformed file gets its verdict: no crash, no hang, no row lost."""

import pytest

from tests.corpus.malformed import FILES, PIPELINE
from tests.functions.drops import Shop


@pytest.mark.parametrize("what", FILES)
def test_malformed_file_gets_its_verdict(what: str) -> None:
    """Each of these has reached somebody's landing bucket one night."""
    file = FILES[what]
    shop = Shop().deploy(PIPELINE, "people")
    verdict = shop.drop(file.content, "people/file.csv")
    found = (verdict.status, verdict.reasons[0].code if verdict.reasons else None, verdict.rows_read)
    assert found == (file.status, file.code, file.read), [reason.sentence for reason in verdict.reasons]
    assert len(shop.accepted(verdict)) == verdict.rows_accepted
    assert len(shop.quarantined(verdict)) == verdict.rows_quarantined
    assert all(reason.sentence.endswith(".") for reason in verdict.reasons)
