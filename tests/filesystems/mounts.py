"""Real file systems that lack hard links, permissions or more, mounted for one scene each."""
import contextlib
import filecmp
import os
import shutil
import subprocess
import time

from life import Life, Program, expect

IMAGE_BYTES = 96 << 20
MOUNT_SECONDS = 20
WHY_CHARACTERS = 120
NOBODY, OWNER = 65534, 12345
INSIDE = "BPD_FILESYSTEMS_INSIDE"  # set by filesystems.py in namespaces of our own


class NotHere(Exception):
    """Why this file system cannot be mounted here."""


def need(*tools):
    if not os.environ.get(INSIDE):
        raise NotHere("needs root and namespaces of its own")
    for tool in tools:
        if shutil.which(tool) is None:
            raise NotHere(f"{tool} is missing")


def do(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=MOUNT_SECONDS,
                          stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        why = " ".join((done.stderr or done.stdout).split())
        raise NotHere(f"{command[0]}: {why[-WHY_CHARACTERS:]}")
    return done.stdout.strip()


def image(folder, *make):
    need(make[0])
    path = os.path.join(folder, "image")
    with open(path, "wb") as file:
        file.truncate(IMAGE_BYTES)
    do(*make, path)
    return path


@contextlib.contextmanager
def mounted(folder, *commands):
    """The first of the commands that works mounts; MOUNT in it stands for the mount point."""
    point = os.path.join(folder, "mount")
    os.mkdir(point)
    why = []
    for command in commands:
        try:
            need(command[0])
            do(*(point if word == "MOUNT" else word for word in command))
            wait_for(point)
            break
        except NotHere as reason:
            why.append(str(reason))
    else:
        raise NotHere("; ".join(why))
    try:
        yield point
    finally:
        unmount(point)


def wait_for(point):
    deadline = time.monotonic() + MOUNT_SECONDS
    while not os.path.ismount(point):
        if time.monotonic() > deadline:
            raise NotHere("it does not show")
        time.sleep(0.1)


def unmount(point):
    for _ in range(50):
        if subprocess.run(["umount", point], capture_output=True).returncode == 0:
            return
        time.sleep(0.1)  # its server is still at work
    subprocess.run(["umount", "--lazy", point], check=False)


def files_below(folder):
    return sorted(os.path.relpath(os.path.join(place, name), folder)
                  for place, _, names in os.walk(folder) for name in names)


def carried(folder, point):
    """Waits until rclone has brought all to its place: until then a file can change its identity,
    which SQLite takes for another file under the name."""
    remote = os.path.join(folder, "remote")
    deadline = time.monotonic() + MOUNT_SECONDS
    while time.monotonic() < deadline:
        names = files_below(point)
        with contextlib.suppress(FileNotFoundError):
            if names == files_below(remote) and not any(filecmp.cmpfiles(
                    point, remote, names, shallow=False)[1:]):
                return
        time.sleep(0.1)


@contextlib.contextmanager
def loop_device(path):
    """Let go of when the last one who has it open closes it, whatever happens to us."""
    need("losetup")
    device = do("losetup", "--find", "--show", path)
    try:
        yield device
    finally:
        subprocess.run(["losetup", "--detach", device], check=False)


def exfat(folder, options="uid=0"):
    path = image(folder, "mkfs.exfat")
    with loop_device(path) as device, mounted(
            folder, ("mount", "-t", "exfat", "-o", options, device, "MOUNT"),
            ("mount.exfat-fuse", device, "MOUNT", "-o", options)) as point:
        yield point


def vfat(folder, options="uid=0"):
    path = image(folder, "mkfs.vfat", "-F", "32")
    with loop_device(path) as device, mounted(
            folder, ("mount", "-t", "vfat", "-o", options, device, "MOUNT")) as point:
        yield point


def fuse_fat(folder):
    path = image(folder, "mkfs.vfat", "-F", "32")
    with mounted(folder, ("fusefat", "-o", "rw+", path, "MOUNT")) as point:
        yield point


def ntfs(folder, options="uid=0"):
    path = image(folder, "mkfs.ntfs", "-F", "-Q", "-q")
    with mounted(folder, ("ntfs-3g", path, "MOUNT", "-o", options)) as point:
        yield point


def rclone(folder):
    """A server in user space that keeps files elsewhere, here in a folder."""
    os.mkdir(os.path.join(folder, "remote"))
    with mounted(folder, ("rclone", "mount", os.path.join(folder, "remote"), "MOUNT", "--daemon",
                          "--config", "/dev/null", "--vfs-cache-mode", "full", "--cache-dir",
                          os.path.join(folder, "cache"), "--vfs-write-back", "0")) as point:
        yield point


def bindfs(folder):
    """Refuses what a server may refuse: permissions, owners, extended attributes."""
    os.mkdir(os.path.join(folder, "remote"))
    with mounted(folder, ("bindfs", "--chmod-deny", "--chown-deny", "--xattr-none",
                          os.path.join(folder, "remote"), "MOUNT")) as point:
        yield point


def overlay(folder):
    # On a file system of its own: the folder may lie on one that cannot carry an overlay.
    layers = os.path.join(folder, "layers")
    os.mkdir(layers)
    need("mount")
    do("mount", "-t", "tmpfs", "tmpfs", layers)
    try:
        for name in ("lower", "upper", "work"):
            os.mkdir(os.path.join(layers, name))
        options = ",".join(f"{name}dir={layers}/{name}" for name in ("lower", "upper", "work"))
        with mounted(folder, ("mount", "-t", "overlay", "overlay", "-o", options,
                              "MOUNT")) as point:
            yield point
    finally:
        unmount(layers)


def fuse_overlay(folder):
    for name in ("lower", "upper", "work"):
        os.mkdir(os.path.join(folder, name))
    options = ",".join(f"{name}dir={folder}/{name}" for name in ("lower", "upper", "work"))
    with mounted(folder, ("fuse-overlayfs", "-o", options, "MOUNT")) as point:
        yield point


def life(mount, *arguments, open_to_others=False, settle=None):
    def scene(program, folder):
        with contextlib.contextmanager(mount)(folder, *arguments) as point:
            runs = Program(program, os.path.join(folder, "home"),
                           settle=settle and (lambda: settle(folder, point)))
            warnings = Life(runs, folder, point).live()
            told = any("does not keep permissions" in warning for warning in warnings)
            expect(told == open_to_others, f"warnings of the first snapshot: {warnings}")
            expect(len(warnings) == open_to_others, f"warnings: {warnings}")
    return scene


def life_of_another(mount, options):
    """By a user without rights, where every file is another's and chmod is not allowed."""
    def scene(program, folder):
        with contextlib.contextmanager(mount)(folder, options) as point:
            copy = os.path.join(folder, "program")  # the build's folder may be closed to others
            shutil.copy(program, copy)
            os.chmod(copy, 0o755)
            home = os.path.join(folder, "home")
            lived = Life(Program(copy, home, user=NOBODY), home, point)
            lived.live()
    return scene


FOR_OWNER = f"uid={OWNER},gid={OWNER},umask=0,allow_other"
SCENES = {
    "exFAT": life(exfat, "uid=0,umask=022", open_to_others=True),
    "exFAT closed to others": life(exfat, "uid=0,umask=077"),
    "NTFS": life(ntfs, "uid=0,umask=022", open_to_others=True),
    "NTFS closed to others": life(ntfs, "uid=0,umask=077"),
    "FAT32 of FUSE": life(fuse_fat),
    "FAT32 of the kernel": life(vfat, "uid=0,umask=022", open_to_others=True),
    "rclone (FUSE)": life(rclone, open_to_others=True, settle=carried),
    "bindfs (FUSE) without permissions, owners and attributes": life(bindfs),
    "overlayfs": life(overlay),
    "overlayfs of FUSE": life(fuse_overlay),
    "exFAT of another user": life_of_another(exfat, FOR_OWNER),
    "NTFS of another user": life_of_another(ntfs, FOR_OWNER),
    "FAT32 of the kernel, of another user": life_of_another(vfat, f"uid={OWNER},gid={OWNER},umask=0"),
}
