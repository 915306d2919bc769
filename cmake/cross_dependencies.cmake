# The libraries where they are built along, below BPD_CROSS (packaging/cross/dependencies.sh): SQLite
# with the options that Debian gives it, the others by their headers. The digest is the system's; Linux
# has none, and gets Botan's.
find_package(Threads REQUIRED)

# Built elsewhere or later they are the same, byte for byte (packaging/release).
add_compile_options(-g0 -ffile-prefix-map=${CMAKE_SOURCE_DIR}=.)
add_link_options(-s)

add_library(bpd_headers INTERFACE)
target_include_directories(bpd_headers SYSTEM INTERFACE ${BPD_CROSS}/include)

add_library(bpd_sqlite3 STATIC ${BPD_CROSS}/sqlite/sqlite3.c)
target_compile_definitions(bpd_sqlite3 PRIVATE SQLITE_THREADSAFE=1 SQLITE_USE_URI=1
  SQLITE_SECURE_DELETE SQLITE_SOUNDEX SQLITE_LIKE_DOESNT_MATCH_BLOBS SQLITE_OMIT_LOOKASIDE
  SQLITE_MAX_SCHEMA_RETRY=25 SQLITE_MAX_VARIABLE_NUMBER=250000 SQLITE_ENABLE_COLUMN_METADATA
  SQLITE_ENABLE_DBSTAT_VTAB SQLITE_ENABLE_FTS3 SQLITE_ENABLE_FTS3_PARENTHESIS
  SQLITE_ENABLE_FTS3_TOKENIZER SQLITE_ENABLE_FTS4 SQLITE_ENABLE_FTS5 SQLITE_ENABLE_GEOPOLY
  SQLITE_ENABLE_MATH_FUNCTIONS SQLITE_ENABLE_PREUPDATE_HOOK SQLITE_ENABLE_RTREE SQLITE_ENABLE_SESSION
  SQLITE_ENABLE_STMTVTAB SQLITE_ENABLE_UNLOCK_NOTIFY SQLITE_ENABLE_UPDATE_DELETE_LIMIT)
if(NOT WIN32)
  # What its configure script finds there.
  target_compile_definitions(bpd_sqlite3 PRIVATE USE_PREAD HAVE_FDATASYNC HAVE_USLEEP HAVE_GMTIME_R
    HAVE_LOCALTIME_R HAVE_STRERROR_R)
endif()
target_include_directories(bpd_sqlite3 SYSTEM PUBLIC ${BPD_CROSS}/sqlite)
target_compile_options(bpd_sqlite3 PRIVATE -w)

if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
  set(botan ${BPD_CROSS}/botan-${CMAKE_SYSTEM_PROCESSOR})
  add_library(bpd_crypto STATIC ${botan}/botan_all.cpp)
  target_include_directories(bpd_crypto SYSTEM PUBLIC ${botan})
  target_compile_definitions(bpd_crypto PUBLIC BPD_BOTAN)
  target_compile_options(bpd_crypto PRIVATE -w -O2)  # every byte of a snapshot goes through it
else()
  add_library(bpd_crypto INTERFACE)
endif()
add_library(bpd_spdlog INTERFACE)
target_link_libraries(bpd_spdlog INTERFACE bpd_headers)
target_compile_definitions(bpd_spdlog INTERFACE SPDLOG_FMT_EXTERNAL FMT_HEADER_ONLY
  $<$<PLATFORM_ID:Linux>:_LARGEFILE64_SOURCE>)  # musl has the names it calls for who asks alone
add_library(bpd_valijson INTERFACE)
target_link_libraries(bpd_valijson INTERFACE bpd_headers)
target_compile_definitions(bpd_valijson INTERFACE VALIJSON_USE_EXCEPTIONS=1)  # or it ends the program
add_library(bpd_httplib INTERFACE)
target_link_libraries(bpd_httplib INTERFACE bpd_headers)
foreach(name nlohmann_json::nlohmann_json tl::expected CLI11::CLI11 Catch2::Catch2)
  add_library(${name} INTERFACE IMPORTED)
  target_link_libraries(${name} INTERFACE bpd_headers)
endforeach()
