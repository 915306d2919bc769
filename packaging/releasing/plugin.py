"""What Claude Code and Claude Desktop install: the plugin, and the MCP bundle, with a program for each
system in them. Neither builds or fetches anything."""
import json
import shutil

from .targets import LICENCES, NAME, ROOT, programs

PROGRAMS = "programs"


def put_programs(stages, folder):
    """folder/<system>-<processor>/: where bin/backup-plugin-db looks. Without the program that answers
    HTTP: a plugin's server speaks on standard streams."""
    for target, stage in stages.items():
        place = folder / target.name
        place.mkdir(parents=True)
        for name in (programs(target)[0], LICENCES):
            shutil.copy(stage / name, place)


def plugin(stages, folder, settings):
    """The plugin as a marketplace of its own: a repository with this content is one to add."""
    for name in (".claude-plugin", "bin", "hooks", "skill"):
        shutil.copytree(ROOT / name, folder / name)
    for name in ("LICENSE", "README.md", "CHANGELOG.md"):
        shutil.copy(ROOT / name, folder)
    put_programs(stages, folder / PROGRAMS)
    path = folder / ".claude-plugin/plugin.json"
    manifest = json.loads(path.read_text())
    manifest |= {"homepage": settings["homepage"], "repository": settings["repository"]}
    path.write_text(json.dumps(manifest, indent=2) + "\n")


def tools():
    for file in sorted((ROOT / "schemas").glob("*.json")):
        entry = json.loads(file.read_text())
        if "inputSchema" in entry:
            yield {"name": entry["name"], "description": entry["description"]}


def bundle_manifest(version, settings):
    """The list of tools comes from schemas/, so that it cannot drift."""
    manifest = json.loads((ROOT / "packaging/mcpb/manifest.json").read_text())
    assert manifest["version"] == version, "packaging/mcpb/manifest.json has another version"
    manifest["homepage"] = settings["homepage"]
    manifest["repository"] = {"type": "git", "url": settings["repository"]}
    manifest["tools"] = list(tools())
    return manifest


def bundle(stages, folder, version, settings):
    (folder / "bin").mkdir(parents=True)
    shutil.copy(ROOT / "bin" / NAME, folder / "bin")
    put_programs(stages, folder / PROGRAMS)
    shutil.copy(ROOT / "LICENSE", folder)
    shutil.copy(ROOT / ".claude-plugin/icon.png", folder)
    (folder / "manifest.json").write_text(json.dumps(bundle_manifest(version, settings), indent=2) + "\n")
