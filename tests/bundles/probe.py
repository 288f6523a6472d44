"""Load a bundle's function as functions-framework does, and tell as JSON what that brought in.

    python -S -E -P probe.py SITE DECOY      in the bundle's folder, with FUNCTION_TARGET for a function

Without `-S` the packages of the running environment would be there too; so there is only SITE, and before it DECOY.
"""

import importlib
import json
import os
import runpy
import sys
from pathlib import Path
from typing import Any

reached: list[str] = []


def _note_network(event: str, arguments: tuple[Any, ...]) -> None:
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        reached.append(f"{event} {arguments[1:]!r}")


def main() -> None:
    """Load, then tell."""
    sys.path += [sys.argv[2], sys.argv[1]]
    sys.addaudithook(_note_network)
    if "FUNCTION_TARGET" in os.environ:
        framework = "functions_framework" + (".aio" if os.environ["FUNCTION_USE_ASGI"] == "true" else "")
        module: Any = importlib.import_module(framework)
        (module.create_asgi_app if framework.endswith("aio") else module.create_app)()
    else:
        sys.path.insert(0, str(Path.cwd()))  # what `python main.py` does
        runpy.run_path("main.py", run_name="bundle")
    shared = sys.modules["dropforge"]
    print(json.dumps({"dropforge": shared.__file__, "modules": sorted(sys.modules), "reached": reached}))


if __name__ == "__main__":
    main()
