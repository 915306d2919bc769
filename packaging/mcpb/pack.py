#!/usr/bin/env python3
"""Packs the built program as an MCP bundle for Claude Desktop.

Usage: pack.py PROGRAM BUNDLE.mcpb [MCPB]; MCPB is the command of npm's @anthropic-ai/mcpb.
The manifest's list of tools comes from schemas/, so that it cannot drift.
"""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def tools():
    for file in sorted((ROOT / "schemas").glob("*.json")):
        entry = json.loads(file.read_text())
        if "inputSchema" in entry:
            yield {"name": entry["name"], "description": entry["description"]}


def pack(program, bundle, mcpb):
    manifest = json.loads((HERE / "manifest.json").read_text())
    manifest["tools"] = list(tools())
    with tempfile.TemporaryDirectory(prefix="mcpb.") as folder:
        stage = pathlib.Path(folder)
        (stage / "server").mkdir()
        shutil.copy(program, stage / manifest["server"]["entry_point"])
        shutil.copy(ROOT / "LICENSE", stage)
        (stage / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
        subprocess.run([mcpb, "validate", str(stage / "manifest.json")], check=True)
        subprocess.run([mcpb, "pack", str(stage), str(bundle)], check=True)


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    pack(sys.argv[1], pathlib.Path(sys.argv[2]).resolve(), (sys.argv + ["mcpb"])[3])
