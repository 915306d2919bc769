# bpd_unite(TARGETS…): the files of a folder are compiled together, BPD_UNITE of them at a time: what
# their headers bring is read, and made into code, once. So what files of one folder keep to
# themselves has names of its own. BPD_UNITE=0 compiles each alone: clang-tidy reads them so, and
# work on a single file is faster.
set(BPD_UNITE 25 CACHE STRING "How many files of a folder are compiled together; 0: each alone")
function(bpd_unite)
  if(NOT BPD_UNITE)
    return()
  endif()
  foreach(target ${ARGN})
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
    get_target_property(sources ${target} SOURCES)
    # SQLite's method tables have the same names in each, and one header is read another way; Windows'
    # own headers have names of ours (Folder). What is an object already is no source.
    list(FILTER sources EXCLUDE REGEX
      "_vfs\\.cpp$|/digest\\.cpp$|_windows_test\\.cpp$|^\\$<TARGET_OBJECTS:")
    list(SORT sources)
    foreach(source IN LISTS sources)
      get_filename_component(folder ${source} DIRECTORY)
      file(RELATIVE_PATH room ${PROJECT_SOURCE_DIR} ${folder})
      string(MAKE_C_IDENTIFIER ${room} room)
      # The files of a folder do not follow each other: those of its subfolders lie between them.
      list(APPEND of_${target}_${room} ${source})
      list(LENGTH of_${target}_${room} count)
      math(EXPR part "(${count} - 1) / ${BPD_UNITE}")
      set_source_files_properties(${source} PROPERTIES UNITY_GROUP ${room}_${part})
    endforeach()
  endforeach()
endfunction()
