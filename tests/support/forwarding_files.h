// Real files, with single operations for a test to override.
#pragma once

#include "core/base/env.h"

namespace test {

class ForwardingFiles : public core::FileSystem {
 public:
  using Path = std::filesystem::path;
  template <class T = void>
  using Expected = core::Expected<T>;

  Expected<core::FileInfo> info(const Path& path) const override { return real_.info(path); }
  Expected<core::FileId> cached_id(const Path& path) const override {
    return real_.cached_id(path);
  }
  Expected<core::FileInfo> link_info(const Path& path) const override {
    return real_.link_info(path);
  }
  Expected<core::FileInfo::Kind> link_kind(const Path& path) const override {
    return real_.link_kind(path);
  }
  Expected<std::string> read(const Path& path, std::uint64_t max_bytes) const override {
    return real_.read(path, max_bytes);
  }
  Expected<std::string> read_start(const Path& path, std::size_t max_bytes) const override {
    return real_.read_start(path, max_bytes);
  }
  Expected<std::vector<core::DirEntry>> list(const Path& folder,
                                             std::size_t max_entries) const override {
    return real_.list(folder, max_entries);
  }
  Expected<Path> canonical(const Path& path) const override { return real_.canonical(path); }
  Expected<std::uint64_t> free_bytes(const Path& folder) const override {
    return real_.free_bytes(folder);
  }
  std::uint64_t max_file_bytes(const Path& folder) const override {
    return real_.max_file_bytes(folder);
  }
  Expected<> write_atomically(const Path& path, std::string_view text,
                              std::uint32_t mode) override {
    return real_.write_atomically(path, text, mode);
  }
  Expected<> make_folders(const Path& folder, std::uint32_t mode) override {
    return real_.make_folders(folder, mode);
  }
  Expected<> rename(const Path& from, const Path& to) override { return real_.rename(from, to); }
  Expected<> rename_new(const Path& from, const Path& to) override {
    return real_.rename_new(from, to);
  }
  Expected<> link(const Path& from, const Path& to) override { return real_.link(from, to); }
  Expected<> remove(const Path& path) override { return real_.remove(path); }
  Expected<> remove_empty_folder(const Path& folder) override {
    return real_.remove_empty_folder(folder);
  }
  Expected<> set_mode(const Path& path, std::uint32_t mode) override {
    return real_.set_mode(path, mode);
  }
  Expected<> sync_folder(const Path& folder) override { return real_.sync_folder(folder); }
  // What a test overrides holds there, too.
  FileSystem& no_links() override { return *this; }

 private:
  core::FileSystem& real_ = core::system_files();
};

}  // namespace test
