"""What a million answers cost, from prices that are stated and may be replaced."""

from dataclasses import dataclass, fields, replace
from typing import Self

from dropforge.contracts.errors import ActionRefused

LEAST_BILLED = 0.1  # seconds of an instance: the step in which Cloud Run counts


@dataclass(frozen=True)
class Prices:
    """US dollars, list prices of us-central1 as of 2025; yours may differ, and free tiers are left out.

    https://cloud.google.com/run/pricing (request-based billing), https://cloud.google.com/vertex-ai/pricing
    """

    vcpu_second: float = 0.000024
    gib_second: float = 0.0000025
    million_requests: float = 0.40
    node_hour: float = 0.0771  # of an endpoint's e2-standard-2, whether anyone asks or not

    def but(self, given: list[str]) -> Self:
        """These with others in the form `vcpu_second=0.00002`.

        Raises:
            ActionRefused: there is no such price, or it is no number from 0.
        """
        known = [each.name for each in fields(self)]
        changed = {}
        for each in given:
            name, _, text = each.partition("=")
            if name not in known:
                raise ActionRefused(f"--price: expected one of {', '.join(known)}, '=' and a number. Found {each!r}.")
            try:
                changed[name] = float(text)
            except ValueError:
                changed[name] = -1.0
            if changed[name] < 0:
                raise ActionRefused(f"--price {name}: expected US dollars, 0 or more. Found {text!r}.")
        return replace(self, **changed)


def of_function(prices: Prices, seconds: float, gib: float, a_second: float) -> float:
    """Dollars for a million answers of a function with one vCPU that takes `seconds` for one and has `gib` of memory.

    An instance is billed while it answers, in steps of `LEAST_BILLED`, which requests that come at once share.
    """
    billed = max(seconds, min(LEAST_BILLED, 1 / a_second))
    return prices.million_requests + 1e6 * billed * (prices.vcpu_second + gib * prices.gib_second)


def of_endpoint(prices: Prices, a_second: float) -> float:
    """Dollars that one node of an endpoint costs while a million answers are given."""
    return prices.node_hour * 1e6 / a_second / 3600
