// Whether a file, and its name, have room where it is to lie.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "core/base/env.h"

namespace core {

constexpr std::uint64_t kFatMaxBytes = 0xffff'ffff;  // of one file on FAT

// What one file may hold on a file system of this type (statfs's f_type); the largest number for
// all but FAT. FAT keeps a file's size in 32 bits:
// https://learn.microsoft.com/windows/win32/fileio/file-systems
std::uint64_t max_file_bytes_of_type(std::uint64_t file_system_type);

struct NewFile {
  fs::path folder;
  std::uint64_t bytes = 0;
  std::string what;  // "the snapshot"
  std::string hint;  // for no_space
};
// no_space when it and 4 MiB beside it (side files, folder entries, others' writes) are not free
// there; unsupported when no file there can be that large.
Expected<> check_room(const NewFile& file, const FileSystem& files);

// Of a file's name in this folder, in bytes; nothing where the file system does not tell.
std::optional<std::size_t> longest_name_in(const fs::path& folder);

}  // namespace core
