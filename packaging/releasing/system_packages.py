"""Packages of Linux distributions: .deb by dpkg-deb, .rpm by rpmbuild."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

from .targets import DESCRIPTION, LICENCES, NAME, SUMMARY


def lay_out(stage, root):
    """The files of a stage where a distribution has them, below root."""
    places = {"usr/bin": [NAME, f"{NAME}-http"],
              f"usr/share/doc/{NAME}": ["README.md", "CHANGELOG.md", LICENCES],
              "usr/share/man/man1": [f"{NAME}.1.gz"]}
    for folder, names in places.items():
        (root / folder).mkdir(parents=True)
        for name in names:
            shutil.copy(stage / name, root / folder)
    shutil.copy(stage / "LICENSE", root / "usr/share/doc" / NAME / "copyright")
    for shell, place in {"bash": f"bash-completion/completions/{NAME}",
                         "zsh": f"zsh/vendor-completions/_{NAME}",
                         "fish": f"fish/vendor_completions.d/{NAME}.fish"}.items():
        target = root / "usr/share" / place
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(stage / "completions" / shell, target)
    for path in root.rglob("*"):
        path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)


def deb(stage, out, target, version, settings, moment):
    with tempfile.TemporaryDirectory() as scratch:
        root = pathlib.Path(scratch, "root")
        lay_out(stage, root)
        root.chmod(0o755)
        kilobytes = sum(path.stat().st_size for path in root.rglob("*") if path.is_file()) // 1024
        (root / "DEBIAN").mkdir()
        (root / "DEBIAN/control").write_text(
            f"Package: {NAME}\nVersion: {version}\nArchitecture: {target.deb}\n"
            f"Maintainer: {settings['maintainer']}\nInstalled-Size: {kilobytes}\nSection: utils\n"
            f"Priority: optional\nHomepage: {settings['homepage']}\nRecommends: systemd | cron, curl\n"
            f"Description: {SUMMARY}\n {DESCRIPTION}\n")
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
# No build of this machine's shows: the program's own bytes, one time, no links by build id.
MACROS = {"_rpmfilename": "%{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}.rpm", "_buildhost": "localhost",
          "use_source_date_epoch_as_buildtime": "1", "clamp_mtime_to_source_date_epoch": "1",
          "_build_id_links": "none", "debug_package": "%{nil}", "__os_install_post": "%{nil}"}


def rpm(stage, out, target, version, settings, moment):
    with tempfile.TemporaryDirectory() as scratch:
        root = pathlib.Path(scratch, "files")
        lay_out(stage, root)
        names = ["/" + path.relative_to(root).as_posix() for path in sorted(root.rglob("*"))
                 if path.is_file()]
        spec = pathlib.Path(scratch, f"{NAME}.spec")
        spec.write_text(SPEC.format(
            name=NAME, version=version, summary=SUMMARY, homepage=settings["homepage"],
            maintainer=settings["maintainer"], description=DESCRIPTION,
            root=root, files="\n".join(names), day=time.strftime("%a %b %d %Y", time.gmtime(moment))))
        macros = {**MACROS, "_topdir": scratch, "_rpmdir": out}
        words = [word for name, value in macros.items() for word in ("--define", f"{name} {value}")]
        subprocess.run(["rpmbuild", "-bb", "--quiet", "--target", f"{target.rpm}-linux", *words, spec],
                       check=True, env={**os.environ, "SOURCE_DATE_EPOCH": str(moment)})
    return out / f"{NAME}-{version}-1.{target.rpm}.rpm"
