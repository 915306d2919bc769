# cmake --install, and cpack -G DEB: both programs, man page, completions, licence.
include(GNUInstallDirs)

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
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "systemd | cron")
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/packages)
include(CPack)
