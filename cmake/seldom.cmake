# bpd_seldom(TARGETS…): what is in them runs now and then, and waits for files or people then: release
# builds spend a quarter less time on it (docs/DESIGN.md, "How it is built").
function(bpd_seldom)
  if(MSVC OR NOT CMAKE_BUILD_TYPE STREQUAL "Release")
    return()
  endif()
  foreach(target ${ARGN})
    target_compile_options(${target} PRIVATE -O1)
  endforeach()
endfunction()
