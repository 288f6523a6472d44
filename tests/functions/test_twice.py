"""Two copies of a delivery at the same time have the effect of one."""

from concurrent.futures import ThreadPoolExecutor

from tests.functions.drops import HEADER, Shop

MIXED = HEADER + "1,2013-01-01,9.5,big,\n2,2013-01-02,1,small,\nx,2013-01-01,9.5,big,\nbad line\n"


def test_two_deliveries_at_once_leave_what_one_leaves(shop: Shop) -> None:
    """Pub/Sub may hand the same message to two instances; neither knows of the other."""
    calm = Shop().deploy()
    expected = calm.drop(MIXED)
    source = shop.put(MIXED)
    with ThreadPoolExecutor(4) as pool:
        staged = list(pool.map(shop.ingest, [source] * 4))
        assert staged[0] is not None
        verdicts = list(pool.map(shop.validate, [staged[0].batch] * 4))
    assert all(one == staged[0] for one in staged)
    assert all((one.rows_accepted, one.reasons) == (expected.rows_accepted, expected.reasons) for one in verdicts)
    assert {name: found[0] for name, found in _data(shop).items()} == {n: found[0] for n, found in _data(calm).items()}
    assert shop.warehouse.jobs == calm.warehouse.jobs


def _data(shop: Shop) -> dict[str, tuple[bytes, dict[str, str]]]:
    """Every object but verdicts, which name a generation that depends on how the two took turns."""
    return {n: found for n, found in shop.everything().items() if n != "loads" and not n.startswith("verdicts/")}
