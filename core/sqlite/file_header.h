// What the first 100 bytes of a database file say. Pure; the bytes may be anybody's.
// https://www.sqlite.org/fileformat.html#the_database_header
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace core {

inline constexpr std::size_t kFileHeaderBytes = 100;
inline constexpr std::string_view kFileMagic("SQLite format 3\0", 16);
// Where the two bytes stand by which a file remembers its journal mode, and what they say.
inline constexpr std::size_t kWriteVersionAt = 18, kReadVersionAt = 19;
inline constexpr unsigned char kRollbackVersion = 1, kWalVersion = 2;

// As the bytes have it; what cannot be is for the reader to tell.
struct FileHeader {
  std::uint32_t page_size = 0;
  std::uint32_t page_count = 0;  // current only where count_is_current()
  unsigned write_version = 0, read_version = 0;
  unsigned reserved_bytes = 0;  // at the end of each page
  std::uint32_t change_counter = 0, version_valid_for = 0;
  std::uint32_t first_free_page = 0, free_pages = 0;
  std::uint32_t schema_cookie = 0;
  unsigned schema_format = 0;      // the last of its four bytes, as SQLite reads it
  std::uint32_t largest_root = 0;  // 0: no auto-vacuum, hence no pointer map
  bool incremental_vacuum = false;
  std::int64_t user_version = 0;
  std::uint32_t writer_version = 0;  // of the SQLite that wrote last, as 3040001; 0: not told

  std::uint64_t bytes() const { return std::uint64_t{page_size} * page_count; }
  bool count_is_current() const { return change_counter == version_valid_for; }
  bool says_wal() const { return write_version == kWalVersion && read_version == kWalVersion; }
  // "wal" or "delete": what the file itself remembers.
  const char* journal_mode() const { return says_wal() ? "wal" : "delete"; }
  // A format of the file that this program does not know.
  bool is_newer() const { return write_version > kWalVersion || read_version > kWalVersion; }
};

// All of these take kFileHeaderBytes.
FileHeader read_file_header(const unsigned char* bytes);
bool has_file_magic(const unsigned char* bytes);
// kRollbackVersion or kWalVersion, for both.
void set_versions(unsigned char* header, unsigned char version);
// Alike but for what SQLite maintains as it commits a backup, and for the journal mode.
bool same_but_for_upkeep(const unsigned char* a, const unsigned char* b);

// Big-endian, as all numbers of the format are.
inline std::uint32_t number_at(const unsigned char* at, int bytes) {
  std::uint32_t value = 0;
  for (int i = 0; i < bytes; ++i) value = value << 8 | at[i];
  return value;
}

}  // namespace core
