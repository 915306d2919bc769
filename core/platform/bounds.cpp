#include "core/platform/bounds.h"

#include <algorithm>
#include <mutex>
#include <shared_mutex>

#include "core/base/paths.h"

namespace core {

class Bounds::Files final : public FileSystem {
 public:
  explicit Files(const Env& around) : around_(around.files), places_(around.places) {}

  void add(const fs::path& folder) {
    // Of "/x/" and "/x" the second is the one in which things lie.
    const fs::path plain = folder.has_filename() ? folder : folder.parent_path();
    if (plain.empty() || contains(plain)) return;
    const std::unique_lock lock(mutex_);
    folders_.push_back(plain);
  }

  Expected<FileInfo> info(const fs::path& path) const override { return at(path).info(path); }
  Expected<FileId> cached_id(const fs::path& path) const override {
    return at(path).cached_id(path);
  }
  Expected<FileInfo> link_info(const fs::path& path) const override {
    return at(path).link_info(path);
  }
  Expected<FileInfo::Kind> link_kind(const fs::path& path) const override {
    return at(path).link_kind(path);
  }
  Expected<std::string> read(const fs::path& path, std::uint64_t max_bytes) const override {
    return at(path).read(path, max_bytes);
  }
  Expected<std::string> read_start(const fs::path& path, std::size_t max_bytes) const override {
    return at(path).read_start(path, max_bytes);
  }
  Expected<std::vector<DirEntry>> list(const fs::path& folder,
                                       std::size_t max_entries) const override {
    return at(folder).list(folder, max_entries);
  }
  Expected<fs::path> canonical(const fs::path& path) const override {
    return at(path).canonical(path);
  }
  Expected<std::uint64_t> free_bytes(const fs::path& folder) const override {
    return at(folder).free_bytes(folder);
  }
  std::uint64_t max_file_bytes(const fs::path& folder) const override {
    return at(folder).max_file_bytes(folder);
  }
  Expected<> write_atomically(const fs::path& path, std::string_view text,
                              std::uint32_t mode) override {
    return at(path).write_atomically(path, text, mode);
  }
  Expected<> make_folders(const fs::path& folder, std::uint32_t mode) override {
    return at(folder).make_folders(folder, mode);
  }
  Expected<> rename(const fs::path& from, const fs::path& to) override {
    return at(from, to).rename(from, to);
  }
  Expected<> rename_new(const fs::path& from, const fs::path& to) override {
    return at(from, to).rename_new(from, to);
  }
  Expected<> link(const fs::path& from, const fs::path& to) override {
    return at(from, to).link(from, to);
  }
  Expected<> remove(const fs::path& path) override { return at(path).remove(path); }
  Expected<> remove_empty_folder(const fs::path& folder) override {
    return at(folder).remove_empty_folder(folder);
  }
  Expected<> set_mode(const fs::path& path, std::uint32_t mode) override {
    return at(path).set_mode(path, mode);
  }
  Expected<> sync_folder(const fs::path& folder) override { return at(folder).sync_folder(folder); }
  FileSystem& no_links() override { return around_.no_links(); }

 private:
  // Our own folders may lie below a destination, or in a home that is allowed, and be links.
  bool is_own(const fs::path& path) const {
    for (const fs::path* own : {&places_.state, &places_.config, &places_.data}) {
      if (!own->empty() && is_inside(path, *own)) return true;
    }
    return false;
  }
  bool contains(const fs::path& path) const {
    if (is_own(path)) return false;
    const std::shared_lock lock(mutex_);
    return std::any_of(folders_.begin(), folders_.end(),
                       [&](const fs::path& folder) { return is_inside(path, folder); });
  }
  FileSystem& at(const fs::path& path) const {
    return contains(path) ? around_.no_links() : around_;
  }
  FileSystem& at(const fs::path& from, const fs::path& to) const {
    return contains(from) || contains(to) ? around_.no_links() : around_;
  }

  FileSystem& around_;
  const Places& places_;
  mutable std::shared_mutex mutex_;
  std::vector<fs::path> folders_;  // guarded by mutex_
};

Bounds::Bounds(const Env& env, const std::vector<fs::path>& folders)
    : files_(std::make_unique<Files>(env)), env_{env.clock, *files_, env.commands, env.places} {
  for (const fs::path& folder : folders) add(folder);
}

Bounds::~Bounds() = default;

void Bounds::add(const fs::path& folder) {
  files_->add(folder);
}

}  // namespace core
