"""The house keeps its order: imports go one way, and outside libraries stay behind their own doors."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAY_IMPORT = {
    "models": {"models"},
    "code_maps": {"models", "code_maps"},
    "pipeline": {"models", "code_maps", "pipeline"},
    "exchange": {"models", "code_maps", "pipeline", "exchange"},
    "store": {"models", "code_maps", "pipeline", "store"},
    "ui": {"models", "code_maps", "pipeline", "exchange", "store", "ui"},
}
OURS = {*MAY_IMPORT, "cli", "app"}
# Steps that may be used by other modules of the pipeline, and those that know the order of the steps.
SHARED_STEPS = {"pipeline.findings", "pipeline.proposals", "pipeline.language", "pipeline.compare"}
CONDUCTORS = {"pipeline.review", "pipeline.batch", "pipeline.explain", "pipeline.suppose", "pipeline.appeals"} | {
    f"pipeline.teaching.{name}" for name in ("lessons", "pairs", "checklist", "exercises")
}
BEHIND = {
    "spacy": {"pipeline.language", "pipeline.sections", "pipeline.findings", "pipeline.assertions"},
    "medspacy": {"pipeline.language", "pipeline.sections", "pipeline.findings", "pipeline.assertions"},
    "streamlit": {"app", "cli", "ui"},
    "sqlalchemy": {"store"},
    "alembic": {"store"},
}


def modules():
    for folder in MAY_IMPORT:
        yield from sorted((ROOT / folder).rglob("*.py"))
    yield from (ROOT / "cli.py", ROOT / "app.py")


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module


def name_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("path", [p for p in modules() if p.exists()], ids=lambda p: str(p.relative_to(ROOT)))
def test_a_module_imports_only_what_its_folder_may(path):
    name = name_of(path)
    folder = name.split(".")[0]
    for target in imports_of(path):
        top = target.split(".")[0]
        if top in OURS and folder in MAY_IMPORT:
            assert top in MAY_IMPORT[folder], f"{name} imports {target}"
        if top in BEHIND:
            assert any(name == door or name.startswith(door + ".") for door in BEHIND[top]), f"{name} imports {target}"
        if folder == "pipeline" and top == "pipeline" and name not in CONDUCTORS:
            own_package = ".".join(name.split(".")[:2])
            assert target in SHARED_STEPS or target.startswith(own_package), f"{name} imports the step {target}"
