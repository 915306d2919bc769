#include "core/restore/restored_copy.h"

#include <sqlite3.h>

#include <array>
#include <cstring>
#include <vector>

#include "core/base/paths.h"
#include "core/platform/sha256.h"
#include "core/platform/write_behind.h"
#include "core/sqlite/file_header.h"
#include "core/sqlite/folder_vfs.h"
#include "core/sqlite/lanes.h"
#include "core/sqlite/newer_schema.h"
#include "core/sqlite/sealed_vfs.h"
#include "core/sqlite/sqlite.h"

namespace core {
namespace {

tl::unexpected<Error> fail_cancelled() {
  return fail(ErrorCode::cancelled, "The restore was cancelled.");
}

// Without a journal: a copy that is not finished is thrown away.
Expected<> reindex(sqlite3* connection, const std::string& what) {
  sqlite3_db_config(connection, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(connection, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  return sqlite::execute(connection,
                         "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = OFF; "
                         "PRAGMA synchronous = FULL; REINDEX",
                         what);
}

// Through SQLite's own descriptor; nothing reads the file in between.
Expected<> say_wal(sqlite3* connection, const std::string& what) {
  sqlite3_file* file = sqlite::main_file(connection);
  const std::array wal{kWalVersion, kWalVersion};
  int rc = file->pMethods->xWrite(file, wal.data(), static_cast<int>(wal.size()), kWriteVersionAt);
  if (rc == SQLITE_OK) rc = file->pMethods->xSync(file, SQLITE_SYNC_FULL);
  if (rc != SQLITE_OK) return fail(sqlite::error_from(rc, nullptr, what));
  return {};
}

tl::unexpected<Error> fail_rebuild(const std::string& why, ErrorCode code) {
  return fail(code, "The indexes could not be built anew, and nothing was changed: " + why,
              "Restore without reindex, and mend the indexes with the program that owns the "
              "database.");
}

Expected<> check_rebuilt(const fs::path& file, const std::map<std::string, std::uint64_t>& rows,
                         const Env& env, ProgressSink& progress, std::stop_token stop) {
  VerifyRequest request;
  request.snapshot = file;
  request.level = VerifyLevel::full;
  BPD_TRY_AS(report, verify_snapshot(request, env, progress, std::move(stop)));
  if (report->verdict == VerifyReport::Verdict::damaged) {
    return fail_rebuild(describe_failures(*report) + ".", ErrorCode::damaged);
  }
  for (const VerifyCheck& check : report->checks) {
    if (check.name != "indexes") continue;
    return fail_rebuild(check.findings.front() + ".", ErrorCode::damaged);
  }
  if (report->rows == rows) return {};
  return fail_rebuild("The tables do not have the rows that they had.", ErrorCode::damaged);
}

}  // namespace

std::vector<std::string> check_warnings_of(const VerifyReport& report, bool reindex) {
  std::vector<std::string> warnings;
  std::string why;
  for (const VerifyCheck& check : report.checks) {
    const bool said = why.find(check.reason) != std::string::npos;
    if (check.outcome == VerifyCheck::Outcome::skipped && !said) why += " " + check.reason;
    if (check.name != "indexes" || reindex) continue;
    warnings.push_back("Indexes of this snapshot do not fit their tables (" +
                       check.findings.front() + "). " + index_advice());
  }
  if (report.verdict == VerifyReport::Verdict::inconclusive) {
    warnings.push_back("The snapshot could not be checked in full." + why);
  }
  return warnings;
}

Expected<CopiedSnapshot> copy_snapshot(const fs::path& snapshot, const fs::path& file, bool wal,
                                       const Env& env, ProgressSink& progress,
                                       std::stop_token stop) {
  BPD_TRY_AS(info, env.files.info(snapshot));
  BPD_TRY_AS(from, open_sealed(snapshot));
  WriteBehindOptions options;
  options.expected_bytes = info->bytes;
  options.digest = DigestMode::none;  // of the bytes before the header is changed: taken here
  BPD_TRY_AS(to, WriteBehind::create(file, options, stop));
  Sha256 digest;
  Expected<> written;
  const auto read = read_through(from->get(), info->bytes, [&](const void* data, std::size_t n) {
    digest.update(data, n);
    const std::uint64_t offset = (*to)->size();
    if (offset == 0 && wal && n > kReadVersionAt) {
      std::vector<unsigned char> first(n);
      std::memcpy(first.data(), data, n);
      set_versions(first.data(), kWalVersion);
      written = (*to)->write(0, first.data(), n);
    } else {
      written = (*to)->write(offset, data, n);
    }
    progress.report(offset + n, info->bytes, "copy");
    return written.has_value() && !stop.stop_requested();
  });
  if (!read) return fail(read.error());
  if (!written) return fail(written.error());
  if (stop.stop_requested()) return fail_cancelled();
  BPD_TRY((*to)->finish());
  BPD_TRY_AS(synced, (*to)->sync());
  return CopiedSnapshot{digest.finish(), *synced};
}

Expected<> rebuild_indexes(const fs::path& file, bool wal,
                           const std::map<std::string, std::uint64_t>& rows, const Env& env,
                           ProgressSink& progress, std::stop_token stop) {
  BPD_TRY_AS(folder, Folder::of(file));
  const FolderVfs vfs(std::move(*folder));  // outlives the connection
  BPD_TRY_AS(
      connection,
      sqlite::open(text_of(file), SQLITE_OPEN_READWRITE | SQLITE_OPEN_PRIVATECACHE, vfs.name()));
  sqlite3* raw = connection->get();
  const bool newer = !newer_writer(raw).empty();
  const Bound until{stop};
  end_statements_at(raw, &until);
  const auto rebuilt = reindex(raw, "REINDEX");
  if (stop.stop_requested()) return fail_cancelled();
  if (!rebuilt) {
    // Rows that are not unique, or what a newer SQLite put into the schema: no damage.
    const ErrorCode code = rebuilt.error().code;
    const bool beyond_us = code == ErrorCode::internal || (code == ErrorCode::damaged && newer);
    return fail_rebuild(rebuilt.error().message, beyond_us ? ErrorCode::unsupported : code);
  }
  if (wal) {
    BPD_TRY(say_wal(raw, "cannot write " + text_of(file)));
  }
  connection->reset();
  return check_rebuilt(file, rows, env, progress, std::move(stop));
}

}  // namespace core
