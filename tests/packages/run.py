#!/usr/bin/env python3
"""Installs and uses each package of a release where that can be done here.

    tests/packages/run.py FOLDER [WORD…]     FOLDER: what packaging/release made

With WORDs only the checks whose names hold one of them. Needs what ./bootstrap.sh test packages installs:
debootstrap, rpm, qemu-user-static, wine64, ruby, npm, makepkg, nix, lintian, rpmlint. Ends with 1 where a
check fails or could not be made.
"""
import base64
import hashlib
import json
import os
import pathlib
import re
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import time
import traceback
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
NAME = "backup-plugin-db"
TIMEOUT_S = 300
FIRST_SNAPSHOT_S = 10
SUITE = "bookworm"
NOBODY = 65534


class House:
    """An empty home with one database and a folder for its snapshots; no compiler in its PATH."""

    def __init__(self, release, scratch):
        self.release = release
        self.folder = pathlib.Path(scratch)
        self.home = self.folder / "home"
        self.backups = self.home / "Backups"
        self.backups.mkdir(parents=True)
        self.source = self.home / "plugin" / "notes.db"  # apart from its snapshots, as it has to be
        self.source.parent.mkdir()
        with sqlite3.connect(self.source) as database:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("CREATE TABLE notes(id INTEGER PRIMARY KEY, text)")
            database.executemany("INSERT INTO notes(text) VALUES (?)", [(str(n),) for n in range(100)])
        database.close()
        self.tools = self.folder / "tools"
        self.tools.mkdir()
        for tool in ("sh bash env node npm npx uname sed tr cat sleep chmod ps readlink head crontab "
                     "git").split():
            found = shutil.which(tool)
            if found:
                (self.tools / tool).symlink_to(pathlib.Path(found).resolve())

    def environment(self, **more):
        kept = {name: value for name, value in os.environ.items()
                if name.startswith("npm_config") or name in (
                    "http_proxy", "https_proxy", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "LANG")}
        config = pathlib.Path.home() / ".npmrc"
        if config.exists():
            kept.setdefault("npm_config_userconfig", str(config))
        return {**kept, "HOME": str(self.home), "PATH": str(self.tools), "CI": "true", **more}

    def run(self, *words, code=0, cwd=None, **more):
        result = subprocess.run([str(word) for word in words], capture_output=True, text=True,
                                timeout=TIMEOUT_S, env=self.environment(**more), cwd=cwd or self.home,
                                stdin=subprocess.DEVNULL)
        assert result.returncode == code, (words, result.returncode, result.stdout, result.stderr)
        return result.stdout + result.stderr

    def file(self, pattern):
        found = list(self.release.glob(pattern))
        assert len(found) == 1, (pattern, found)
        return found[0]

    def unpack(self, archive):
        place = self.folder / "unpacked"
        if archive.name.endswith((".zip", ".mcpb")):
            with zipfile.ZipFile(archive) as packed:
                for entry in packed.infolist():
                    target = packed.extract(entry, place)
                    os.chmod(target, entry.external_attr >> 16 & 0o777)
        else:
            with tarfile.open(archive) as packed:
                packed.extractall(place)
        return place

    def use(self, *command, source=None, backups=None):
        """A snapshot, its check, and a restore to a new file."""
        source, backups = source or self.source, backups or self.backups
        text = self.run(*command, "snapshot", "--source", source, "--destination", backups)
        assert "verified" in text, text
        text = self.run(*command, "verify", "--source", source, "--destination", backups)
        assert "verified" in text, text
        return text


def ask(command, environment, cwd):
    """The tools that a server names, asked over its standard streams."""
    server = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, env=environment, cwd=cwd, text=True)
    greeting = {"protocolVersion": "2025-06-18", "capabilities": {},
                "clientInfo": {"name": "test", "version": "1"}}
    for number, (method, params) in enumerate([("initialize", greeting), ("tools/list", {})]):
        request = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        server.stdin.write(json.dumps(request) + "\n")
        server.stdin.flush()
        reply = json.loads(server.stdout.readline())
        assert reply["id"] == number and "result" in reply, reply
    server.stdin.close()
    assert server.wait(30) == 0
    return [tool["name"] for tool in reply["result"]["tools"]]


def check_sums(house):
    lines = (house.release / "SHA256SUMS").read_text().splitlines()
    named = {}
    for line in lines:
        digest, name = line.split("  ")
        named[name] = digest
        assert hashlib.sha256((house.release / name).read_bytes()).hexdigest() == digest, name
    made = {path.relative_to(house.release).as_posix() for path in house.release.rglob("*") if path.is_file()}
    left_out = {name for name in made - set(named) if not name.startswith("plugin/")}
    assert left_out == {"SHA256SUMS", "NOTES.md", ".made-by-packaging-release"}, left_out


def check_programs_depend_on_nothing(house):
    """Linux's are static: no interpreter, no library, so no version of glibc or musl; and not loaded where
    everybody knows."""
    for archive in house.release.glob("*-linux-*.tar.gz"):
        folder = house.unpack(archive)
        for program in folder.rglob(f"{NAME}*"):
            if not program.is_file() or program.suffix == ".gz":
                continue
            told = subprocess.run([need("readelf"), "-W", "-h", "-l", "-d", "-S", program],
                                  capture_output=True, text=True).stdout
            assert "LOAD" in told and "Position-Independent Executable" in told, told
            for word in ("INTERP", "NEEDED", ".debug_info", ".symtab"):
                assert word not in told, (program, word)


def check_tarball(house):
    program = program_of(house, "linux-x64")
    told = house.run(program, "--version")
    assert re.fullmatch(rf"{NAME} {re.escape(version(house))} \([0-9a-f]{{12}}\)\n", told), told
    house.use(program)
    assert "backup_status" in ask([program, "serve"], house.environment(), house.home)
    text = (program.parent / "LICENSES-OF-LIBRARIES.txt").read_text()
    assert "sqlite3 3." in text and "Botan" in text and "musl" in text


def check_where_there_is_nothing_else(house):
    """A system that holds the program, a database and /proc: no account, no /dev, no time zones."""
    system = house.folder / "system"
    for name in ("proc", "data", "root"):
        (system / name).mkdir(parents=True)
    shutil.copy(program_of(house, "linux-x64"), system)
    shutil.copy(house.source, system / "data")
    program = f"/{NAME}"
    given = ["--source", "/data/notes.db", "--destination", "/root"]
    assert "verified" in run_in(system, program, "snapshot", *given)
    assert "verified" in run_in(system, program, "verify", *given)
    run_in(system, program, "restore", "latest", *given, "--target", "/data/again.db")
    assert (system / "data/again.db").stat().st_size > 0
    # Whatever it opens first would stand in for its output, and be printed to.
    with sqlite3.connect(system / "data/notes.db") as database:
        database.execute("INSERT INTO notes(text) VALUES ('one more')")
    database.close()
    run_in(system, program, "snapshot", *given, code=14, closed="<&- >&- 2>&-")
    assert "verified" in run_in(system, program, "verify", *given)
    assert "Everything that was tried works" in run_in(system, program, "self-test", "/root")


def check_arm64_by_an_emulator(house):
    house.use(need("qemu-aarch64-static"), program_of(house, "linux-arm64"))


def check_macos_programs_are_of_their_processor(house):
    for cpu, number in (("arm64", 0x0100000C), ("x64", 0x01000007)):
        head = program_of(house, f"macos-{cpu}").read_bytes()[:8]
        assert head[:4] == b"\xcf\xfa\xed\xfe" and int.from_bytes(head[4:], "little") == number, head


def check_windows_zip_under_wine(house):
    begun = time.monotonic()
    folder = house.unpack(house.file("*-windows-x64.zip")) / f"{NAME}-{version(house)}-windows-x64"
    took = time.monotonic() - begun
    sys.path.insert(0, str(ROOT / "tests/wine"))
    from house import House as WindowsHouse  # noqa: E402
    from wine import Wine  # noqa: E402
    place = house.folder / "windows"
    place.mkdir()
    wine = Wine(folder)
    try:
        windows = WindowsHouse(wine, place)
        database = windows.database("live.db")
        begun = time.monotonic()
        assert windows.snapshot(database)["verdict"] == "verified"
        took += time.monotonic() - begun
        print(f"    from the zip to the first verified snapshot, under Wine: {took:.1f} s")
    finally:
        wine.end()


def check_deb_in_debian(house):
    """In a Debian that has nothing but its base: no compiler, no library that it does not need."""
    system = debian()
    shutil.copy(house.file("*_amd64.deb"), system / "tmp/package.deb")
    shutil.copy(house.source, system / "tmp")
    run_in(system, "dpkg", "-i", "/tmp/package.deb")
    run_in(system, "mkdir", "-p", "/root/Backups")
    text = run_in(system, NAME, "snapshot", "--source", "/tmp/notes.db", "--destination", "/root/Backups")
    assert "verified" in text, text
    told = run_in(system, NAME, "status", proc=False, code=11)
    assert "/proc is not mounted" in told, told
    run_in(system, "dpkg", "--purge", NAME)
    assert not list(system.glob(f"usr/bin/{NAME}*"))


def check_rpm(house):
    root = house.folder / "root"
    package = house.file("*.x86_64.rpm")
    here = [need("rpm"), "--root", root, "--dbpath", "/var/lib/rpm"]
    subprocess.run([*here, "--nosignature", "-i", package], check=True)
    house.use(root / "usr/bin" / NAME)
    told = subprocess.run(["rpm", "-qp", "--requires", house.file("*.aarch64.rpm")], capture_output=True,
                          text=True).stdout
    assert all(line.startswith("rpmlib(") for line in told.splitlines()), told
    subprocess.run([*here, "-e", NAME], check=True)
    assert not (root / "usr/bin" / NAME).exists()


def check_npm_install(house):
    folder = house.folder / "project"
    folder.mkdir()
    (folder / "package.json").write_text("{}")
    house.run("npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", *npm_packages(house),
              cwd=folder)
    start = folder / "node_modules/.bin" / NAME
    house.use(start)
    assert "backup_status" in ask([start, "serve"], house.environment(), house.home)
    house.run(start, "nonsense", code=2)
    (folder / "node_modules" / f"{NAME}-linux-x64").rename(folder / "gone")
    told = house.run(start, "--version", code=1)
    assert "no program for linux on x64" in told and "--omit=optional" in told, told


def check_npx_to_the_first_snapshot(house):
    words = [word for package in npm_packages(house) for word in ("--package", package)]
    begun = time.monotonic()
    text = house.run("npx", "-y", *words, NAME, "snapshot", "--source", house.source, "--destination",
                     house.backups)
    took = time.monotonic() - begun
    assert "verified" in text, text
    print(f"    from npx to the first verified snapshot: {took:.1f} s")
    assert took <= FIRST_SNAPSHOT_S, took


def check_bundle(house):
    bundle = house.file("*.mcpb")
    tool = npm_tools() / "mcpb"
    place = house.folder / "bundle"
    begun = time.monotonic()
    subprocess.run([tool, "unpack", bundle, place], check=True, stdout=subprocess.DEVNULL)
    took = time.monotonic() - begun
    subprocess.run([tool, "validate", place / "manifest.json"], check=True, stdout=subprocess.DEVNULL)
    manifest = json.loads((place / "manifest.json").read_text())
    server = manifest["server"]["mcp_config"]
    command = [server["command"], *(word.replace("${__dirname}", str(place)) for word in server["args"])]
    begun = time.monotonic()
    told = ask(command, house.environment(BACKUP_PLUGIN_DB_DESTINATION=""), house.home)
    house.use(command[0], *command[1:-1])
    took += time.monotonic() - begun
    print(f"    from the bundle to the first verified snapshot: {took:.1f} s")
    assert sorted(told) == sorted(tool["name"] for tool in manifest["tools"]), told
    for system, override in server["platform_overrides"].items():
        named = override["command"].replace("${__dirname}", str(place))
        assert os.path.exists(named), (system, named)


def check_claude_code(house):
    """The real one, on a machine without a compiler: added, installed, and its tools there at once."""
    tools = npm_tools()
    plugin = house.folder / "marketplace"
    shutil.copytree(house.release / "plugin", plugin)

    def claude(*words):
        return house.run(tools / "claude", *words, DISABLE_AUTOUPDATER="1")

    assert not any(shutil.which(word, path=str(house.tools)) for word in ("cc", "g++", "cmake", "make"))
    told = claude("plugin", "validate", "--strict", plugin)
    assert "Validation passed" in told, told
    told = claude("plugin", "validate", "--strict", "--profile", "directory", plugin)
    assert "Validation passed" in told, told
    begun = time.monotonic()
    claude("plugin", "marketplace", "add", plugin)
    claude("plugin", "install", NAME, "--config", f"destination={house.backups}")
    told = claude("mcp", "list")
    took = time.monotonic() - begun
    assert re.search(rf"plugin:{NAME}:backup: .*Connected", told), told
    print(f"    marketplace add, install, connected: {took:.1f} s")
    [installed] = (house.home / ".claude/plugins/cache").rglob("bin/backup-plugin-db")
    house.use(installed)
    told = first_session(tools / "claude", house)
    named = [name.rsplit("__", 1)[1] for name in told["tools"] if f"plugin_{NAME}_backup__" in name]
    entries = [json.loads(path.read_text()) for path in (ROOT / "schemas").glob("*.json")]
    assert sorted(named) == sorted(entry["name"] for entry in entries if "inputSchema" in entry), named
    assert f"{NAME}:{NAME}" in told["slash_commands"], told["slash_commands"]


def first_session(claude, house):
    """What a session says of itself before it asks a model: there is none at this address."""
    environment = house.environment(ANTHROPIC_API_KEY="none", ANTHROPIC_BASE_URL="http://127.0.0.1:9",
                                    DISABLE_AUTOUPDATER="1")
    session = subprocess.Popen([claude, "-p", "hello", "--output-format", "stream-json", "--verbose"],
                               text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, cwd=house.home, env=environment)
    try:
        for line in session.stdout:
            told = json.loads(line)
            if told.get("subtype") == "init":
                return told
        raise AssertionError("the session ended without a word of its tools")
    finally:
        session.kill()
        session.wait()


def check_bill_of_materials(house):
    told = json.loads((house.release / "sbom.cdx.json").read_text())
    assert told["bomFormat"] == "CycloneDX" and told["specVersion"] == "1.5"
    named = {part["name"]: part["version"] for part in told["components"]}
    assert all(re.search(r"\d+\.\d+", version) for version in named.values()), named
    # What the build takes: headers by their folders, sources by theirs, and the compiler's own libraries.
    cross = ROOT / "build/cross"
    headers = {"nlohmann": "nlohmann-json", "tl": "tl-expected", "httplib": "cpp-httplib", "CLI": "CLI11"}
    taken = {headers.get(path.stem, path.stem) for path in (cross / "include").iterdir()} - {"catch2"}
    taken |= {path.name.split("-")[0] for path in cross.glob("botan-*") if path.is_dir()}
    taken |= {"libc++", "libc++abi", "libunwind", "compiler-rt", "musl", "mingw-w64"}
    assert set(named) == taken, set(named) ^ taken


def check_manifests_name_this_release(house):
    sums = {line.split("  ")[0] for line in (house.release / "SHA256SUMS").read_text().splitlines()}
    for path in (house.release / "manifests").iterdir():
        text = path.read_text()
        assert version(house) in text, path
        if path.name != "package.nix":  # its digests are in base64: check_nix
            for digest in re.findall(r"\b[0-9a-fA-F]{64}\b", text):
                assert digest.lower() in sums, (path, digest)


def check_deb_by_lintian(house):
    """The placeholder of packaging/settings.json is no address, until the project has one."""
    for package in house.release.glob("*.deb"):
        told = subprocess.run([need("lintian"), "--no-cfg", "--allow-root", "--fail-on", "error,warning",
                               "--suppress-tags", "bogus-mail-host,bogus-mail-host-in-debian-changelog",
                               package], capture_output=True, text=True)
        assert told.returncode == 0, told.stdout + told.stderr


def check_rpm_by_rpmlint(house):
    for package in house.release.glob("*.rpm"):
        told = subprocess.run([need("rpmlint"), "-c", ROOT / "tests/packages/rpmlint.toml", package],
                              capture_output=True, text=True)
        assert " 0 errors, 0 warnings" in told.stdout, told.stdout + told.stderr
        held = subprocess.run([need("rpm"), "-qpl", package], capture_output=True, text=True).stdout
        for page in (NAME, f"{NAME}-http"):
            assert f"/usr/share/man/man1/{page}.1.gz\n" in held, held


def check_aur(house):
    """makepkg itself, with the archive beside the PKGBUILD as if it had been fetched."""
    folder = house.folder / "aur"
    folder.mkdir()
    shutil.copy(house.release / "manifests/PKGBUILD", folder)
    shutil.copy(house.file("*-linux-x64.tar.gz"), folder)
    command = [need("makepkg"), "--nodeps", "--nocolor"]
    if os.geteuid() == 0:  # makepkg refuses root
        house.folder.chmod(0o755)
        for path in [folder, *folder.iterdir()]:
            os.chown(path, NOBODY, NOBODY)
        command = [need("setpriv"), f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *command]
    made = subprocess.run(command, cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          env={**os.environ, "HOME": str(folder), "PACMAN": "true", "CARCH": "x86_64"})
    assert made.returncode == 0, made.stdout + made.stderr
    [package] = folder.glob("*.pkg.tar*")
    root = house.folder / "root"
    root.mkdir()
    subprocess.run([need("bsdtar"), "-xf", package, "-C", root], check=True)
    house.use(root / "usr/bin" / NAME)


# What an expression of nixpkgs is called with; the derivation comes back as it was written.
NIX_ARGUMENTS = """{ stdenvNoCC = { mkDerivation = it: it; hostPlatform.system = "%s"; }; fetchurl = it: it;
                    lib.licenses.mit = "MIT"; }"""


def check_nix(house):
    """Evaluated for each system; then its installPhase, in the archive that it names."""
    def derivation(system):
        told = subprocess.run(
            [need("nix-instantiate"), "--eval", "--strict", "--json", "--expr",
             f"import {house.release}/manifests/package.nix {NIX_ARGUMENTS % system}"], check=True,
            capture_output=True, text=True, env={**house.environment(), "NIX_STATE_DIR": str(house.folder / "nix"),
                                                 "NIX_STORE_DIR": str(house.folder / "store")})
        return json.loads(told.stdout)

    for system in derivation("x86_64-linux")["meta"]["platforms"]:
        source = derivation(system)["src"]
        digest = hashlib.sha256(house.file(source["url"].rsplit("/", 1)[1]).read_bytes()).digest()
        assert source["hash"] == "sha256-" + base64.b64encode(digest).decode(), source
    told = derivation("x86_64-linux")
    [place] = house.unpack(house.file(told["src"]["url"].rsplit("/", 1)[1])).iterdir()
    subprocess.run(["bash", "-euc", told["installPhase"]], check=True, cwd=place,
                   env={**os.environ, "out": str(house.folder / "out")})
    house.use(house.folder / "out/bin" / told["meta"]["mainProgram"])


def check_homebrew(house):
    formula = house.release / f"manifests/{NAME}.rb"
    for system in ("macos", "linux"):
        for cpu in ("arm64", "x64"):
            prefix = house.folder / f"{system}-{cpu}"
            subprocess.run([need("ruby"), ROOT / "tests/packages/formula.rb", formula, system, cpu,
                            house.release, prefix], check=True)
    house.use(house.folder / "linux-x64/bin" / NAME)


def check_scoop_and_winget(house):
    """What they name lies in the archive, where they say."""
    archive = house.file("*-windows-x64.zip")
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    held = set(zipfile.ZipFile(archive).namelist())
    scoop = json.loads((house.release / "manifests/scoop.json").read_text())
    system = scoop["architecture"]["64bit"]
    assert system["url"].endswith(archive.name) and system["hash"] == digest
    assert all(f"{system['extract_dir']}/{program}" in held for program in scoop["bin"]), (scoop, held)
    winget = {}
    for path in (house.release / "manifests").glob("*.yaml"):
        told = subprocess.run([need("ruby"), "-ryaml", "-rjson", "-rdate", "-e",
                               "puts YAML.load(STDIN.read, permitted_classes: [Date]).to_json"], check=True,
                              capture_output=True, text=True, input=path.read_text()).stdout
        read = json.loads(told)
        winget[read["ManifestType"]] = read
        # The rules that the schemas 1.6.0 have for every manifest.
        assert re.fullmatch(r"[^.\s\\/:*?\"<>|]{1,32}(\.[^.\s\\/:*?\"<>|]{1,32}){1,7}",
                            read["PackageIdentifier"]), read
        assert read["PackageVersion"] == version(house) and read["ManifestVersion"] == "1.6.0"
    assert set(winget) == {"version", "defaultLocale", "installer"}
    locale = winget["defaultLocale"]
    assert winget["version"]["DefaultLocale"] == locale["PackageLocale"]
    assert 3 <= len(locale["ShortDescription"]) <= 256 and locale["License"] and locale["Publisher"]
    installer = winget["installer"]
    [source] = installer["Installers"]
    assert source["InstallerUrl"].endswith(archive.name) and source["InstallerSha256"].lower() == digest
    assert (installer["InstallerType"], installer["NestedInstallerType"]) == ("zip", "portable")
    for file in installer["NestedInstallerFiles"]:
        assert file["RelativeFilePath"].replace("\\", "/") in held, (file, held)


def check_registry_entry(house):
    """The MCP Registry's rules, as its schema of 2025-12-11 has them."""
    server = json.loads((house.release / "manifests/server.json").read_text())
    assert re.fullmatch(r"[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+", server["name"]) and 3 <= len(server["name"]) <= 200
    assert 1 <= len(server["description"]) <= 100 and 1 <= len(server["title"]) <= 100
    assert len(server["version"]) <= 255 and not re.match(r"[\^~<>=]", server["version"])
    for package in server["packages"]:
        assert package["registryType"] in ("npm", "mcpb") and package["transport"] == {"type": "stdio"}
        if package["registryType"] == "mcpb":
            assert re.fullmatch(r"[0-9a-f]{64}", package["fileSha256"])
            assert re.match(r"https://.*\.mcpb$", package["identifier"])
    with tarfile.open(house.file(f"npm/{NAME}-{version(house)}.tgz")) as packed:
        package = json.load(packed.extractfile("package/package.json"))
    assert package["mcpName"] == server["name"] and "scripts" not in package


def version(house):
    return json.loads((house.release / "plugin/.claude-plugin/plugin.json").read_text())["version"]


def program_of(house, target):
    """The program in the archive for that system, unpacked."""
    return house.unpack(house.file(f"*-{target}.tar.gz")) / f"{NAME}-{version(house)}-{target}" / NAME


def run_in(system, *words, code=0, proc=True, closed=""):
    """What a command says in a folder that is a system of its own. closed: redirections of a shell."""
    script = ('mount -t proc proc "$0/proc" && ' if proc else "") + f'exec chroot "$0" "$@" {closed}'
    result = subprocess.run(["unshare", "--mount", "sh", "-c", script, system, *words], capture_output=True,
                            text=True, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"})
    assert result.returncode == code, (words, result)
    return result.stdout + result.stderr


def npm_packages(house):
    """The thin one, and that of this system."""
    return [house.file(f"npm/{NAME}-{version(house)}.tgz"), house.file("npm/*-linux-x64-*.tgz")]


def need(tool):
    found = shutil.which(tool)
    assert found, f"{tool} is missing: ./bootstrap.sh test packages installs it"
    return found


def npm_tools():
    folder = ROOT / "tests/plugin"
    subprocess.run([ROOT / "tests/support/npm_install.sh", folder], check=True)
    return folder / "node_modules/.bin"


def debian():
    """The base system, made once."""
    system = ROOT / "build/debian"
    if not (system / "complete").exists():
        shutil.rmtree(system, ignore_errors=True)
        sources = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI)",
                                  "Identifier: Packages"], check=True, capture_output=True,
                                 text=True).stdout.split()
        subprocess.run([need("debootstrap"), "--variant=minbase", SUITE, system, sources[0]], check=True,
                       stdout=subprocess.DEVNULL)
        (system / "complete").touch()
    return system


def main():
    release, words = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:]
    passed = failed = 0
    for name, check in list(globals().items()):
        if not name.startswith("check_") or (words and not any(word in name for word in words)):
            continue
        with tempfile.TemporaryDirectory(prefix="packages.") as scratch:
            begun = time.monotonic()
            try:
                check(House(release, scratch))
                passed += 1
                print(f"ok      {name[6:].replace('_', ' ')} ({time.monotonic() - begun:.1f} s)", flush=True)
            except Exception:  # each check is told, whatever it met
                failed += 1
                print(f"FAILED  {name[6:].replace('_', ' ')}\n{traceback.format_exc()}", flush=True)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main()
