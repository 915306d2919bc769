# Schedules under the real systemd and the real cron, in sandboxes. They need root and end with 77
# (skipped) where a sandbox cannot be made; CI sets BPD_NO_SKIPS and takes that for a failure.
# Sanitized programs cannot be preloaded with libfaketime and are tested through fakes only.
if(BPD_SANITIZE)
  return()
endif()
add_executable(escape_probe support/programs/escape_probe.cpp)
target_link_libraries(escape_probe PRIVATE bpd_flags core)
target_include_directories(escape_probe PRIVATE ${PROJECT_SOURCE_DIR})

function(bpd_scheduler_test name)
  add_test(NAME "${name}" COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/schedulers/${ARGN}
    $<TARGET_FILE:backup-plugin-db> $<TARGET_FILE:escape_probe>)
  set_tests_properties("${name}" PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 600)
endfunction()

bpd_scheduler_test("A schedule of root lives its whole life under the real systemd"
  systemd_test.sh 0)
bpd_scheduler_test("A schedule of an ordinary user lives its whole life under the real systemd"
  systemd_test.sh 65534)
bpd_scheduler_test("A schedule lives its whole life under the real cron" cron_test.sh)
