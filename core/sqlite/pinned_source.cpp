#include "core/sqlite/pinned_source.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cassert>

#include "core/base/call.h"
#include "core/base/hex.h"
#include "core/base/paths.h"
#include "core/base/side_files.h"
#include "core/platform/mounts.h"
#include "core/platform/open_files.h"
#include "core/sqlite/newer_schema.h"
#include "core/sqlite/second_names.h"

namespace core {
namespace fs = std::filesystem;

struct BusyWait {
  const Clock& clock;
  std::chrono::steady_clock::time_point deadline;
  std::stop_token stop;
};

namespace {

constexpr std::chrono::milliseconds kBusyPause{5};
// Below this a mapping costs more than it saves.
constexpr std::uint64_t kMinMappedBytes = 256 << 10;
constexpr std::size_t kMinPageBytes = 512;
// https://www.sqlite.org/walformat.html: the header of a -wal, and both copies of the one of its
// index. What follows there changes with each reader.
constexpr std::size_t kWalHeaderBytes = 32, kIndexHeaderBytes = 2 * 48;

int wait_while_busy(void* context, int) {
  const auto& wait = *static_cast<const BusyWait*>(context);
  if (wait.clock.steady_now() >= wait.deadline) return 0;
  return wait.clock.sleep_for(kBusyPause, wait.stop) ? 1 : 0;
}

// Before SQLite opens it: only what stat(2) tells. Reading through a descriptor of our own would
// drop the locks of other connections of this process when it closes.
Expected<> check_file(const fs::path& path, const FileSystem& files) {
  const auto info = files.info(path);
  if (!info) {
    if (info.error().code != ErrorCode::not_found) return fail(info.error());
    return fail(ErrorCode::not_found, "There is no database at " + text_of(path) + ".",
                "Check the path of the source.");
  }
  if (info->kind == FileInfo::Kind::folder) {
    return fail(ErrorCode::not_a_database, text_of(path) + " is a folder, not a database.",
                "Name the database file in it.");
  }
  if (info->kind != FileInfo::Kind::file) {
    return fail(ErrorCode::not_a_database, text_of(path) + " is not a regular file.",
                "Name a database file.");
  }
  if (info->bytes == 0) {
    return fail(ErrorCode::not_a_database, text_of(path) + " is empty (0 bytes).",
                "Check the path of the source. If there was something in it, " +
                    say(Action::restore) + " brings its last snapshot back.");
  }
  return {};
}

tl::unexpected<Error> fail_damaged(const fs::path& path, const std::string& why) {
  return fail(ErrorCode::damaged, text_of(path) + " is damaged: " + why + ".",
              "Bring its newest good snapshot back with " + say(Action::restore) + " and " +
                  say_parameter("in_place") + ", after a preview with " + say_parameter("dry_run") +
                  ".");
}

// Some programs, Firefox among them, hold their databases for as long as they run.
tl::unexpected<Error> fail_busy(const fs::path& path, const Error& error, const FileSystem& files) {
  const auto openers = other_openers_of(path, files);
  if (openers.empty()) return fail(error);
  return fail(ErrorCode::busy,
              text_of(path) + " is locked; it is open in " + describe_openers(openers) + ".",
              "Try again when that has finished, or close it first: some programs keep a database "
              "locked for as long as they run.");
}

// Returns whether the file itself says WAL.
Expected<bool> check_magic(sqlite3* connection, const fs::path& path) {
  sqlite3_file* file = sqlite::main_file(connection);
  std::array<unsigned char, kFileHeaderBytes> bytes{};
  int rc = SQLITE_CANTOPEN;
  if (file != nullptr) {
    rc = file->pMethods->xRead(file, bytes.data(), static_cast<int>(bytes.size()), 0);
  }
  if (rc != SQLITE_OK && rc != SQLITE_IOERR_SHORT_READ) {
    return fail(sqlite::error_from(rc, nullptr, "cannot read " + text_of(path)));
  }
  if (rc == SQLITE_OK && has_file_magic(bytes.data())) {
    const FileHeader header = read_file_header(bytes.data());
    const std::string writer = newer_writer(header);
    if (header.read_version <= kWalVersion || writer.empty()) return header.says_wal();
    return fail(ErrorCode::unsupported,
                text_of(path) + " has a file format that this program does not know. " + writer,
                "Update backup-plugin-db.");
  }
  return fail(ErrorCode::not_a_database,
              text_of(path) + " is not an SQLite database, or it is encrypted.",
              "Check the path; an encrypted database needs its own program to copy it.");
}

}  // namespace

Expected<> refuse_odd_side_files(const fs::path& path, const FileSystem& files) {
  for (const fs::path& side : side_paths_of(path)) {
    // Its writer may be deleting it just now. While anybody has it open, Windows leaves the name
    // there, and Wine then deletes the journal of the writer's next transaction.
    const auto kind = files.link_kind(side);
    if (!kind || *kind == FileInfo::Kind::file || *kind == FileInfo::Kind::symlink) continue;
    return fail(ErrorCode::conflict,
                text_of(side) +
                    " is not a regular file, and SQLite would take it for one of the "
                    "files of " +
                    text_of(path) + ".",
                "Find out what made it, and move it away.");
  }
  return {};
}

Expected<PinnedSource> PinnedSource::open(const fs::path& path,
                                          std::chrono::milliseconds busy_timeout, const Env& env,
                                          std::stop_token stop) {
  BPD_TRY(check_file(path, env.files));
  BPD_TRY(refuse_odd_side_files(path, env.files));
  PinnedSource source;
  BusyWait wait{env.clock, env.clock.steady_now() + busy_timeout, stop};
  auto pinned = source.start(path, SourceVfs::Media::live, wait, env.files);
  if (!pinned && source.vfs_ && source.vfs_->side_files_refused()) {
    if (const auto mount = mount_of(path, env.files); mount && mount->never_written) {
      source.close();
      pinned = source.start(path, SourceVfs::Media::still, wait, env.files);
    }
  }
  if (!pinned && stop.stop_requested()) {
    return fail(ErrorCode::cancelled, "stopped while waiting for " + text_of(path));
  }
  if (!pinned && pinned.error().code == ErrorCode::damaged) {
    BPD_TRY(source.intact());
  }
  if (!pinned) return fail(pinned.error());
  if (source.may_have_second_names_) {
    BPD_TRY(source.look_for_second_names(path, env.files));
  }
  source.vfs_->start_reading_ahead();
  return source;
}

Expected<> PinnedSource::start(const fs::path& path, SourceVfs::Media media, BusyWait& wait,
                               const FileSystem& files) {
  BPD_TRY_AS(folder, Folder::of(path));
  vfs_ = std::make_unique<SourceVfs>(std::move(*folder), media);
  BPD_TRY_AS(connection, sqlite::open(text_of(path),
                                      SQLITE_OPEN_READONLY | SQLITE_OPEN_PRIVATECACHE |
                                          SQLITE_OPEN_URI,  // ATTACH's
                                      vfs_->name()));
  connection_ = std::move(*connection);
  sqlite3* raw = connection_.get();
  BPD_TRY_AS(wal, check_magic(raw, path));
  may_have_second_names_ = may_have_second_names(path, files);
  if (*wal && may_have_second_names_) {
    BPD_TRY(check_second_wal(path, files));
  }
  // Closing as the only opener must not checkpoint: the -wal's bytes are the source's, not ours.
  sqlite3_db_config(raw, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
  sqlite::stand_in_for_collations(raw);
  if (media == SourceVfs::Media::still) {
    BPD_TRY_AS(alone, sqlite::execute(raw, "PRAGMA locking_mode = EXCLUSIVE", "cannot read"));
  }
  sqlite3_busy_handler(raw, wait_while_busy, &wait);
  auto pinned = pin(path, files);
  sqlite3_busy_handler(raw, nullptr, nullptr);
  // No statement of ours has an error in it: "unsupported file format" and the like.
  if (!pinned && pinned.error().code == ErrorCode::internal &&
      sqlite3_errcode(raw) == SQLITE_ERROR) {
    return fail_damaged(path, sqlite3_errmsg(raw));
  }
  return pinned;
}

PinnedSource::~PinnedSource() {
  close();
}

namespace {

// The -wal as the connection has it open; null where it has none.
sqlite3_file* wal_file(sqlite3* connection) {
  sqlite3_file* file = nullptr;
  const int rc = sqlite3_file_control(connection, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file);
  return rc == SQLITE_OK && file != nullptr && file->pMethods != nullptr ? file : nullptr;
}

std::string hex_of(const unsigned char* bytes, std::size_t count) {
  return core::hex_of({reinterpret_cast<const char*>(bytes), count});
}

}  // namespace

bool PinnedSource::sync() {
  sqlite3_file* database = sqlite::main_file(connection_.get());
  if (database == nullptr || SourceVfs::sync(database) != SQLITE_OK) return false;
  sqlite3_file* wal = header_.says_wal() ? wal_file(connection_.get()) : nullptr;
  return wal == nullptr || SourceVfs::sync(wal) == SQLITE_OK;
}

std::string PinnedSource::witness() const {
  if (may_have_second_names_) return "";  // another -wal may lie beside another name
  std::string text = hex_of(first_page_.data(), kFileHeaderBytes);
  if (!header_.says_wal()) return text;
  sqlite3_file* wal = wal_file(connection_.get());
  const auto* index = static_cast<const volatile unsigned char*>(vfs_->wal_index());
  if (wal == nullptr || index == nullptr) return "";
  std::array<unsigned char, kWalHeaderBytes> header{};
  const int rc = wal->pMethods->xRead(wal, header.data(), static_cast<int>(header.size()), 0);
  if (rc != SQLITE_OK && rc != SQLITE_IOERR_SHORT_READ) return "";
  text += "-" + hex_of(header.data(), header.size());
  std::array<unsigned char, kIndexHeaderBytes> shared{};
  std::copy(index, index + shared.size(), shared.begin());
  return text + "-" + hex_of(shared.data(), shared.size());
}

// No more than the pinned state, which is all that the file is certain to keep: a checkpoint may
// cut off what lies behind it.
void PinnedSource::map_pages() {
  assert(connection_ != nullptr);
  if (header_.bytes() < kMinMappedBytes) return;
  (void)sqlite::execute(connection_.get(), "PRAGMA mmap_size=" + std::to_string(header_.bytes()),
                        "cannot map the database");
}

// In WAL mode also once more when all has been read: a program that came by another name would not
// have heeded our lock.
Expected<> PinnedSource::look_for_second_names(const fs::path& path, const FileSystem& files) {
  if (header_.says_wal()) {
    check_names_again_ = [path, &files] { return check_second_wal(path, files); };
    return {};
  }
  int writing = 0;
  sqlite3_file* file = sqlite::main_file(connection_.get());
  if (file != nullptr) (void)file->pMethods->xCheckReservedLock(file, &writing);
  BPD_TRY_AS(warning, check_second_journal(path, writing != 0, files));
  warning_ = std::move(*warning);
  return {};
}

Expected<> PinnedSource::intact() const {
  assert(vfs_ != nullptr);
  if (check_names_again_) {
    BPD_TRY(check_names_again_());
  }
  if (!vfs_->lost_pages()) return {};
  return fail(ErrorCode::io,
              "A page of the database could not be read: its file was cut short, or "
              "its disk fails.",
              "Check the database with PRAGMA integrity_check, and its disk.");
}

void PinnedSource::close() {
  connection_.reset();  // rolls the read transaction back
  vfs_.reset();
}

Expected<> PinnedSource::pin(const fs::path& path, const FileSystem& files) {
  sqlite3* raw = connection_.get();
  const std::string what = "cannot read " + text_of(path);
  BPD_TRY(sqlite::execute(raw, "BEGIN", what));
  vfs_->start_watching();
  // The lightest statement that takes a read transaction: page 1 is all it reads.
  auto schema_version = sqlite::query_integer(raw, "PRAGMA schema_version", what);
  if (!schema_version && schema_version.error().code == ErrorCode::damaged) {
    // Cut short: what is left can be copied.
    const WithoutSchema without(raw);
    sqlite3_db_release_memory(raw);  // or page 1 would not be read again
    vfs_->start_watching();
    auto again = sqlite::query_integer(raw, "PRAGMA schema_version", what);
    if (again) schema_version = again;
  }
  const int rc = sqlite3_extended_errcode(raw);
  if (!schema_version) {
    if (rc == SQLITE_READONLY_ROLLBACK) {
      return fail(ErrorCode::conflict,
                  text_of(path) + " has a journal left by a program that crashed while writing.",
                  "Open it once with the program that owns it (or the sqlite3 shell), which undoes "
                  "the unfinished change; then take the snapshot.");
    }
    if (rc == SQLITE_IOERR_SHMSIZE) {
      return fail(
          ErrorCode::no_space,
          text_of(path) +
              " is in WAL mode, and there is no room for the -shm file that SQLite reads it "
              "through: the disk is full, or files have a limit here (ulimit -f).",
          "Free some space on the disk of " + text_of(path.parent_path()) +
              ", or raise that limit.");
    }
    if (vfs_->side_files_refused()) {
      return fail(ErrorCode::permission_denied,
                  text_of(path) +
                      " is in WAL mode and its folder may not be written, so SQLite cannot make "
                      "the -shm and -wal files it reads through.",
                  "Run as a user who may write to " + text_of(path.parent_path()) +
                      ". If that is mounted read-only here and written elsewhere (a container's "
                      "volume), run where it is written; or copy the database and its -wal to "
                      "another folder while no program has it open, and name that copy.");
    }
    if (schema_version.error().code == ErrorCode::busy) {
      return fail_busy(path, schema_version.error(), files);
    }
    return fail(schema_version.error());
  }
  BPD_TRY(read_header(path, files));
  if (header_.schema_cookie != static_cast<std::uint32_t>(*schema_version)) {
    return fail(ErrorCode::internal, "Page 1 of " + text_of(path) + " could not be pinned.",
                "Take the snapshot again; if this repeats, report it.");
  }
  return {};
}

Expected<> PinnedSource::read_header(const fs::path& path, const FileSystem& files) {
  const std::string what = "cannot read " + text_of(path);
  // The page size needs no read; the page count is that of the pinned state, WAL included.
  BPD_TRY_AS(page_size, sqlite::query_integer(connection_.get(), "PRAGMA page_size", what));
  first_page_ = vfs_->stop_watching(static_cast<std::size_t>(*page_size));
  if (const auto file = files.info(path);
      first_page_.empty() && file && file->bytes < static_cast<std::uint64_t>(*page_size)) {
    return fail_damaged(path, "it has less than one page");
  }
  if (first_page_.size() < kMinPageBytes || !has_file_magic(first_page_.data())) {
    return fail(ErrorCode::internal, "Page 1 of " + text_of(path) + " could not be pinned.",
                "Take the snapshot again; if this repeats, report it.");
  }
  auto page_count = sqlite::query_integer(connection_.get(), "PRAGMA page_count", what);
  if (!page_count && page_count.error().code == ErrorCode::damaged) {
    // Pages are copied whatever the schema says; the checks of the copy judge that.
    const WithoutSchema without(connection_.get());
    (void)sqlite::query_integer(connection_.get(), "PRAGMA page_count", what);  // reads it in vain
    page_count = sqlite::query_integer(connection_.get(), "PRAGMA page_count", what);
  }
  if (!page_count) return fail(page_count.error());
  header_ = read_file_header(first_page_.data());
  accept_newer_schema(connection_.get(), newer_writer(header_));
  header_.page_size = static_cast<std::uint32_t>(*page_size);
  header_.page_count = static_cast<std::uint32_t>(*page_count);
  return {};
}

}  // namespace core
