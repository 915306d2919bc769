#!/usr/bin/env python3
"""pack_bundle.py PROGRAM BUNDLE: an MCP bundle as packaging/release makes it, with one program in it: for
the system that it runs on. What a release makes is tried by tests/packages."""
import json
import pathlib
import platform
import shutil
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "packaging"))
sys.dont_write_bytecode = True
from releasing import archives, plugin  # noqa: E402
from releasing.targets import LICENCES, TARGETS  # noqa: E402

program, bundle = sys.argv[1:]
name = "linux-x64" if platform.machine() == "x86_64" else "linux-arm64"
[target] = [target for target in TARGETS if target.name == name]
version = json.loads((ROOT / "packaging/mcpb/manifest.json").read_text())["version"]
settings = json.loads((ROOT / "packaging/settings.json").read_text())
with tempfile.TemporaryDirectory() as scratch:
    stage, folder = pathlib.Path(scratch, "stage"), pathlib.Path(scratch, "bundle")
    stage.mkdir()
    shutil.copy(program, stage)
    (stage / LICENCES).touch()
    plugin.bundle({target: stage}, folder, version, settings)
    archives.zip_folder(folder, bundle, "", 1_000_000_000)
