#include "core/platform/open_file.h"

#include <string>

#include "core/base/paths.h"
#include "core/platform/folder.h"
#include "core/platform/windows/system.h"

namespace core {
namespace {

constexpr std::size_t kMaxPieceBytes = 16 << 20;

OVERLAPPED at(std::uint64_t offset) {
  OVERLAPPED place{};
  place.Offset = static_cast<DWORD>(offset);
  place.OffsetHigh = static_cast<DWORD>(offset >> 32);
  return place;
}

DWORD piece_of(std::size_t bytes) {
  return static_cast<DWORD>(std::min(bytes, kMaxPieceBytes));
}

}  // namespace

Expected<Descriptor> open_for_reading(const fs::path& path) {
  BPD_TRY_AS(folder, Folder::of(path));
  HANDLE handle = INVALID_HANDLE_VALUE;
  const bool opened = with_patience([&] {
    handle =
        ::CreateFileW(system_path(path).c_str(), GENERIC_READ, kShareAll, nullptr, OPEN_EXISTING,
                      FILE_FLAG_OPEN_REPARSE_POINT | FILE_FLAG_SEQUENTIAL_SCAN, nullptr);
    return handle != INVALID_HANDLE_VALUE;
  });
  if (!opened) return fail_last("open", path);
  Descriptor file = owned(handle);
  if (is_link(handle)) return fail(link_error(path));
  return file;
}

Expected<> write_at(Descriptor::Handle file, const void* data, std::size_t bytes,
                    std::uint64_t offset, const fs::path& path) {
  const auto* from = static_cast<const unsigned char*>(data);
  while (bytes > 0) {
    OVERLAPPED place = at(offset);
    DWORD written = 0;
    if (!::WriteFile(handle_of(file), from, piece_of(bytes), &written, &place) || written == 0) {
      return fail_last("write", path);
    }
    from += written;
    offset += written;
    bytes -= written;
  }
  return {};
}

Expected<std::size_t> read_at(Descriptor::Handle file, void* data, std::size_t bytes,
                              std::uint64_t offset, const fs::path& path) {
  OVERLAPPED place = at(offset);
  DWORD got = 0;
  if (::ReadFile(handle_of(file), data, piece_of(bytes), &got, &place)) return got;
  if (::GetLastError() == ERROR_HANDLE_EOF) return 0;
  return fail_last("read", path);
}

Expected<> reserve(Descriptor::Handle file, std::uint64_t bytes, const fs::path& path) {
  if (bytes == 0) return {};
  FILE_ALLOCATION_INFO wanted{};
  wanted.AllocationSize.QuadPart = static_cast<LONGLONG>(bytes);
  if (::SetFileInformationByHandle(handle_of(file), FileAllocationInfo, &wanted, sizeof wanted)) {
    return {};
  }
  const DWORD error = ::GetLastError();
  const bool full = error == ERROR_DISK_FULL || error == ERROR_HANDLE_DISK_FULL ||
                    error == ERROR_DISK_QUOTA_EXCEEDED || error == ERROR_FILE_TOO_LARGE;
  if (full) return fail_last("reserve " + std::to_string(bytes) + " bytes for", path);
  return {};
}

Expected<> set_length(Descriptor::Handle file, std::uint64_t bytes, const fs::path& path) {
  FILE_END_OF_FILE_INFO end{};
  end.EndOfFile.QuadPart = static_cast<LONGLONG>(bytes);
  if (::SetFileInformationByHandle(handle_of(file), FileEndOfFileInfo, &end, sizeof end)) return {};
  return fail_last("set the length of", path);
}

Expected<bool> sync_file(Descriptor::Handle file, const fs::path& path) {
  if (::FlushFileBuffers(handle_of(file))) return true;
  const DWORD error = ::GetLastError();
  if (error == ERROR_INVALID_FUNCTION || error == ERROR_NOT_SUPPORTED) return false;
  return fail_last("sync", path);
}

void start_write_back(Descriptor::Handle, std::uint64_t, std::uint64_t) {}

void forget_cached_pages(Descriptor::Handle) {}

}  // namespace core
