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
constexpr std::size_t kTimeLength = 4;  // HHMM
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

std::string format_snapshot_day(const SnapshotDay& day) {
  const std::string text = format_date(day.date);
  if (!day.time) return text;
  const std::string time = format_time_of_day(*day.time);
  return text + "T" + time.substr(0, 2) + time.substr(3);
}

std::optional<SnapshotDay> parse_snapshot_day(std::string_view text) {
  const auto date = parse_date(text.substr(0, kDateLength));
  if (!date) return std::nullopt;
  if (text.size() == kDateLength) return SnapshotDay{*date};
  const std::string digits(text.substr(kDateLength + 1));
  if (text[kDateLength] != 'T' || digits.size() != kTimeLength) return std::nullopt;
  const auto time = parse_time_of_day(digits.substr(0, 2) + ":" + digits.substr(2));
  if (!time) return std::nullopt;
  return SnapshotDay{*date, time};
}

std::string format_snapshot_name(const SnapshotName& name) {
  return name.stem + "-" + format_snapshot_day(name.day()) + std::string(kExtension);
}

std::optional<SnapshotName> parse_snapshot_name(std::string_view file_name) {
  if (file_name.starts_with('.') || !file_name.ends_with(kExtension)) return std::nullopt;
  file_name.remove_suffix(kExtension.size());
  for (const std::size_t length : {kDateLength, kDateLength + 1 + kTimeLength}) {
    if (file_name.size() <= 1 + length) continue;
    const std::size_t dash = file_name.size() - length - 1;
    const auto day = parse_snapshot_day(file_name.substr(dash + 1));
    if (file_name[dash] != '-' || !day) continue;
    return SnapshotName{std::string(file_name.substr(0, dash)), day->date, day->time};
  }
  return std::nullopt;
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
