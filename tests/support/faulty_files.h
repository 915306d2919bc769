// Real files, of which one change fails or ends the process: for tests that go through every step.
#pragma once

#include <cstdlib>

#include "core/platform/temporary.h"
#include "support/forwarding_files.h"
#include "support/temp_folder.h"

namespace test {

class FaultyFiles final : public ForwardingFiles {
 public:
  enum class Fault { fails, dies_before, dies_within, dies_after };
  static constexpr int kDied = 99;  // the exit code

  // The fault comes at the change of this number, counted from 1; with 0 never.
  FaultyFiles(int step, Fault fault) : step_(step), fault_(fault) {}
  // True when there were fewer changes than `step`.
  bool passed() const { return done_ < step_; }

  Expected<> write_atomically(const Path& path, std::string_view text,
                              std::uint32_t mode) override {
    const bool dies_within = done_ + 1 == step_ && fault_ == Fault::dies_within;
    if (dies_within) write_file(core::temporary_path_of(path), text.substr(0, text.size() / 2));
    return step(path, [&] { return ForwardingFiles::write_atomically(path, text, mode); });
  }
  Expected<> make_folders(const Path& folder, std::uint32_t mode) override {
    return step(folder, [&] { return ForwardingFiles::make_folders(folder, mode); });
  }
  Expected<> rename(const Path& from, const Path& to) override {
    return step(to, [&] { return ForwardingFiles::rename(from, to); });
  }
  Expected<> rename_new(const Path& from, const Path& to) override {
    return step(to, [&] { return ForwardingFiles::rename_new(from, to); });
  }
  Expected<> link(const Path& from, const Path& to) override {
    return step(to, [&] { return ForwardingFiles::link(from, to); });
  }
  Expected<> remove(const Path& path) override {
    return step(path, [&] { return ForwardingFiles::remove(path); });
  }
  Expected<> remove_empty_folder(const Path& folder) override {
    return step(folder, [&] { return ForwardingFiles::remove_empty_folder(folder); });
  }
  Expected<> set_mode(const Path& path, std::uint32_t mode) override {
    return step(path, [&] { return ForwardingFiles::set_mode(path, mode); });
  }
  Expected<> sync_folder(const Path& folder) override {
    return step(folder, [&] { return ForwardingFiles::sync_folder(folder); });
  }

 private:
  template <class Change>
  Expected<> step(const Path& path, Change change) {
    if (++done_ != step_) return change();
    switch (fault_) {
      case Fault::fails:
        return core::fail(core::ErrorCode::io, "the disk fails at " + path.string());
      case Fault::dies_after:
        (void)change();
        [[fallthrough]];
      case Fault::dies_before:
      case Fault::dies_within:
        std::_Exit(kDied);
    }
    return {};
  }

  int step_;
  Fault fault_;
  int done_ = 0;
};

}  // namespace test
