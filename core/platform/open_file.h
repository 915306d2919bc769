// What is done with an open file, in each system's own way. Errors name `path`, which is for that
// alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>

#include "core/base/error.h"
#include "core/platform/descriptor.h"

namespace core {

// For reading from first to last. No link on the path is followed; it must be absolute, its links
// resolved. Does not wait for the writer of a named pipe.
Expected<Descriptor> open_for_reading(const std::filesystem::path& path);

// All of it, or an error.
Expected<> write_at(Descriptor::Handle file, const void* data, std::size_t bytes,
                    std::uint64_t offset, const std::filesystem::path& path);
// Up to so many bytes; none at the end of the file only.
Expected<std::size_t> read_at(Descriptor::Handle file, void* data, std::size_t bytes,
                              std::uint64_t offset, const std::filesystem::path& path);

// Has the disk keep so many bytes for a file that is still empty; no_space where it has not got
// them. Nothing where the file system cannot (core/base/cannot.h).
Expected<> reserve(Descriptor::Handle file, std::uint64_t bytes, const std::filesystem::path& path);
// Also gives back what was reserved and not needed.
Expected<> set_length(Descriptor::Handle file, std::uint64_t bytes,
                      const std::filesystem::path& path);
// To the disk; false where the file system cannot be told to (core/base/cannot.h).
Expected<bool> sync_file(Descriptor::Handle file, const std::filesystem::path& path);

// Advice: these bytes are to go to the disk now.
void start_write_back(Descriptor::Handle file, std::uint64_t offset, std::uint64_t bytes);
// Advice: what of the file is on the disk need not stay in memory.
void forget_cached_pages(Descriptor::Handle file);

}  // namespace core
