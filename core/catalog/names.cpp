#include "core/catalog/names.h"

#include <algorithm>
#include <array>

#include "core/base/paths.h"
#include "core/platform/temporary.h"

namespace core {
namespace {

constexpr std::string_view kExtension = ".db";
constexpr std::array kDatabaseEndings{".db", ".sqlite", ".sqlite3", ".db3"};
constexpr std::size_t kDateLength = 10;
constexpr std::string_view kDamagedEnding = "-damaged";
constexpr std::string_view kSafetyMark = ".before-restore-";

std::string extension_of(const fs::path& target) {
  return target.extension().empty() ? ".db" : text_of(target.extension());
}

}  // namespace

std::string stem_of(const fs::path& source) {
  std::string name = text_of(source.filename());
  name.erase(0, name.find_first_not_of('.'));
  std::string stem = text_of(path_of(name).stem());
  return stem.empty() ? "database" : stem;
}

bool has_database_ending(const fs::path& file) {
  return std::find(kDatabaseEndings.begin(), kDatabaseEndings.end(), file.extension()) !=
         kDatabaseEndings.end();
}

std::string format_snapshot_name(const SnapshotName& name) {
  return name.stem + "-" + format_date(name.date) + std::string(kExtension);
}

std::optional<SnapshotName> parse_snapshot_name(std::string_view file_name) {
  const std::size_t tail = 1 + kDateLength + kExtension.size();
  if (file_name.size() <= tail || file_name.starts_with('.') || !file_name.ends_with(kExtension)) {
    return std::nullopt;
  }
  const std::size_t dash = file_name.size() - tail;
  const auto date = parse_date(file_name.substr(dash + 1, kDateLength));
  if (file_name[dash] != '-' || !date) return std::nullopt;
  return SnapshotName{std::string(file_name.substr(0, dash)), *date};
}

fs::path manifest_path_of(const fs::path& snapshot) {
  fs::path path = snapshot;
  path += path_of(kManifestEnding);
  return path;
}

bool is_kept_stem(std::string_view stem, const std::string& of) {
  return stem.starts_with(of) && stem.substr(of.size()).starts_with(kKeptMark);
}

std::string damaged_stem(const std::string& stem) {
  return stem + std::string(kDamagedEnding);
}

bool is_temporary_of(std::string_view file_name, const std::string& stem) {
  const auto becomes = name_of_temporary(file_name);
  if (!becomes) return false;
  const auto snapshot = parse_snapshot_name(without_manifest_ending(*becomes));
  return snapshot && (snapshot->stem == stem || is_kept_stem(snapshot->stem, stem) ||
                      snapshot->stem == damaged_stem(stem));
}

bool is_safety_copy(std::string_view file_name) {
  return file_name.find(kSafetyMark) != std::string_view::npos;
}

std::string safety_copy_name(const fs::path& target, Instant made_at, int number) {
  return text_of(target.stem()) + std::string(kSafetyMark) + compact_instant(made_at) +
         (number < 2 ? "" : "-" + std::to_string(number)) + extension_of(target);
}

bool is_safety_copy_of(std::string_view file_name, const fs::path& target) {
  return file_name.starts_with(text_of(target.stem()) + std::string(kSafetyMark)) &&
         file_name.ends_with(extension_of(target));
}

}  // namespace core
