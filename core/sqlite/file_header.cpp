#include "core/sqlite/file_header.h"

#include <cassert>
#include <cstring>

namespace core {
namespace {

constexpr std::uint32_t kLargestPageBytes = 65'536;  // which two bytes cannot hold: coded as 1

bool maintained_by_sqlite(std::size_t offset) {
  return offset == kWriteVersionAt || offset == kReadVersionAt ||
         (offset >= 24 && offset < 32) ||  // change counter, size in pages
         (offset >= 40 && offset < 44) ||  // schema cookie
         (offset >= 92 && offset < 100);   // version-valid-for, library version
}

}  // namespace

FileHeader read_file_header(const unsigned char* bytes) {
  FileHeader header;
  const std::uint32_t coded = number_at(bytes + 16, 2);
  header.page_size = coded == 1 ? kLargestPageBytes : coded;
  header.write_version = bytes[kWriteVersionAt];
  header.read_version = bytes[kReadVersionAt];
  header.reserved_bytes = bytes[20];
  header.change_counter = number_at(bytes + 24, 4);
  header.page_count = number_at(bytes + 28, 4);
  header.first_free_page = number_at(bytes + 32, 4);
  header.free_pages = number_at(bytes + 36, 4);
  header.schema_cookie = number_at(bytes + 40, 4);
  header.schema_format = bytes[47];
  header.largest_root = number_at(bytes + 52, 4);
  header.user_version = static_cast<std::int32_t>(number_at(bytes + 60, 4));
  header.incremental_vacuum = number_at(bytes + 64, 4) != 0;
  header.version_valid_for = number_at(bytes + 92, 4);
  header.writer_version = number_at(bytes + 96, 4);
  return header;
}

bool has_file_magic(const unsigned char* bytes) {
  return std::memcmp(bytes, kFileMagic.data(), kFileMagic.size()) == 0;
}

void set_versions(unsigned char* header, unsigned char version) {
  assert(version == kRollbackVersion || version == kWalVersion);
  header[kWriteVersionAt] = header[kReadVersionAt] = version;
}

bool same_but_for_upkeep(const unsigned char* a, const unsigned char* b) {
  for (std::size_t i = 0; i < kFileHeaderBytes; ++i) {
    if (a[i] != b[i] && !maintained_by_sqlite(i)) return false;
  }
  return true;
}

}  // namespace core
