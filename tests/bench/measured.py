"""One run of a program, measured."""
import os
import subprocess
import time


def measured(command, environment):
    """The wall time and the CPU of one process in ms, start and end included, and what it printed. It has
    to end with 0."""
    begun = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, (command, output)
    return ((time.perf_counter() - begun) * 1000, (usage.ru_utime + usage.ru_stime) * 1000, output)
