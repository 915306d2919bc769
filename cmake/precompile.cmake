# bpd_precompile(FIRST OTHERS…): heavy_headers.h is compiled once, for FIRST, and used by all. Files
# still include what they need: BPD_PRECOMPILE=OFF builds without it, and clang-tidy reads it so.
option(BPD_PRECOMPILE "Compile the heaviest headers once" ON)
function(bpd_precompile first)
  if(NOT BPD_PRECOMPILE)
    return()
  endif()
  target_precompile_headers(${first} PRIVATE ${PROJECT_SOURCE_DIR}/cmake/heavy_headers.h)
  foreach(target ${ARGN})
    target_precompile_headers(${target} REUSE_FROM ${first})
  endforeach()
endfunction()
