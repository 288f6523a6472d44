"""Which packages a bundle's code may import at any time, also late, inside a function that runs only sometimes."""

import ast
from collections.abc import Iterator
from pathlib import Path


def third_party_imports(bundle: Path) -> set[str]:
    """Full names of all modules outside `bundle` that `main.py`, or what it leads to within the bundle, imports."""
    found: set[str] = set()
    seen: set[Path] = set()
    open_ = [bundle / "main.py"]
    while open_:
        path = open_.pop()
        if path in seen:
            continue
        seen.add(path)
        for name in _imported(ast.parse(path.read_bytes()), path, bundle):
            own = list(_files(name, bundle))
            open_ += own
            if not own:
                found.add(name)
    return found


def _files(name: str, bundle: Path) -> Iterator[Path]:
    """The files in the bundle that `import name` runs; none when the name is from elsewhere."""
    parts = name.split(".")
    for end in range(1, len(parts) + 1):
        place = bundle.joinpath(*parts[:end])
        yield from (path for path in (place / "__init__.py", place.with_suffix(".py")) if path.is_file())


def _imported(tree: ast.AST, path: Path, bundle: Path) -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = path.relative_to(bundle).parts[: -node.level]
                base = ".".join((*package, *([base] if base else [])))
            for alias in node.names:
                full = f"{base}.{alias.name}" if base else alias.name
                # `from a import b`: a module b of a, or a name in it.
                yield full if list(_files(full, bundle)) else base
        else:
            yield from _imported(node, path, bundle)
