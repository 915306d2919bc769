"""The systems that a release has programs for, and what each kind of package calls them."""
import collections
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
NAME = "backup-plugin-db"
SUMMARY = "Verified snapshots of live SQLite databases, by MCP or shell"
DESCRIPTION = ("Takes point-in-time snapshots of SQLite databases that other programs are writing to, "
               "checks each one before it is kept, thins old ones out by rules that never delete the last "
               "good one, runs by the system's own scheduler, and restores. An assistant drives it by the "
               "Model Context Protocol, a person by a shell.")

LICENCES = "LICENSES-OF-LIBRARIES.txt"  # of what is linked in; it goes wherever a program goes

# name: the preset that builds it; node: process.platform and process.arch; suffix: of programs.
Target = collections.namedtuple("Target", "name node deb rpm suffix")
TARGETS = [
    Target("linux-x64", ("linux", "x64"), "amd64", "x86_64", ""),
    Target("linux-arm64", ("linux", "arm64"), "arm64", "aarch64", ""),
    Target("macos-arm64", ("darwin", "arm64"), None, None, ""),
    Target("macos-x64", ("darwin", "x64"), None, None, ""),
    Target("windows-x64", ("win32", "x64"), None, None, ".exe"),
]


def programs(target):
    """The files to put side by side: the first is the command, the second answers HTTP."""
    return [NAME + target.suffix, f"{NAME}-http{target.suffix}"]
