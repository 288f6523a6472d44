"""Trees as functions of Python, generated from their numbers: a row takes a quarter of the time of walking them.

Each comparison becomes `value <= threshold` on a local variable, each leaf a constant, and the sums are taken in the
same order, so that the answer is the same to the last bit. Compiling takes about 40 microseconds a split, as long as
some thousand rows take to walk: it is worth it where many rows come one after the other.
"""

import math
from collections.abc import Callable, Iterator
from itertools import batched
from typing import Any

Walk = Callable[[float, list[float]], float]  # a sum so far and a row, as `trees.both` gives it, to the new sum

AT_ONCE = 5  # trees in one function: while one is compiled, some milliseconds, no other thread runs
DEEPEST = 80  # splits one below the other; the parser takes 200 brackets


def functions(roots: list[Any], width: int) -> Iterator[Walk]:
    """The functions that add up the trees, some each, in their order; one has at most `width` columns, twice.

    `roots` are nested tuples (feature, threshold, left, right) with numbers as leaves, none deeper than `DEEPEST`.
    """
    names = ", ".join(f"v{feature}" for feature in range(2 * width))
    for trees in batched(roots, AT_ONCE, strict=False):
        sums = "".join(f"    total += {_expression(tree)}\n" for tree in trees)
        text = f"def walk(total, given):\n    {names}, = given\n{sums}    return total\n"
        made: dict[str, Any] = {"inf": math.inf, "nan": math.nan}
        exec(compile(text, "<trees>", "exec"), made)  # of numbers alone, as `_expression` writes them
        yield made["walk"]


def depth(node: Any) -> int:
    """How many splits lie one below the other in a tree."""
    return 0 if type(node) is not tuple else 1 + max(depth(node[2]), depth(node[3]))


def _expression(node: Any) -> str:
    if type(node) is not tuple:
        return repr(float(node))
    feature, threshold, left, right = node
    return f"({_expression(left)} if v{int(feature)} <= {float(threshold)!r} else {_expression(right)})"
