# bpd_embed(TARGET FOLDER PATTERN): a static library that holds the text of every file under FOLDER
# whose name matches PATTERN, readable as embedded::TARGET() (see embedded.h).
set(BPD_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_DIR}/embed_script.cmake)
set(BPD_EMBED_FOLDER ${CMAKE_CURRENT_LIST_DIR})

function(bpd_embed target folder pattern)
  file(GLOB_RECURSE files CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR}/${folder}
    ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/${pattern})
  list(SORT files)
  set(paths)
  foreach(file IN LISTS files)
    list(APPEND paths ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/${file})
  endforeach()
  set(out ${CMAKE_CURRENT_BINARY_DIR}/generated/${target}.cpp)
  string(REPLACE ";" "|" list "${files}")
  add_custom_command(OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DOUT=${out} -DROOT=${CMAKE_CURRENT_SOURCE_DIR}/${folder}
      -DFILES=${list} -DNAME=${target} -P ${BPD_EMBED_SCRIPT}
    DEPENDS ${paths} ${BPD_EMBED_SCRIPT} COMMENT "Embedding ${folder}/" VERBATIM)
  add_library(${target} STATIC ${out})
  target_include_directories(${target} PUBLIC ${BPD_EMBED_FOLDER})
  target_link_libraries(${target} PRIVATE bpd_flags)
endfunction()
