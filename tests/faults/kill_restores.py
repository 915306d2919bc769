#!/usr/bin/env python3
"""Kills restores in place at random moments (SIGKILL), and looks at what is left.

Usage: kill_restores.py PROGRAM [COUNT [SEED]]

After each: the database is the old one or the new one, whole, by what SQLite makes of it and of
what lies beside it; where it is the new one the old one is kept, whole; source and snapshots are as
they were. The next restore clears away what was left. The moments reach from the start to a little
past the end, as measured, half of them in the last third, where things change.
"""
import pathlib
import random
import subprocess
import sys
import tempfile
import time

from scene import DAYS, LIVE_ROWS, OLD_ROWS, Scene, content_of_copy

MEASURED_RUNS = 5


def words_of(scene):
    return ["restore", "--snapshot", str(scene.snapshot(DAYS[1])), "--target", str(scene.live),
            "--in-place", "--confirm"]


def look(scene):
    """The mark of what the live database holds now."""
    found = content_of_copy(scene.live, scene.base / "look")
    assert found in (("old", OLD_ROWS), ("live", LIVE_ROWS)), found
    kept = [path for path in scene.live.parent.glob("y.before-restore-*.db")
            if not path.samefile(scene.live)]
    if found[0] == "old":
        assert len(kept) == 1, f"kept: {kept}"
        assert content_of_copy(kept[0], scene.base / "look") == ("live", LIVE_ROWS), "kept one"
    else:
        assert not kept, f"kept, and not replaced: {kept}"
    scene.check_guarded()
    return found[0]


def left_over(scene):
    return [path.name for path in scene.live.parent.glob(".~*")]


def one_round(scene, moment, kills):
    scene.take()
    process = subprocess.Popen([scene.program, *words_of(scene)], env=scene.env, cwd=scene.base,
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    time.sleep(moment)
    process.kill()
    code = process.wait()
    mark = look(scene)
    kills["too late" if code == 0 else mark] = kills.get("too late" if code == 0 else mark, 0) + 1
    assert code != 0 or mark == "old", "exit code 0, and not restored"
    again = scene.run(words_of(scene))
    assert again.returncode == 0, again.stderr
    assert content_of_copy(scene.live, scene.base / "look") == ("old", OLD_ROWS)
    assert not left_over(scene), left_over(scene)


def main():
    program = pathlib.Path(sys.argv[1]).resolve()
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    chance = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    with tempfile.TemporaryDirectory() as base:
        scene = Scene(program, base)
        times = []
        for _ in range(MEASURED_RUNS):
            scene.take()
            begun = time.monotonic()
            assert scene.run(words_of(scene)).returncode == 0
            times.append(time.monotonic() - begun)
        whole = sorted(times)[MEASURED_RUNS // 2]
        kills = {}
        for number in range(count):
            moment = chance.uniform(0.6 if number % 2 else 0, 1.1) * whole
            try:
                one_round(scene, moment, kills)
            except AssertionError as problem:
                print(f"BAD round {number}, killed after {moment * 1000:.1f} ms: {problem}")
                return 1
    print(f"{count} restores killed: {kills}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
