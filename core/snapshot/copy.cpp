#include "core/snapshot/copy.h"

#include <sqlite3.h>

#include <algorithm>

#include "core/base/paths.h"
#include "core/sqlite/gather_vfs.h"

namespace core {
namespace {

// Small enough that a step ends well within 100 ms, large enough that steps cost nothing.
constexpr std::uint32_t kStepBytes = 4 * 1024 * 1024;
// Pages that the destination's pager keeps: they are to leave it at once, in order, for the
// buffers.
constexpr int kDestinationCachePages = 16;
// What SQLite's checksum VFS reserves in each page: https://www.sqlite.org/cksumvfs.html
constexpr unsigned kChecksumBytes = 8;

struct FinishBackup {
  void operator()(sqlite3_backup* backup) const noexcept { sqlite3_backup_finish(backup); }
};
using BackupHandle = std::unique_ptr<sqlite3_backup, FinishBackup>;

Expected<sqlite::ConnectionHandle> open_destination(const GatherVfs& vfs, const FileHeader& header,
                                                    const std::string& what) {
  BPD_TRY_AS(
      connection,
      sqlite::open("copy", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_PRIVATECACHE,
                   vfs.name()));
  BPD_TRY_AS(tuned, sqlite::execute(connection->get(),
                                    "PRAGMA page_size=" + std::to_string(header.page_size) +
                                        ";PRAGMA journal_mode=OFF;PRAGMA synchronous=OFF;"
                                        "PRAGMA locking_mode=EXCLUSIVE;PRAGMA cache_size=" +
                                        std::to_string(kDestinationCachePages),
                                    what));
  return connection;
}

Expected<> check_still_wanted(const CopyRequest& request, const Env& env,
                              const std::stop_token& stop) {
  if (stop.stop_requested()) {
    return fail(ErrorCode::cancelled, "The copy was stopped.", "Nothing was left behind.");
  }
  if (env.clock.steady_now() >= request.deadline) {
    return fail(ErrorCode::timed_out, "The copy did not end in the time it was given.",
                "Check the speed of the destination's disk, or allow more time.");
  }
  return {};
}

Expected<> step_through(sqlite3_backup* backup, const PinnedSource& source,
                        const CopyRequest& request, const Env& env, ProgressSink& progress,
                        const std::stop_token& stop) {
  const FileHeader& header = source.header();
  const int pages_per_step = static_cast<int>(std::max(1U, kStepBytes / header.page_size));
  for (;;) {
    BPD_TRY(check_still_wanted(request, env, stop));
    const int rc = sqlite3_backup_step(backup, pages_per_step);
    const auto total = static_cast<std::uint64_t>(sqlite3_backup_pagecount(backup));
    const auto remaining = static_cast<std::uint64_t>(sqlite3_backup_remaining(backup));
    if (rc == SQLITE_OK || rc == SQLITE_DONE) progress.report(total - remaining, total, "copy");
    if (rc == SQLITE_DONE) return {};
    // Nothing can be busy: the source is pinned and the destination is ours alone.
    if (rc != SQLITE_OK) return fail(sqlite::error_from(rc, nullptr, "cannot copy the database"));
  }
}

Expected<> run_backup(PinnedSource& source, const GatherVfs& vfs, const CopyRequest& request,
                      const Env& env, ProgressSink& progress, const std::stop_token& stop) {
  const std::string what = "cannot write " + text_of(request.target);
  BPD_TRY_AS(destination, open_destination(vfs, source.header(), what));
  BackupHandle backup(sqlite3_backup_init(destination->get(), "main", source.connection(), "main"));
  if (!backup) {
    return fail(
        sqlite::error_from(sqlite3_extended_errcode(destination->get()), destination->get(), what));
  }
  source.map_pages();
  auto stepped = step_through(backup.get(), source, request, env, progress, stop);
  // A failure of the file's own says more than the result code it became on its way through SQLite.
  BPD_TRY(vfs.failure());
  BPD_TRY(source.intact());
  if (!stepped) return stepped;
  if (!vfs.first_page_confirmed()) {
    return fail(ErrorCode::internal, "SQLite ended the copy without its first page.",
                "Take the snapshot again; if this repeats, report it.");
  }
  return {};
}

// Everything after the file was created.
Expected<> fill(Copy& copy, PinnedSource& source, const CopyRequest& request, const Env& env,
                ProgressSink& progress, const std::stop_token& stop) {
  const FileHeader& header = source.header();
  auto first_page = source.first_page();
  if (header.says_wal()) {
    copy.journal_mode_reset = header.reserved_bytes != kChecksumBytes;
    if (copy.journal_mode_reset) set_versions(first_page.data(), kRollbackVersion);
  }
  const GatherVfs vfs(*copy.file, std::move(first_page));
  BPD_TRY(run_backup(source, vfs, request, env, progress, stop));
  source.close();
  BPD_TRY(copy.file->finish());
  if (copy.file->size() != header.bytes()) {
    return fail(ErrorCode::internal,
                "The copy has " + std::to_string(copy.file->size()) + " bytes instead of " +
                    std::to_string(header.bytes()) + ".",
                "Take the snapshot again; if this repeats, report it.");
  }
  return {};
}

}  // namespace

Expected<Copy> copy_database(PinnedSource& source, const CopyRequest& request, const Env& env,
                             ProgressSink& progress, std::stop_token stop) {
  BPD_TRY_AS(
      file, WriteBehind::create(request.target,
                                {source.header().bytes(), request.digest, request.deadline}, stop));
  Copy copy{std::move(*file)};
  if (auto filled = fill(copy, source, request, env, progress, stop); !filled) {
    (void)env.files.remove(request.target);
    return fail(filled.error());
  }
  return copy;
}

}  // namespace core
