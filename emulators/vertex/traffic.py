"""Traffic splits in exact shares: of any 100 requests in a row, a model with 30 percent gets 30, evenly spread.

Smooth weighted round robin, as nginx has it: each turn every weight is added to its counter, the highest counter wins
and pays the sum of all weights.
"""

from emulators.vertex.errors import InvalidArgument

NEW_MODEL = "0"  # how a deployment's split names the model that is being deployed


class TrafficSplit:
    """Whose turn it is."""

    def __init__(self, shares: dict[str, int]) -> None:
        self.shares = {deployed: share for deployed, share in shares.items() if share > 0}
        self._due = dict.fromkeys(self.shares, 0)
        self._sum = sum(self.shares.values())

    def turn(self) -> str | None:
        """The deployed model that takes the next request; none when nothing has traffic."""
        if not self.shares:
            return None
        for deployed, share in self.shares.items():
            self._due[deployed] += share
        winner = max(self._due, key=lambda deployed: self._due[deployed])
        self._due[winner] -= self._sum
        return winner


def check_split(shares: dict[str, int], deployed: set[str]) -> None:
    """Refuse a split that the service refuses.

    Raises:
        InvalidArgument: it does not add up to 100, or names a model that is not deployed.
    """
    unknown = sorted(set(shares) - deployed)
    if unknown:
        raise InvalidArgument(f"Traffic split names DeployedModels that are not on the Endpoint: {', '.join(unknown)}.")
    if any(share < 0 for share in shares.values()) or sum(shares.values()) != 100:
        raise InvalidArgument(f"The traffic percentage values must add up to 100. Got {shares}.")
