#include "core/verify/verify_checks.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <sstream>

#include "core/base/paths.h"
#include "core/base/side_files.h"
#include "core/platform/sha256.h"
#include "core/sqlite/newer_schema.h"
#include "core/sqlite/pinned_source.h"
#include "core/sqlite/sealed_vfs.h"
#include "core/sqlite/sqlite.h"
#include "core/sqlite/virtual_tables.h"

namespace core {
namespace {

using Outcome = VerifyCheck::Outcome;

constexpr unsigned kMaxSchemaFormat = 4;
constexpr std::chrono::milliseconds kLiveBusyTimeout{5'000};
// Broken references are counted up to here; the first ones are told.
constexpr std::uint64_t kMaxCounted = 1'000'000;
// Of SQLite's own check, which keeps those about pages in memory until it has seen all of them.
constexpr int kMaxLines = 1'000;

VerifyCheck make_check(std::string name, Outcome outcome, std::string reason = {}) {
  VerifyCheck check;
  check.name = std::move(name);
  check.outcome = outcome;
  check.reason = std::move(reason);
  return check;
}

void add_finding(VerifyCheck& check, std::string finding) {
  check.outcome = Outcome::failed;
  if (check.findings.size() < kMaxFindings) check.findings.push_back(std::move(finding));
}

// https://www.sqlite.org/pragma.html#pragma_cell_size_check
void check_cell_sizes(sqlite3* connection, bool on) {
  const char* pragma = on ? "PRAGMA cell_size_check = ON" : "PRAGMA cell_size_check = OFF";
  sqlite3_exec(connection, pragma, nullptr, nullptr, nullptr);
}

// What keeps SQLite from comparing the indexes with their tables; empty when nothing does.
std::string missing_for_full_check(sqlite3* connection) {
  // Compiling the check asks for all that it needs.
  const auto prepared = sqlite::prepare(connection, "PRAGMA integrity_check", "integrity_check");
  if (!prepared && prepared.error().code == ErrorCode::unsupported) return prepared.error().message;
  const std::string collations = sqlite::stood_in_collations(connection);
  if (collations.empty()) return "";
  return "integrity_check: this program does not have the collation " + collations + ".";
}

// https://www.sqlite.org/pragma.html#pragma_integrity_check: a NULL in a NOT NULL column, a value
// that a STRICT table or the type of its column does not allow.
bool is_of_content(std::string_view line) {
  constexpr std::array kBeginnings{
      "NULL value in ",        "NUMERIC value in ",  "TEXT value in ",
      "non-ANY value in ",     "non-BLOB value in ", "non-INT value in ",
      "non-INTEGER value in ", "non-REAL value in ", "non-TEXT value in "};
  return std::any_of(kBeginnings.begin(), kBeginnings.end(),
                     [&](const char* beginning) { return line.starts_with(beginning); });
}

// An index that does not fit its table; or a table WITHOUT ROWID, which is one, out of order.
bool is_of_index(std::string_view line) {
  return line.starts_with("wrong # of entries in index ") ||
         line.starts_with("non-unique entry in index ") ||
         line.starts_with("row not in PRIMARY KEY order for ") ||
         (line.starts_with("row ") && (line.find(" missing from index ") != line.npos ||
                                       line.find(" values differ from index ") != line.npos)) ||
         line.starts_with("rowid not at end-of-record for row ");
}

// What was found about pages comes in one row, with a heading.
void add_structure_findings(VerifyCheck& check, const std::string& row) {
  const std::size_t heading = row.starts_with("*** in database ") ? row.find('\n') : row.npos;
  if (heading == row.npos) {
    add_finding(check, row);
    return;
  }
  std::istringstream lines(row.substr(heading + 1));
  std::string line;
  while (std::getline(lines, line)) add_finding(check, line);
}

struct StructureLines {
  StructureCheck result;
  bool stopped = false;  // at the limit
};

void count_finding(CountedCheck& counted, const char* name, const std::string& text) {
  counted.check.name = name;
  ++counted.total;
  add_finding(counted.check, text);
}

// `what` names a table, or is the highest number of lines to make.
StructureLines read_structure(sqlite3* connection, const std::string& name, const std::string& what,
                              int max_lines) {
  const CountedCheck none{make_check("", Outcome::passed), 0};
  StructureLines lines{{make_check(name, Outcome::passed), none, none}};
  VerifyCheck& structure = lines.result.structure;
  int rows = 0;
  const auto done = sqlite::for_each_row(
      connection, "PRAGMA " + name + "(" + what + ")", "cannot check", [&](sqlite3_stmt* row) {
        const std::string text = sqlite::column_text(row, 0);
        lines.stopped = ++rows >= max_lines;
        // SQLite 3.44 and later look at FTS indexes here, too: check_full_text tells
        // about them.
        if (text == "ok" || text.find("inverted index for FTS") != std::string::npos) return;
        if (is_of_content(text)) {
          count_finding(lines.result.column_rules, "column_rules", text);
        } else if (is_of_index(text)) {
          count_finding(lines.result.indexes, "indexes", text);
        } else {
          add_structure_findings(structure, text);
        }
      });
  // What was found before the check ended stands, whatever ended it.
  if (done || structure.outcome == Outcome::failed) return lines;
  VerifyCheck ended = ended_by(name, done.error());
  // A malformed schema stops SQLite's check with a plain error.
  if (done.error().code == ErrorCode::internal) add_finding(ended, done.error().message);
  if (ended.outcome == Outcome::failed) ended.reason.clear();
  structure = std::move(ended);
  return lines;
}

// False where the file's content or a stop ended it.
bool check_foreign_keys_of(sqlite3* connection, const std::string& table, CountedCheck& result) {
  // Columns: table, rowid (null WITHOUT ROWID), the table referred to, number of the key.
  // https://www.sqlite.org/pragma.html#pragma_foreign_key_check
  const auto done = sqlite::for_each_row(
      connection,
      "SELECT * FROM pragma_foreign_key_check(?, 'main') LIMIT " +
          std::to_string(kMaxCounted - result.total),
      "cannot check the foreign keys of table " + table,
      [&](sqlite3_stmt* row) {
        ++result.total;
        const std::string rowid = sqlite::column_text(row, 1);
        add_finding(result.check, "Table " + sqlite::column_text(row, 0) +
                                      (rowid.empty() ? "" : ", rowid " + rowid) +
                                      ": no such row in " + sqlite::column_text(row, 2) + ".");
      },
      {table});
  if (done) return true;
  VerifyCheck ended = ended_by(result.check.name, done.error());
  // Half a count would be taken for the whole one, by those who compare it later.
  if (ended.outcome == Outcome::failed || done.error().code == ErrorCode::cancelled) {
    result = {std::move(ended), 0};
    return false;
  }
  result.check.unfinished = result.check.unfinished || ended.unfinished;
  if (result.check.outcome == Outcome::passed) result.check.outcome = Outcome::skipped;
  result.check.reason += (result.check.reason.empty() ? "" : " ") + ended.reason;
  return true;
}

StructureLines read_structure(sqlite3* connection, const std::string& name, int max_lines) {
  return read_structure(connection, name, std::to_string(max_lines), max_lines);
}

// The tables that quick_check can be asked about. One whose name SQLite would take for a number of
// lines is left out.
Expected<std::vector<std::string>> readable_tables(sqlite3* connection) {
  std::vector<std::string> names{"sqlite_schema"};  // with which goes the list of free pages
  const auto done = sqlite::for_each_row(connection,
                                         "SELECT name FROM sqlite_schema WHERE type = 'table' "
                                         "AND rootpage > 0 AND name NOT GLOB '[-+0-9]*'",
                                         "cannot list the tables", [&](sqlite3_stmt* row) {
                                           std::string name = sqlite::column_text(row, 0);
                                           if (!table_is_known(connection, name)) return;
                                           names.push_back(std::move(name));
                                         });
  if (!done) return fail(done.error());
  return names;
}

void append(CountedCheck& to, const CountedCheck& from) {
  if (from.check.name.empty()) return;
  to.check.name = from.check.name;
  to.total += from.total;
  for (const std::string& finding : from.check.findings) add_finding(to.check, finding);
}

// Table by table: a check of the whole would take the pages of those that cannot be read for lost
// ones. Skipped at best.
StructureCheck check_readable_tables(sqlite3* connection, const std::string& unread) {
  const CountedCheck none{make_check("", Outcome::passed), 0};
  StructureCheck result{make_check("quick_check", Outcome::skipped), none, none};
  const auto tables = readable_tables(connection);
  if (!tables) result.structure = ended_by("quick_check", tables.error());
  for (const std::string& table : tables.value_or(std::vector<std::string>())) {
    const StructureCheck one =
        read_structure(connection, "quick_check", sqlite::quote_identifier(table), kMaxLines)
            .result;
    for (const std::string& finding : one.structure.findings) {
      add_finding(result.structure, finding);
    }
    append(result.column_rules, one.column_rules);
  }
  if (result.structure.outcome == Outcome::skipped && result.structure.reason.empty()) {
    result.structure.reason = "Only what can be read was checked: " + unread;
  }
  return result;
}

}  // namespace

VerifyCheck ended_by(std::string name, const Error& error) {
  const bool of_content =
      error.code == ErrorCode::damaged || error.code == ErrorCode::not_a_database;
  if (!of_content) {
    VerifyCheck check = make_check(std::move(name), Outcome::skipped, error.message);
    check.unfinished = error.hint == sqlite::kOutOfProportion;
    if (check.unfinished) check.reason += " " + error.hint;
    return check;
  }
  VerifyCheck check = make_check(std::move(name), Outcome::failed);
  check.findings.push_back(error.message);
  return check;
}

VerifyCheck check_header(sqlite3* connection, std::uint64_t file_bytes, FileHeader& header,
                         bool& readable) {
  VerifyCheck check = make_check("header", Outcome::passed);
  if (file_bytes < kFileHeaderBytes) {
    add_finding(check, file_bytes == 0 ? "The file is empty."
                                       : "The file is too short for an SQLite database.");
    return check;
  }
  std::array<unsigned char, kFileHeaderBytes> bytes{};
  const auto read = read_through(connection, kFileHeaderBytes, [&](const void* data, std::size_t) {
    std::memcpy(bytes.data(), data, kFileHeaderBytes);
    return true;
  });
  if (!read) return ended_by("header", read.error());
  if (!has_file_magic(bytes.data())) {
    add_finding(check, "The file is not an SQLite database, or it is encrypted.");
    return check;
  }
  header = read_file_header(bytes.data());
  const bool page_size_valid = header.page_size >= 512 && header.page_size <= 65536 &&
                               (header.page_size & (header.page_size - 1)) == 0;
  if (!page_size_valid) {
    add_finding(check, "The page size " + std::to_string(header.page_size) + " is not possible.");
    return check;
  }
  // The count in the header is current only when the two change counters agree.
  const bool count_valid = header.count_is_current();
  if (file_bytes % header.page_size != 0 || (count_valid && file_bytes != header.bytes())) {
    add_finding(check, "The header tells " + std::to_string(header.page_count) + " pages of " +
                           std::to_string(header.page_size) + " bytes, the file has " +
                           std::to_string(file_bytes) + " bytes.");
  }
  // As SQLite itself does with a file last written by a version before 3.7.0.
  if (!count_valid) header.page_count = static_cast<std::uint32_t>(file_bytes / header.page_size);
  const std::string writer = newer_writer(header);
  const bool newer_format = header.is_newer() || header.schema_format > kMaxSchemaFormat;
  readable = !newer_format || writer.empty();
  if (!readable) {
    if (check.outcome != Outcome::passed) return check;
    check.outcome = Outcome::skipped;
    check.reason = "The file format is newer than this program knows. " + writer;
  } else if (header.is_newer()) {
    add_finding(check, "The file format is newer than this program knows.");
  } else if (header.read_version == kWalVersion && check.outcome == Outcome::passed) {
    check.reason =
        "The header says WAL: whoever opens the file creates -wal and -shm beside it, and in a "
        "folder that may not be written it needs immutable=1.";
  }
  return check;
}

std::vector<std::string> compare_header(const FileHeader& header, std::uint64_t file_bytes,
                                        const Manifest& manifest) {
  std::vector<std::string> findings;
  const auto compare = [&](const char* what, auto here, auto there) {
    if (here == there) return;
    findings.push_back(std::string(what) + " is " + std::to_string(here) + "; the manifest says " +
                       std::to_string(there) + ".");
  };
  compare("The size in bytes", file_bytes, manifest.bytes);
  compare("The page size", header.page_size, manifest.page_size);
  compare("The page count", header.page_count, manifest.page_count);
  compare("The user_version", header.user_version, manifest.user_version);
  return findings;
}

Expected<VerifyCheck> check_side_files(const fs::path& path, const FileSystem& files) {
  VerifyCheck check = make_check("side_files", Outcome::passed);
  for (const fs::path& side : {wal_of(path), journal_of(path)}) {
    const auto info = files.info(side);
    if (info && info->kind != FileInfo::Kind::file) {
      add_finding(check, text_of(side) +
                             " lies beside the snapshot and is no file: a program that "
                             "opens the snapshot may wait for it for ever. Move it "
                             "away.");
    } else if (info && info->bytes > 0) {
      add_finding(check, text_of(side) + " (" + std::to_string(info->bytes) +
                             " bytes) lies beside the snapshot: a program that opens the snapshot "
                             "replays it and sees other content. Move it away.");
    } else if (!info && info.error().code != ErrorCode::not_found) {
      return fail(info.error());
    }
  }
  return check;
}

VerifyCheck hash_file(sqlite3* connection, std::uint64_t file_bytes, std::stop_token stop,
                      std::atomic<std::uint64_t>& hashed, std::string& sha256) {
  Sha256 digest;
  const auto read = read_through(connection, file_bytes, [&](const void* data, std::size_t bytes) {
    digest.update(data, bytes);
    hashed.fetch_add(bytes, std::memory_order_relaxed);
    return !stop.stop_requested();
  });
  if (!read) return ended_by("digest", read.error());
  sha256 = digest.finish();
  return make_check("digest", Outcome::passed);
}

VerifyCheck compare_digest(const std::string& sha256, const Manifest& manifest) {
  if (sha256 == manifest.sha256) return make_check("digest", Outcome::passed);
  if (is_replaced_snapshot(manifest, sha256)) {
    return make_check("digest", Outcome::passed,
                      "This is the snapshot of " + format_instant(manifest.replaces->taken_at) +
                          ", intact: the run of " + format_instant(manifest.taken_at) +
                          " wrote its manifest and ended before it put its copy in place.");
  }
  VerifyCheck check = make_check("digest", Outcome::passed);
  add_finding(check, "The SHA-256 is " + sha256 + "; the manifest says " + manifest.sha256 + ".");
  return check;
}

StructureCheck check_structure(sqlite3* connection, VerifyLevel level) {
  if (const std::string unread = unread_schema(connection); !unread.empty()) {
    return check_readable_tables(connection, unread);
  }
  const std::string missing =
      level == VerifyLevel::full ? missing_for_full_check(connection) : std::string();
  const bool full = level == VerifyLevel::full && missing.empty();
  const std::string name = full ? "integrity_check" : "quick_check";
  if (full) {
    // The check itself looks at every cell once; this would do it again at each look into an index:
    // three times the CPU.
    check_cell_sizes(connection, false);
    keep_pages(connection, true);
  }
  StructureLines lines = read_structure(connection, name, kMaxLines);
  // It stopped at rows that break the rules of their schema; behind them there may be damage. The
  // pages are sound, so that nothing gathers in memory.
  if (lines.stopped && lines.result.structure.outcome == Outcome::passed) {
    lines = read_structure(connection, name, std::numeric_limits<int>::max());
  }
  keep_pages(connection, false);
  check_cell_sizes(connection, true);
  VerifyCheck& structure = lines.result.structure;
  if (structure.outcome == Outcome::passed && !missing.empty()) {
    structure.reason = "No index was compared with its table. " + missing;
  }
  if (!structure.reason.empty()) {
    const std::string writer = newer_writer(connection);
    structure.reason += (writer.empty() ? "" : " ") + writer;
  }
  return std::move(lines.result);
}

CountedCheck check_foreign_keys(sqlite3* connection) {
  if (misses_tables(connection)) {  // what refers to those would count as broken
    return {make_check("foreign_keys", Outcome::skipped, unread_schema(connection)), 0};
  }
  CountedCheck result{make_check("foreign_keys", Outcome::passed), 0};
  std::vector<std::string> tables;
  // https://www.sqlite.org/pragma.html#pragma_foreign_key_list
  const auto listed = sqlite::for_each_row(
      connection,
      "SELECT DISTINCT s.name FROM sqlite_schema AS s, pragma_foreign_key_list(s.name, 'main') "
      "WHERE s.type = 'table'",
      "cannot list the foreign keys",
      [&](sqlite3_stmt* row) { tables.push_back(sqlite::column_text(row, 0)); });
  if (!listed) return {ended_by("foreign_keys", listed.error()), 0};
  keep_pages(connection, true);
  // Table by table: a key that SQLite can make no sense of ends the check of its table only.
  for (const std::string& table : tables) {
    if (result.total >= kMaxCounted || !check_foreign_keys_of(connection, table, result)) break;
  }
  keep_pages(connection, false);
  const std::string collations =
      result.total > 0 ? sqlite::compared_by_stand_ins(connection) : std::string();
  if (!collations.empty()) {
    result = {make_check("foreign_keys", Outcome::skipped,
                         "Rows can be looked up by the collation " + collations +
                             " only with the program that owns the database."),
              0};
  }
  return result;
}

VerifyCheck compare_rows(const RowCounts& counts, bool complete, const Manifest& manifest) {
  VerifyCheck check = make_check("row_counts", Outcome::passed);
  const auto compare = [&](const auto& table, std::uint64_t expected, std::uint64_t here) {
    if (here == expected) return;
    add_finding(check, "Table " + table + " has " + std::to_string(here) +
                           " rows; the manifest says " + std::to_string(expected) + ".");
  };
  const auto here = manifest_rows(counts.rows);
  for (const auto& [table, expected] : manifest.rows) {
    const auto it = here.find(table);
    if (it == here.end() && !complete) continue;
    if (it == here.end()) {
      add_finding(check, "Table " + table + " is not there.");
    } else {
      compare(table, expected, it->second);
    }
  }
  const std::uint64_t known = manifest.rows.size() + manifest.omitted.tables;
  if (manifest.rows_complete && known < here.size() && check.outcome == Outcome::passed) {
    add_finding(check, "There are " + std::to_string(here.size()) + " tables; the manifest has " +
                           std::to_string(known) + ".");
  }
  if (!manifest.virtual_rows) return check;
  // Which virtual tables can be counted is a matter of SQLite's modules, not of the snapshot.
  const auto virtual_here = manifest_rows(counts.virtual_rows);
  for (const auto& [table, expected] : *manifest.virtual_rows) {
    const auto it = virtual_here.find(table);
    if (it != virtual_here.end()) compare(table, expected, it->second);
  }
  return check;
}

VerifyCheck compare_live_source(const RowCounts& counts, const fs::path& live_source,
                                const Env& env, std::stop_token stop) {
  const std::string name = "live_source";
  const auto path = env.files.canonical(live_source);
  if (!path) return make_check(name, Outcome::skipped, path.error().message);
  auto source = PinnedSource::open(*path, kLiveBusyTimeout, env, stop);
  if (!source) return make_check(name, Outcome::skipped, source.error().message);
  const auto live = count_rows(source->connection(), stop);
  if (!live) return make_check(name, Outcome::skipped, live.error().message);
  VerifyCheck check = make_check(name, Outcome::passed);
  std::map<std::string, std::pair<std::string, std::string>> both;
  for (const auto& [table, count] : counts.all()) both[table].first = std::to_string(count);
  for (const auto& [table, count] : live->all()) both[table].second = std::to_string(count);
  std::size_t differences = 0;
  for (const auto& [table, both_counts] : both) {
    const auto& [here, there] = both_counts;
    if (here == there || ++differences > kMaxFindings) continue;
    check.findings.push_back("Table " + table + ": " + (here.empty() ? "not there" : here) +
                             " in the snapshot, " + (there.empty() ? "not there" : there) +
                             " in the live database.");
  }
  check.reason = differences == 0 ? "The row counts are those of the live database."
                                  : std::to_string(differences) + " tables differ.";
  return check;
}

}  // namespace core
