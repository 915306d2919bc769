// The JSON file beside each snapshot: where it came from, what it holds, what was checked.
// Its shape is schemas/manifest.json.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/date.h"
#include "core/base/env.h"
#include "core/base/error.h"
#include "core/catalog/names.h"

namespace core {

enum class VerifyLevel { none, quick, full };
std::string_view to_string(VerifyLevel level);
std::optional<VerifyLevel> parse_verify_level(std::string_view text);

// The snapshot of the same name that another one took the place of.
struct ReplacedSnapshot {
  std::string sha256;
  std::uint64_t bytes = 0;
  Instant taken_at{};
};

// The tables with the fewest rows, where there are too many for a manifest.
struct OmittedTables {
  std::uint64_t tables = 0;
  std::uint64_t rows = 0;  // of all of them
};

// Publishing: the manifest is written first, with `replaces` naming the snapshot that is there
// already (if it has a digest), the database is renamed over it second. A crash between the two
// leaves the earlier snapshot beside the new manifest; its digest is then exactly replaces.sha256,
// so verify can tell it from damage, which matches neither. A manifest without its snapshot is not
// listed and does no harm.
struct Manifest {
  static constexpr int kFormatVersion = 1;

  int format_version = kFormatVersion;
  std::string source;   // absolute path with links resolved; names the database this is a copy of
  std::string host;     // a name that may change; a label only, where `machine` is known
  std::string machine;  // machine_id (machine.h) of who took it; empty: made before there were such
  std::string label;    // empty for none
  Instant taken_at{};
  std::string tool_version;
  std::string sha256;  // 64 lower-case hex digits, of the snapshot as published; empty: not taken
  std::uint64_t bytes = 0;
  std::uint32_t page_size = 0;
  std::uint32_t page_count = 0;
  std::int64_t user_version = 0;
  std::string journal_mode;                   // of the source, e.g. "wal": what a restore puts back
  std::map<std::string, std::uint64_t> rows;  // per ordinary table, by manifest_text of its name
  OmittedTables omitted;                      // those that `rows` has no room for
  bool rows_complete = true;  // false: tables that are not among `rows` could not be counted
  // Per virtual table (row_counts.h). Nothing: not counted (by an earlier version), or too many.
  // They are not among `rows`, as an earlier version would take such a name for a table that is
  // missing.
  std::optional<std::map<std::string, std::uint64_t>> virtual_rows;
  VerifyLevel verified = VerifyLevel::none;  // none: never passed a check
  std::optional<Instant> verified_at;
  // The newest full check of this snapshot or an earlier one of its series, when this was taken.
  std::optional<Instant> full_check_at;
  std::optional<ReplacedSnapshot> replaces;
  // The rules that the run which took it went by, by their names (kKeepRules, retention.h).
  std::map<std::string, std::uint64_t> keep_rules;
  // Broken references and the like that the source itself had: VerifyReport::source_findings.
  std::map<std::string, std::uint64_t> source_findings;
};

// Text as a manifest holds it: UTF-8, with every byte that does not belong to a well-formed
// character as \xNN. Compare a path with Manifest::source only after this.
std::string manifest_text(std::string_view text);
// Whether such a text of a path may tell of a byte as \xNN. None does on Windows, where names have
// no such bytes, and where what follows a backslash may well begin with an x.
bool may_tell_bytes(std::string_view path);

// The newest full check that is known of the snapshot or of an earlier one of its series.
std::optional<Instant> full_check_of(const Manifest& manifest);

// Row counts by the names that a manifest has for the tables.
std::map<std::string, std::uint64_t> manifest_rows(
    const std::map<std::string, std::uint64_t>& rows);
// Drops the rows of each table and keeps their sum, in `omitted`.
void forget_rows(Manifest& manifest);

// True when a file of this digest is the one that the manifest's snapshot was to replace.
bool is_replaced_snapshot(const Manifest& manifest, const std::string& sha256);

inline constexpr std::size_t kMaxManifestTables = 50'000;
inline constexpr std::uint64_t kMaxManifestBytes = 4ULL << 20;

// Pretty-printed, ends in a newline, keys in a fixed order. Never more than can be read again:
// beyond kMaxManifestTables, or where their names are too long, the tables with the fewest rows are
// omitted.
std::string encode_manifest(const Manifest& manifest);
// Refuses (ErrorCode::damaged) what does not fit the shape or is beyond all use, in linear time; a
// newer format_version is ErrorCode::unsupported. Unknown keys are ignored.
Expected<Manifest> decode_manifest(std::string_view text);
// not_found where the snapshot is missing, or has no manifest; the message says which.
Expected<Manifest> read_manifest(const fs::path& snapshot, const FileSystem& files);
Expected<> write_manifest(const fs::path& snapshot, const Manifest& manifest, FileSystem& files);

}  // namespace core
