"""Packages of Linux distributions: .deb by dpkg-deb, .rpm by rpmbuild."""
import hashlib
import os
import pathlib
import shutil
import subprocess
import tempfile
import textwrap
import time

from .archives import packed
from .targets import DESCRIPTION, LICENCES, NAME, SUMMARY


MAN = "usr/share/man/man1"
DOC = f"usr/share/doc/{NAME}"
# Where zsh looks by itself: Debian keeps a place of its own for packages.
ZSH = {"deb": "zsh/vendor-completions", "rpm": "zsh/site-functions"}
# Static by choice (docs/DESIGN.md): one program for every distribution, and the faster start. Being loaded
# anywhere as well, it looks like a library that needs no other.
OVERRIDES = "".join(f"{NAME}: shared-library-lacks-prerequisites [usr/bin/{program}]\n"
                    for program in (NAME, f"{NAME}-http"))


def lay_out(stage, root, kind):
    """The files of a stage where a distribution has them, below root. kind: deb or rpm."""
    places = {"usr/bin": [NAME, f"{NAME}-http"], DOC: ["README.md", "CHANGELOG.md", LICENCES],
              MAN: [f"{NAME}.1.gz"]}
    for folder, names in places.items():
        (root / folder).mkdir(parents=True)
        for name in names:
            shutil.copy(stage / name, root / folder)
    # The second program is the first one's server for HTTP, and has its page.
    (root / MAN / f"{NAME}-http.1.gz").write_bytes(packed(f".so man1/{NAME}.1\n"))
    shutil.copy(stage / "LICENSE", root / DOC / "copyright")
    for shell, place in {"bash": f"bash-completion/completions/{NAME}", "zsh": f"{ZSH[kind]}/_{NAME}",
                         "fish": f"fish/vendor_completions.d/{NAME}.fish"}.items():
        target = root / "usr/share" / place
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(stage / "completions" / shell, target)


def set_modes(root):
    root.chmod(0o755)
    for path in root.rglob("*"):
        path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)


def deb(stage, out, target, version, settings, moment):
    maintainer = settings["maintainer"]
    with tempfile.TemporaryDirectory() as scratch:
        root = pathlib.Path(scratch, "root")
        lay_out(stage, root, "deb")
        # What a Debian package has to have: Debian Policy 12.7, deb-changelog(5).
        day = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime(moment))
        (root / DOC / "changelog.gz").write_bytes(packed(
            f"{NAME} ({version}) stable; urgency=medium\n\n  * See CHANGELOG.md.\n\n"
            f" -- {maintainer}  {day}\n"))
        overrides = root / "usr/share/lintian/overrides" / NAME
        overrides.parent.mkdir(parents=True)
        overrides.write_text(OVERRIDES)
        files = sorted(path for path in root.rglob("*") if path.is_file())
        kilobytes = sum(path.stat().st_size for path in files) // 1024
        control = root / "DEBIAN"
        control.mkdir()
        (control / "md5sums").write_text("".join(
            f"{hashlib.md5(path.read_bytes()).hexdigest()}  {path.relative_to(root)}\n" for path in files))
        (control / "control").write_text(
            f"Package: {NAME}\nVersion: {version}\nArchitecture: {target.deb}\n"
            f"Maintainer: {maintainer}\nInstalled-Size: {kilobytes}\nSection: utils\n"
            f"Priority: optional\nHomepage: {settings['homepage']}\nRecommends: systemd | cron, curl\n"
            f"Description: {SUMMARY}\n"
            + textwrap.fill(DESCRIPTION, 78, initial_indent=" ", subsequent_indent=" ") + "\n")
        set_modes(root)
        package = out / f"{NAME}_{version}_{target.deb}.deb"
        subprocess.run(["dpkg-deb", "-Zxz", "--root-owner-group", "--build", root, package], check=True,
                       env={**os.environ, "SOURCE_DATE_EPOCH": str(moment)}, stdout=subprocess.DEVNULL)
    return package


SPEC = """Name: {name}
Version: {version}
Release: 1
Summary: {summary}
License: MIT
URL: {homepage}
Packager: {maintainer}
AutoReqProv: no
%description
{description}
%install
mkdir -p %{{buildroot}}
cp -a {root}/. %{{buildroot}}
%files
%defattr(-,root,root)
{files}
%changelog
* {day} {maintainer} - {version}-1
- See CHANGELOG.md.
"""


def marked(path):
    """A line of %files. rpm keeps licences even where it leaves documents out."""
    kind = ""
    if path.is_relative_to(DOC):
        kind = "%license " if path.name in ("copyright", LICENCES) else "%doc "
    return f"{kind}/{path.as_posix()}"


# No build of this machine's shows: the program's own bytes, one time, no links by build id.
MACROS = {"_rpmfilename": "%{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}.rpm", "_buildhost": "localhost",
          "use_source_date_epoch_as_buildtime": "1", "clamp_mtime_to_source_date_epoch": "1",
          "_build_id_links": "none", "debug_package": "%{nil}", "__os_install_post": "%{nil}",
          "_binary_payload": "w7.xzdio"}  # less than half of gzip's size, and read by every rpm


def rpm(stage, out, target, version, settings, moment):
    with tempfile.TemporaryDirectory() as scratch:
        root = pathlib.Path(scratch, "files")
        lay_out(stage, root, "rpm")
        set_modes(root)
        names = [marked(path.relative_to(root)) for path in sorted(root.rglob("*")) if path.is_file()]
        spec = pathlib.Path(scratch, f"{NAME}.spec")
        spec.write_text(SPEC.format(
            name=NAME, version=version, summary=SUMMARY, homepage=settings["homepage"],
            maintainer=settings["maintainer"], description=textwrap.fill(DESCRIPTION, 78),
            root=root, files="\n".join([f"%dir /{DOC}", *names]), day=time.strftime("%a %b %d %Y", time.gmtime(moment))))
        macros = {**MACROS, "_topdir": scratch, "_rpmdir": out}
        words = [word for name, value in macros.items() for word in ("--define", f"{name} {value}")]
        subprocess.run(["rpmbuild", "-bb", "--quiet", "--target", f"{target.rpm}-linux", *words, spec],
                       check=True, env={**os.environ, "SOURCE_DATE_EPOCH": str(moment)})
    return out / f"{NAME}-{version}-1.{target.rpm}.rpm"
