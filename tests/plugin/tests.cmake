# The plugin and the packages, as their hosts take them.
function(bpd_plugin_test name what)
  add_test(NAME "${name}" COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/plugin/check_plugin.sh ${what}
    $<TARGET_FILE:backup-plugin-db>)
  set_tests_properties("${name}" PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 300)
endfunction()

bpd_plugin_test("The launcher finds the program, or says in one line how to build it" launcher)
bpd_plugin_test("bootstrap.sh takes paths from where the user is" bootstrap)
bpd_plugin_test("The session hook is silent until a database is uncovered" hook)
if(NOT BPD_SANITIZE)
  bpd_plugin_test("The session hook takes less than 50 ms where much has gathered" hook_time)
endif()

# Packing takes long, and nobody installs a build with sanitizers.
if(NOT BPD_SANITIZE)
  bpd_plugin_test("Claude Code validates, installs and connects to the plugin" claude)
  bpd_plugin_test("The MCP bundle validates, packs and runs" bundle)
  add_test(NAME "The Debian package installs, runs, and leaves nothing when it is purged"
    COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/plugin/check_package.sh ${CMAKE_BINARY_DIR})
  set_tests_properties("The Debian package installs, runs, and leaves nothing when it is purged"
    PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 600)
endif()

add_test(NAME "The walkthrough leads from an empty home to a proven restore"
  COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/interop/walkthrough/run.sh
    $<TARGET_FILE:backup-plugin-db> walkthrough)
add_test(NAME "Every line that the skill prints works as printed"
  COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/interop/walkthrough/run.sh
    $<TARGET_FILE:backup-plugin-db> skill)
set_tests_properties("The walkthrough leads from an empty home to a proven restore"
  "Every line that the skill prints works as printed"
  PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 300)
