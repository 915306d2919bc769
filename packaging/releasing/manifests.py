"""Manifests of package managers that fetch the archives: Homebrew, Scoop, winget, AUR, Nix, and the MCP
Registry. `sums` tells the SHA-256 of each archive, in hexadecimal, by its name."""
import base64
import json
import time

from .targets import NAME, SUMMARY, TARGETS

HOMEBREW = """class BackupPluginDb < Formula
  desc "{summary}"
  homepage "{homepage}"
  version "{version}"
  license "MIT"

{systems}
  def install
    bin.install "backup-plugin-db", "backup-plugin-db-http"
    man1.install "backup-plugin-db.1.gz"
    bash_completion.install "completions/bash" => "backup-plugin-db"
    zsh_completion.install "completions/zsh" => "_backup-plugin-db"
    fish_completion.install "completions/fish" => "backup-plugin-db.fish"
  end

  test do
    assert_match version.to_s, shell_output("#{{bin}}/backup-plugin-db --version")
  end
end
"""
PKGBUILD = """# Maintainer: {maintainer}
pkgname=backup-plugin-db-bin
pkgver={version}
pkgrel=1
pkgdesc="{summary}"
arch=('x86_64' 'aarch64')
url="{homepage}"
license=('MIT')
provides=('backup-plugin-db')
conflicts=('backup-plugin-db')
options=('!strip')
source_x86_64=("{x64_url}")
source_aarch64=("{arm64_url}")
sha256sums_x86_64=('{x64_sum}')
sha256sums_aarch64=('{arm64_sum}')

package() {{
  cd "$srcdir"/backup-plugin-db-*/
  install -Dm755 -t "$pkgdir/usr/bin" backup-plugin-db backup-plugin-db-http
  install -Dm644 -t "$pkgdir/usr/share/man/man1" backup-plugin-db.1.gz
  install -Dm644 -t "$pkgdir/usr/share/licenses/$pkgname" LICENSE LICENSES-OF-LIBRARIES.txt
  install -Dm644 completions/bash "$pkgdir/usr/share/bash-completion/completions/backup-plugin-db"
  install -Dm644 completions/zsh "$pkgdir/usr/share/zsh/site-functions/_backup-plugin-db"
  install -Dm644 completions/fish "$pkgdir/usr/share/fish/vendor_completions.d/backup-plugin-db.fish"
}}
"""
NIX = """{{ stdenvNoCC, fetchurl, lib }}:
let
  archives = {{
{archives}
  }};
in
stdenvNoCC.mkDerivation {{
  pname = "backup-plugin-db";
  version = "{version}";
  src = fetchurl archives.${{stdenvNoCC.hostPlatform.system}};
  dontStrip = true;
  installPhase = ''
    install -Dm755 -t $out/bin backup-plugin-db backup-plugin-db-http
    install -Dm644 -t $out/share/man/man1 backup-plugin-db.1.gz
    install -Dm644 completions/bash $out/share/bash-completion/completions/backup-plugin-db
    install -Dm644 completions/zsh $out/share/zsh/site-functions/_backup-plugin-db
    install -Dm644 completions/fish $out/share/fish/vendor_completions.d/backup-plugin-db.fish
  '';
  meta = {{
    description = "{summary}";
    homepage = "{homepage}";
    license = lib.licenses.mit;
    mainProgram = "backup-plugin-db";
    platforms = builtins.attrNames archives;
  }};
}}
"""
WINGET = {
    "": """PackageIdentifier: {id}
PackageVersion: {version}
DefaultLocale: en-US
ManifestType: version
ManifestVersion: 1.6.0
""",
    ".locale.en-US": """PackageIdentifier: {id}
PackageVersion: {version}
PackageLocale: en-US
Publisher: backup-plugin-db contributors
PackageName: backup-plugin-db
PackageUrl: {homepage}
License: MIT
ShortDescription: {summary}
ManifestType: defaultLocale
ManifestVersion: 1.6.0
""",
    ".installer": """PackageIdentifier: {id}
PackageVersion: {version}
InstallerType: zip
NestedInstallerType: portable
NestedInstallerFiles:
- RelativeFilePath: {folder}\\backup-plugin-db.exe
  PortableCommandAlias: backup-plugin-db
- RelativeFilePath: {folder}\\backup-plugin-db-http.exe
  PortableCommandAlias: backup-plugin-db-http
ReleaseDate: {day}
Installers:
- Architecture: x64
  InstallerUrl: {url}
  InstallerSha256: {sum}
ManifestType: installer
ManifestVersion: 1.6.0
""",
}
NIX_SYSTEMS = {"linux-x64": "x86_64-linux", "linux-arm64": "aarch64-linux", "macos-x64": "x86_64-darwin",
               "macos-arm64": "aarch64-darwin"}


def archive_name(target, version):
    return f"{NAME}-{version}-{target.name}" + (".zip" if target.suffix else ".tar.gz")


def homebrew(facts, url_of, sum_of):
    blocks = []
    for system in ("macos", "linux"):
        lines = []
        for cpu, word in (("arm64", "arm"), ("x64", "intel")):
            name = f"{system}-{cpu}"
            lines.append(f"    on_{word} do\n      url \"{url_of[name]}\"\n"
                         f"      sha256 \"{sum_of[name]}\"\n    end\n")
        blocks.append(f"  on_{system} do\n{''.join(lines)}  end\n")
    return HOMEBREW.format(systems="\n".join(blocks), **facts)


def nix(facts, url_of, sum_of):
    lines = []
    for name, system in NIX_SYSTEMS.items():
        digest = base64.b64encode(bytes.fromhex(sum_of[name])).decode()
        lines.append(f"    {system} = {{ url = \"{url_of[name]}\"; hash = \"sha256-{digest}\"; }};")
    return NIX.format(archives="\n".join(lines), **facts)


def scoop(facts, url_of, sum_of):
    name = "windows-x64"
    return {"version": facts["version"], "description": facts["summary"], "homepage": facts["homepage"],
            "license": "MIT",
            "architecture": {"64bit": {"url": url_of[name], "hash": sum_of[name],
                                       "extract_dir": f"{NAME}-{facts['version']}-{name}"}},
            "bin": ["backup-plugin-db.exe", "backup-plugin-db-http.exe"]}


def registry(facts, settings, downloads, sums):
    """server.json of the MCP Registry, schema 2025-12-11."""
    bundle = f"{NAME}-{facts['version']}.mcpb"
    transport = {"type": "stdio"}
    return {
        "$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
        "name": settings["registry_name"], "title": "Database backups", "description": facts["summary"],
        "version": facts["version"], "websiteUrl": settings["homepage"],
        "repository": {"url": settings["repository"], "source": "github"},
        "packages": [
            {"registryType": "npm", "identifier": NAME, "version": facts["version"], "transport": transport,
             "packageArguments": [{"type": "positional", "value": "serve"}],
             "environmentVariables": [{"name": "BACKUP_PLUGIN_DB_DESTINATION", "format": "filepath",
                                       "description": "An existing folder for the snapshots"}]},
            {"registryType": "mcpb", "identifier": f"{downloads}/{bundle}", "fileSha256": sums[bundle],
             "transport": transport}]}


def write_all(out, version, settings, sums, moment):
    downloads = settings["downloads"].format(version=version)
    facts = {"version": version, "summary": SUMMARY, "homepage": settings["homepage"],
             "maintainer": settings["maintainer"]}
    names = {target.name: archive_name(target, version) for target in TARGETS}
    url_of = {name: f"{downloads}/{archive}" for name, archive in names.items()}
    sum_of = {name: sums[archive] for name, archive in names.items()}
    out.mkdir()
    (out / f"{NAME}.rb").write_text(homebrew(facts, url_of, sum_of))
    (out / "package.nix").write_text(nix(facts, url_of, sum_of))
    (out / "PKGBUILD").write_text(PKGBUILD.format(
        x64_url=url_of["linux-x64"], x64_sum=sum_of["linux-x64"], arm64_url=url_of["linux-arm64"],
        arm64_sum=sum_of["linux-arm64"], **facts))
    (out / "scoop.json").write_text(json.dumps(scoop(facts, url_of, sum_of), indent=2) + "\n")
    (out / "server.json").write_text(
        json.dumps(registry(facts, settings, downloads, sums), indent=2) + "\n")
    for kind, text in WINGET.items():
        (out / f"{settings['winget_id']}{kind}.yaml").write_text(text.format(
            id=settings["winget_id"], url=url_of["windows-x64"], sum=sum_of["windows-x64"].upper(),
            folder=f"{NAME}-{version}-windows-x64",
            day=time.strftime("%Y-%m-%d", time.gmtime(moment)), **facts))
