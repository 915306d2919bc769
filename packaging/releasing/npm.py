"""npm's packages: a thin one that users name, and one for each system with its programs, of which npm
installs the one that fits. No install scripts: npm may be told to run none."""
import json
import pathlib
import shutil
import tempfile

from .archives import tar_gz
from .targets import LICENCES, NAME, ROOT, SUMMARY, TARGETS, programs


def system_name(target):
    return f"{NAME}-{'-'.join(target.node)}"


def pack(fill, name, out, version, moment):
    """fill(folder) writes the files. Names and the prefix are as `npm pack` has them."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        fill(folder)
        archive = out / f"{name}-{version}.tgz"
        tar_gz(folder, archive, "package", moment)
    return archive


def common(name, version, settings):
    return {"name": name, "version": version, "description": SUMMARY, "license": "MIT",
            "homepage": settings["homepage"], "repository": {"type": "git", "url": settings["repository"]}}


def write(folder, package):
    (folder / "package.json").write_text(json.dumps(package, indent=2) + "\n")


def packages(stages, out, version, settings, moment):
    """One archive each; stages: the folder of each target."""
    out.mkdir()

    def of_system(target):
        def fill(folder):
            os_name, cpu = target.node
            write(folder, {**common(system_name(target), version, settings), "os": [os_name], "cpu": [cpu],
                           "preferUnplugged": True})
            (folder / "bin").mkdir()
            for program in programs(target):
                shutil.copy(stages[target] / program, folder / "bin")
            for name in ("LICENSE", LICENCES):
                shutil.copy(stages[target] / name, folder)
        return fill

    def thin(folder):
        (folder / "bin").mkdir()
        shutil.copy(ROOT / "packaging/npm/start.js", folder / "bin")
        (folder / "bin/start.js").chmod(0o755)
        for name in ("LICENSE", "README.md"):
            shutil.copy(ROOT / name, folder)
        write(folder, {**common(NAME, version, settings), "mcpName": settings["registry_name"],
                       "keywords": ["sqlite", "backup", "mcp", "mcp-server", "claude"],
                       "bin": {NAME: "bin/start.js"}, "engines": {"node": ">=18"},
                       "optionalDependencies": {system_name(target): version for target in stages}})

    return [pack(thin, NAME, out, version, moment),
            *(pack(of_system(target), system_name(target), out, version, moment)
              for target in TARGETS if target in stages)]
