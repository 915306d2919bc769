#!/usr/bin/env python3
"""Makes a tool as docs/ADDING_A_TOOL.md says, in a copy of the project, and compiles its files.

Usage: new_tool.py PROJECT COMPILER [FLAG…]
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

LISTS = ["tools/tools.cpp", "README.md", "skill/backup-plugin-db/SKILL.md", "tests/interop/interop.mjs"]


def main(project, compiler, *flags):
    with tempfile.TemporaryDirectory(prefix="new_tool.") as folder:
        root = pathlib.Path(folder) / "project"
        shutil.copytree(project, root, symlinks=True,
                        ignore=shutil.ignore_patterns("build", ".git", "node_modules"))
        make = [str(root / "tools/new_tool"), "weigh_tables"]
        made = subprocess.run(make, check=True, capture_output=True, text=True).stdout.split()
        for path in LISTS:
            text = (root / path).read_text()
            assert len(re.findall(r"\bweigh_tables\b", text)) == (2 if "tools.cpp" in path else 1), path
        assert subprocess.run(make, capture_output=True).returncode != 0, "it writes over files"
        sources = [path for path in made if path.endswith(".cpp")]
        assert len(sources) == 4, made
        for path in sources:
            subprocess.run([compiler, "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror",
                            f"-I{root}", f"-I{root}/tests", *filter(None, flags),
                            str(root / path)], check=True)
            print(path)


if __name__ == "__main__":
    main(*sys.argv[1:])
