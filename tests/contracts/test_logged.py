"""Labels find their prediction by the name of its row's key."""

import pytest

from dropforge.contracts.logged import key_name


def test_neighbouring_ids_of_64_bits_have_names_of_their_own() -> None:
    """As floats they are one, and a label would go to another row's prediction."""
    ids = [one for power in (53, 62, 63) for one in range(2**power - 3, 2**power + 4)]
    assert len({key_name({"id": sign * one}) for one in ids for sign in (1, -1)}) == 2 * len(ids)


@pytest.mark.parametrize("number", [0, 5, -(2**53), 2**53, 2**53 + 2, 2**63, -(2**80)])
def test_a_whole_number_has_one_name_with_and_without_a_fraction(number: int) -> None:
    """Some sources write 5.0, and a float holds each of these."""
    assert key_name({"id": number}) == key_name({"id": float(number)})


def test_the_names_of_keys_stay_as_they_are() -> None:
    """A label may come a year after its prediction. The name is the one that the first release gave."""
    assert key_name({"id": 5, "shop": "a", "paid": True}) == "7bf001a46237849502826a71a676bc8a"
