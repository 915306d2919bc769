#!/usr/bin/env python3
"""Runs the unit tests that were built for Windows under Wine.

    tests/wine/unit_tests.py FOLDER [NAME]     FOLDER: where they were built (build/windows-x64)

With a NAME that test alone (Catch2's patterns), with all it prints. Else every TEST_CASE of
tests/core, tests/server and tests/tools has to pass, or to stand in not_run.txt with the reason why it
cannot: what stands there is not run, and what is neither there nor run is an error.
"""
import concurrent.futures
import html
import pathlib
import re
import subprocess
import sys
import tempfile
import time

from wine import ROOT, Wine

PROGRAMS = ("core_tests", "server_tests", "tools_tests")
TOGETHER = 24  # tests in one process: less to start, and little lost where one ends or holds it
WORKERS = 2
SLOWEST = 8  # that are named
TIMEOUT_S = 900  # of one process, on a busy machine
LEAST_SHARE = 0.9  # of all tests that there are, on any system
USAGE = 2


def names_in_sources():
    """Every test's name."""
    names = set()
    for room in ("core", "server", "tools"):
        for path in (ROOT / "tests" / room).rglob("*_test.cpp"):
            for words in re.findall(r'^TEST_CASE\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+)', path.read_text(), re.M):
                parts = re.findall(r'"((?:[^"\\]|\\.)*)"', words)
                names.add("".join(parts).replace('\\"', '"').replace("\\\\", "\\"))
    return names


def not_run():
    """Names with their reasons. A line "# reason" stands above the names that it is for."""
    reasons, reason = {}, ""
    for line in (pathlib.Path(__file__).parent / "not_run.txt").read_text().splitlines():
        if line.startswith("#"):
            reason = line[1:].strip()
        elif line.strip():
            reasons[line.strip()] = reason
    return reasons


def listed(wine, program):
    process = wine.start(f"tests/{program}", "--list-test-names-only")
    output, _ = process.communicate(timeout=TIMEOUT_S)
    return [line for line in output.decode().splitlines() if line.strip()]


def results_of(report):
    """Of each test that ended: whether it passed, what was said of it, and the seconds it took."""
    found = {}
    for name, body in re.findall(r'<TestCase name="([^"]*)"[^>]*>(.*?)</TestCase>', report, re.S):
        outcome = re.search(r'<OverallResult success="(\w+)"(?: durationInSeconds="([\d.e-]+)")?', body)
        found[html.unescape(name)] = (outcome is not None and outcome[1] == "true", body,
                                      float(outcome[2] or 0) if outcome else 0)
    return found


def escaped(name):
    """As Catch2 takes it for one name."""
    return re.sub(r"([\\,\[\]])", r"\\\1", name)


def run_bounded(wine, program, *words):
    """How it ended, its output and its errors: by files, since what a killed test has started may keep
    a pipe open."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        process = wine.start(f"tests/{program}", *words, stdout=output, stderr=errors)
        try:
            end = f"it ended with {process.wait(timeout=TIMEOUT_S)}"
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            end = f"it did not end within {TIMEOUT_S} s"
        texts = []
        for file in (output, errors):
            file.seek(0)
            texts.append(file.read().decode(errors="replace").replace("\r", ""))
        return end, *texts


def run_some(wine, program, names):
    """Of each of the names, which are in the program's own order, what came of it."""
    results, rest = {}, list(names)
    while rest:
        with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as chosen:
            chosen.write("".join(f'"{escaped(name)}"\n' for name in rest))
            chosen.flush()
            end, text, errors = run_bounded(wine, program, "-r", "xml", "-d", "yes", "-f", "Z:" + chosen.name)
        ended = results_of(text)
        results.update(ended)
        left = [name for name in rest if name not in ended]
        if not left:
            break
        # The one that was begun and did not end.
        begun = [html.unescape(name) for name in re.findall(r'<TestCase name="([^"]*)"', text)]
        broken = begun[-1] if begun and begun[-1] in left else left[0]
        results[broken] = (False, f"{end}\n{text[-2000:]}\n{errors[-2000:]}", 0)
        rest = [name for name in left if name != broken]
    return results


def run_one(wine, name):
    """0 where a program has such a test and none fails."""
    ends = []
    for program in PROGRAMS:
        end, text, errors = run_bounded(wine, program, escaped(name))
        if "No test cases matched" in text:
            continue
        print(program, end, text, errors, sep="\n")
        ends.append(end)
    if not ends:
        print(f"No program has a test of the name {name}.")
    return 0 if ends and set(ends) == {"it ended with 0"} else 1


def report(results, reasons, seconds):
    passed = {name for name, good in results.items() if good}
    failed = sorted(set(results) - passed)
    sources = names_in_sources()
    unknown = sorted(name for name in sources if name not in results and name not in reasons)
    gone = sorted(name for name in reasons if name not in sources)
    for name in failed:
        print(f"failed: {name}")
    for name in unknown:
        print(f"neither run nor in not_run.txt: {name}")
    for name in gone:
        print(f"in not_run.txt, but no test any more: {name}")
    total = len(sources)
    print(f"{len(passed)} of {total} unit tests passed under Wine ({100 * len(passed) / total:.1f} %) in "
          f"{seconds:.0f} s, {len(failed)} failed, {len(reasons)} are not run (tests/wine/not_run.txt).")
    return 1 if failed or unknown or gone or len(passed) < LEAST_SHARE * total else 0


def main(arguments):
    if not arguments:
        print(__doc__, file=sys.stderr)
        return USAGE
    wine = Wine(pathlib.Path(arguments[0]).resolve())
    if arguments[1:]:
        return run_one(wine, arguments[1])
    begin = time.monotonic()
    reasons = not_run()
    to_run = {program: [name for name in listed(wine, program) if name not in reasons]
              for program in PROGRAMS}
    results, times = {}, {}
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        pieces = [pool.submit(run_some, wine, program, names[at:at + TOGETHER])
                  for program, names in to_run.items() for at in range(0, len(names), TOGETHER)]
        for piece in concurrent.futures.as_completed(pieces):
            for name, (good, said, took) in piece.result().items():
                results[name], times[name] = good, took
                if not good:
                    print(f"FAILED  {name}\n{said}\n", flush=True)
    wine.end()
    for name in sorted(times, key=times.get, reverse=True)[:SLOWEST]:
        print(f"{times[name]:6.1f} s  {name}")
    return report(results, reasons, time.monotonic() - begin)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
