# cmake --install, and cpack -G DEB: both programs, man page, completions, licence.
include(GNUInstallDirs)
# cpack and cmake --install take what is built; building is somebody else's command.
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)

install(TARGETS backup-plugin-db RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
if(TARGET backup-plugin-db-http)
  # Beside the first: that is where it looks for it.
  install(TARGETS backup-plugin-db-http RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright)
install(FILES README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME ${PROJECT_NAME})
set(CPACK_PACKAGE_CONTACT "backup-plugin-db contributors <noreply@invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Verified snapshots of live SQLite databases, by MCP or shell")
set(CPACK_PACKAGE_DESCRIPTION
  "Takes point-in-time snapshots of SQLite databases that other programs are writing to,
 checks each one, runs nightly by the system's own scheduler, and restores.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "systemd | cron, curl")
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/packages)
include(CPack)

if(CMAKE_CROSSCOMPILING)
  return()  # what follows runs the program
endif()

# The program describes its own command line: what it prints is what it understands.
set(pages ${CMAKE_CURRENT_BINARY_DIR}/pages)
set(outputs)
foreach(format man bash zsh fish)
  list(APPEND outputs ${pages}/${format})
endforeach()
find_program(GZIP_PROGRAM gzip REQUIRED)
set(generate "for f in man bash zsh fish; do \"$1\" generate $f >\"$2/$f\" || exit 1; done")
add_custom_command(OUTPUT ${outputs} ${pages}/man.gz
  COMMAND ${CMAKE_COMMAND} -E make_directory ${pages}
  COMMAND sh -c "${generate}" generate $<TARGET_FILE:backup-plugin-db> ${pages}
  COMMAND ${GZIP_PROGRAM} -9nkf ${pages}/man
  DEPENDS backup-plugin-db COMMENT "Writing man page and completions" VERBATIM)
add_custom_target(command_pages ALL DEPENDS ${outputs} ${pages}/man.gz)
add_dependencies(all_programs command_pages)
install(FILES ${pages}/man.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 RENAME backup-plugin-db.1.gz)
install(FILES ${pages}/bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
  RENAME backup-plugin-db)
install(FILES ${pages}/zsh DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions
  RENAME _backup-plugin-db)
install(FILES ${pages}/fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d
  RENAME backup-plugin-db.fish)
