// A folder of its own for one test, removed with everything in it when the test ends.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace test {

namespace fs = std::filesystem;

class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const fs::path& path() const { return path_; }
  fs::path operator/(std::string_view name) const { return (path_ / name).make_preferred(); }

 private:
  fs::path path_;
};

// Whole small files, for tests: throws std::runtime_error when that does not work.
void write_file(const fs::path& path, std::string_view bytes);
std::string read_file(const fs::path& path);
// The names in a folder, sorted; what a test compares to show that nothing was left behind.
std::string names_in(const fs::path& folder);
// Overwrites `bytes` at `offset`, leaving the rest as it is.
void patch_file(const fs::path& path, std::uint64_t offset, std::string_view bytes);

}  // namespace test
