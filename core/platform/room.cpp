#include "core/platform/room.h"

#include <limits>

#include "core/base/paths.h"

namespace core {
namespace {

constexpr std::uint64_t kFatType = 0x4d44;  // MSDOS_SUPER_MAGIC, for vfat too: statfs(2)
constexpr std::uint64_t kSpareBytes = 4ULL << 20;

}  // namespace

std::uint64_t max_file_bytes_of_type(std::uint64_t file_system_type) {
  return file_system_type == kFatType ? kFatMaxBytes : std::numeric_limits<std::uint64_t>::max();
}

Expected<> check_room(const NewFile& file, const FileSystem& files) {
  const std::string folder = text_of(file.folder);
  if (const std::uint64_t most = files.max_file_bytes(file.folder); file.bytes > most) {
    return fail(ErrorCode::unsupported,
                folder + " is on a FAT file system, where no file can have more than " +
                    std::to_string(most) + " bytes; " + file.what + " has " +
                    std::to_string(file.bytes) + ".",
                "Choose a folder on another disk, or format this one as exFAT or ext4.");
  }
  BPD_TRY_AS(available, files.free_bytes(file.folder));
  const std::uint64_t needed = file.bytes + kSpareBytes;
  if (*available >= needed) return {};
  return fail(ErrorCode::no_space,
              folder + " has " + std::to_string(*available) + " bytes free; " + file.what +
                  " needs " + std::to_string(needed) + ".",
              file.hint);
}

}  // namespace core
