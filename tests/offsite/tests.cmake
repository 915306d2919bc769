# Copies off this machine, with the real rclone and its own servers on loopback: samples of what the
# scripts do at length (`faults.py PROGRAM 100` is the real thing). Without rclone they end with 77
# (skipped); CI sets BPD_NO_SKIPS and takes that for a failure.
if(BPD_SANITIZE)
  return()
endif()
function(bpd_offsite_test name script)
  add_test(NAME "${name}" COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/${script} ${ARGN})
  set_tests_properties("${name}" PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 900)
endfunction()

bpd_offsite_test("Copies live their whole life off this machine over WebDAV, SFTP, a folder and crypt"
  offsite/life.py $<TARGET_FILE:backup-plugin-db>)
bpd_offsite_test("Whatever fails off this machine spoils nothing and is told as what it is"
  offsite/faults.py $<TARGET_FILE:backup-plugin-db> 6)
bpd_offsite_test("The real cron takes copies off this machine, and makes up what is owed"
  schedulers/offsite_test.sh cron $<TARGET_FILE:backup-plugin-db>)
bpd_offsite_test("The real systemd takes copies off this machine, and makes up what is owed"
  schedulers/offsite_test.sh systemd $<TARGET_FILE:backup-plugin-db>)
