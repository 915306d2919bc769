# The libraries, as Debian 12 ships them, or vcpkg.json and Homebrew; README says in one line why each
# is here. Elsewhere the digest is the system's.
find_package(Threads REQUIRED)
find_package(SQLite3 REQUIRED)
if(NOT APPLE AND NOT WIN32)
  find_package(OpenSSL REQUIRED COMPONENTS Crypto)
endif()
find_package(nlohmann_json REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(valijson REQUIRED)
find_package(tl-expected REQUIRED)
# The compiled cpp-httplib: without the package's own flags its classes differ in layout and the
# program crashes, so only the package may say how to use it.
find_package(PkgConfig)
if(PKG_CONFIG_FOUND)
  pkg_check_modules(httplib IMPORTED_TARGET cpp-httplib)
endif()
if(NOT httplib_FOUND)
  find_package(httplib CONFIG REQUIRED)
  add_library(PkgConfig::httplib ALIAS httplib::httplib)
endif()

# Links the static archive of a library in release builds where there is one: a one-shot run
# starts about 3 ms sooner than with shared libraries to find and relocate.
function(bpd_prefer_static target archive fallback)
  add_library(${target} INTERFACE)
  find_library(${target}_ARCHIVE NAMES ${archive})
  if(BPD_STATIC_LIBS AND CMAKE_BUILD_TYPE STREQUAL "Release" AND ${target}_ARCHIVE)
    target_link_libraries(${target} INTERFACE ${${target}_ARCHIVE} m ${CMAKE_DL_LIBS}
      Threads::Threads)
  else()
    target_link_libraries(${target} INTERFACE ${fallback})
  endif()
endfunction()

bpd_prefer_static(bpd_sqlite3 libsqlite3.a SQLite::SQLite3)
if(TARGET OpenSSL::Crypto)
  bpd_prefer_static(bpd_crypto libcrypto.a OpenSSL::Crypto)
else()
  add_library(bpd_crypto INTERFACE)
endif()

# Header-only spdlog and fmt: used in one file, and no shared library to load at start.
add_library(bpd_spdlog INTERFACE)
target_include_directories(bpd_spdlog SYSTEM INTERFACE
  $<TARGET_PROPERTY:spdlog::spdlog_header_only,INTERFACE_INCLUDE_DIRECTORIES>)
target_link_libraries(bpd_spdlog INTERFACE spdlog::spdlog_header_only fmt::fmt-header-only)

add_library(bpd_valijson INTERFACE)
if(TARGET valijson)
  target_link_libraries(bpd_valijson INTERFACE valijson)
elseif(TARGET ValiJSON::valijson)
  target_link_libraries(bpd_valijson INTERFACE ValiJSON::valijson)
endif()

add_library(bpd_httplib INTERFACE)
target_link_libraries(bpd_httplib INTERFACE PkgConfig::httplib)
