"""Archives that come out the same wherever and whenever they are made: names in order, one time, no
owner, modes 755 and 644."""
import gzip
import os
import pathlib
import tarfile
import time
import zipfile


def packed(text):
    """gzip's bytes of it, with no time and no name in them."""
    return gzip.compress(text.encode(), 9, mtime=0)


def files_below(folder):
    """(path, name inside, is a program) of each file, in the order of the names."""
    folder = pathlib.Path(folder)
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        yield path, path.relative_to(folder).as_posix(), os.access(path, os.X_OK)


def tar_gz(folder, archive, prefix, moment):
    """moment: seconds since 1970, of every file."""
    with (open(archive, "wb") as out, gzip.GzipFile("", "wb", 9, out, mtime=moment) as zipped,
          tarfile.open(fileobj=zipped, mode="w", format=tarfile.USTAR_FORMAT) as tar):
        for path, name, runs in files_below(folder):
            entry = tarfile.TarInfo(f"{prefix}/{name}")
            entry.size = path.stat().st_size
            entry.mode = 0o755 if runs else 0o644
            entry.mtime = moment
            with open(path, "rb") as content:
                tar.addfile(entry, content)


def zip_folder(folder, archive, prefix, moment):
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
        for path, name, runs in files_below(folder):
            entry = zipfile.ZipInfo(f"{prefix}/{name}" if prefix else name, time.gmtime(moment)[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix: what follows is a mode
            entry.external_attr = (0o100755 if runs else 0o100644) << 16
            out.writestr(entry, path.read_bytes(), compresslevel=9)
