"""What is linked into the programs: its versions (CycloneDX) and its licences."""
import json
import pathlib
import re
import subprocess
import uuid

from .targets import NAME, TARGETS

# name: (Debian's package or None, SPDX licence, systems; None: all)
LIBRARIES = {
    "sqlite3": (None, "blessing", None),
    "cpp-httplib": (None, "MIT", None),
    "botan": (None, "BSD-2-Clause", "linux"),
    "nlohmann-json": ("nlohmann-json3-dev", "MIT", None),
    "spdlog": ("libspdlog-dev", "MIT", None),
    "fmt": ("libfmt-dev", "MIT", None),
    "CLI11": ("libcli11-dev", "BSD-3-Clause", None),
    "valijson": ("libvalijson-dev", "BSD-2-Clause", None),
    "tl-expected": ("libexpected-dev", "CC0-1.0", None),
    "libc++": ("zig", "Apache-2.0 WITH LLVM-exception", None),
    "libc++abi": ("zig", "Apache-2.0 WITH LLVM-exception", None),
    "libunwind": ("zig", "Apache-2.0 WITH LLVM-exception", None),
    "compiler-rt": ("zig", "MIT", None),
    "musl": ("zig", "MIT", "linux"),
    "mingw-w64": ("zig", "ZPL-2.1", "windows"),
}
PUBLIC_DOMAIN = ("SQLite is in the public domain: https://www.sqlite.org/copyright.html\n")


def belongs(library, target):
    return LIBRARIES[library][2] in (None, target.name.split("-")[0])


def zig_folder(cross):
    return cross / "node_modules" / "@zigc" / "lib"


def version_of(library, cross):
    package = LIBRARIES[library][0]
    if package == "zig":
        # zig's package carries them; its version names theirs.
        return "zig-" + json.loads((zig_folder(cross) / "package.json").read_text())["version"]
    if package is None:
        known = dict(line.split(" ", 1) for line in (cross / "versions").read_text().splitlines())
        version = known[library]
    else:
        version = subprocess.run(["dpkg-query", "-W", "-f=${Version}", package], check=True,
                                 capture_output=True, text=True).stdout
    # Upstream's part of Debian's version: no epoch, no revision, no mark of repacking.
    return re.sub(r"^\d+:|-[^-]*$|[+~](ds|dfsg|repack)\d*", "", version)


def licence_of(library, cross):
    """The text that has to go with the library."""
    zig = zig_folder(cross)
    places = {"botan": cross / "botan-licence.txt", "cpp-httplib": cross / "cpp-httplib-licence.txt",
              "libc++": zig / "libcxx/LICENSE.TXT", "libc++abi": zig / "libcxxabi/LICENSE.TXT",
              "libunwind": zig / "libunwind/LICENSE.TXT", "compiler-rt": zig / "LICENSE",
              "musl": zig / "libc/musl/COPYRIGHT", "mingw-w64": zig / "libc/mingw/COPYING"}
    if library == "sqlite3":
        return PUBLIC_DOMAIN
    place = places.get(library)
    if place is None:
        place = pathlib.Path("/usr/share/doc", LIBRARIES[library][0], "copyright")
    return place.read_text()


def licences(target, cross):
    parts = [f"{NAME} has the following in it.\n"]
    for library in LIBRARIES:
        if belongs(library, target):
            head = f"{library} {version_of(library, cross)}"
            parts.append(f"{head}\n{'=' * len(head)}\n\n{licence_of(library, cross)}")
    return "\n".join(parts)


def bill_of_materials(version, commit, moment_text, cross):
    """CycloneDX 1.5, in JSON."""
    components = []
    for library, (_, licence, _) in LIBRARIES.items():
        expression = " " in licence
        components.append({
            "type": "library", "bom-ref": library, "name": library,
            "version": version_of(library, cross),
            "licenses": [{"expression": licence} if expression else {"license": {"id": licence}}],
            "properties": [{"name": "targets", "value": " ".join(
                target.name for target in TARGETS if belongs(library, target))}]})
    serial = uuid.uuid5(uuid.NAMESPACE_URL, f"{NAME}/{version}/{commit}")
    return {"bomFormat": "CycloneDX", "specVersion": "1.5", "serialNumber": f"urn:uuid:{serial}",
            "version": 1,
            "metadata": {"timestamp": moment_text,
                         "component": {"type": "application", "bom-ref": NAME, "name": NAME,
                                       "version": version,
                                       "licenses": [{"license": {"id": "MIT"}}]}},
            "components": components,
            "dependencies": [{"ref": NAME, "dependsOn": list(LIBRARIES)}]}
