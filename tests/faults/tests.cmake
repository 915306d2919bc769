# The program under faults: samples of what the tools here do at length. They need strace, some root;
# what cannot be tried is named and passed over, and all of it ends with 77 (skipped).
if(BPD_SANITIZE)
  return()
endif()
function(bpd_fault_test name script)
  add_test(NAME "${name}" COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/faults/${script}
    $<TARGET_FILE:backup-plugin-db> ${ARGN})
  set_tests_properties("${name}" PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 600)
endfunction()

bpd_fault_test("Whatever system call fails, nothing is lost and nothing falsely good" inject.py 60)
bpd_fault_test("Restores that are killed leave the old database or the new one" kill_restores.py 20)
bpd_fault_test("Rows that are put back by a killed call are all there or none" kill_rows.py 20)
bpd_fault_test("Unfriendly disks, mounts and limits are met with a result or a next step"
  rough_spots.py)
