# The command line as people type it, in a terminal of its own.
function(bpd_shell_test name script)
  add_test(NAME "${name}" COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/shell/${script}
    $<TARGET_FILE:backup-plugin-db> ${ARGN})
  set_tests_properties("${name}" PROPERTIES TIMEOUT 300)
endfunction()

bpd_shell_test("What a newcomer types first works, is asked for, or is told" first_words.py)
bpd_shell_test("A person sees local times, short paths and lines that fit" seen.py)
bpd_shell_test("The first hour that the README describes works line by line" readme.py
  ${PROJECT_SOURCE_DIR}/README.md)
