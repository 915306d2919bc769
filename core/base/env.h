// The world, as a parameter: clock, files, commands, and where this user keeps things. Nothing in
// core reads the time of day, the environment or the machine except through these.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/date.h"
#include "core/base/error.h"

namespace core {

namespace fs = std::filesystem;

// What is for its user alone.
constexpr std::uint32_t kPrivateFolder = 0700, kPrivateFile = 0600;
// More entries than a folder of ours has, or a project's: a listing ends there.
constexpr std::size_t kMaxFolderEntries = 200'000;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() const = 0;
  virtual std::chrono::steady_clock::time_point steady_now() const = 0;
  // The calendar day of an instant in the machine's time zone.
  virtual Date local_date(Instant instant) const = 0;
  // The instant at which a local wall-clock time first occurs on a day. A time that a change to
  // daylight saving skips gives the first instant after the gap.
  virtual Instant local_instant(Date date, std::chrono::seconds time_of_day) const = 0;
  // Sleeps up to `duration`; returns early, with false, when a stop is requested.
  virtual bool sleep_for(std::chrono::milliseconds duration, std::stop_token stop) const = 0;
};

// Which file a path led to, independent of its name.
struct FileId {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  bool operator==(const FileId&) const = default;
};

struct FileInfo {
  enum class Kind { file, folder, symlink, other };
  Kind kind = Kind::other;
  std::uint64_t bytes = 0;
  Instant modified{};
  Instant changed{};        // content or attributes; the clock's beginning where that is not told
  std::uint32_t mode = 0;   // permission bits
  std::uint64_t names = 1;  // hard links to it
  // Its content is not on this disk: a cloud service brings it when somebody reads it (Windows,
  // macOS).
  bool elsewhere = false;
  FileId id;
};

struct DirEntry {
  std::string name;
  FileInfo::Kind kind = FileInfo::Kind::other;  // of the entry itself: links are not followed
};

// Ordinary file operations, each whole or failed. All methods are thread-safe. Errors name the
// path. The bulk of a snapshot goes through SQLite, not through here. What a file system cannot do
// at all is no error but for link(): core/base/cannot.h says what is done instead.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // Follows symbolic links; ErrorCode::not_found when there is nothing.
  virtual Expected<FileInfo> info(const fs::path& path) const = 0;
  // The identity alone. Where the system has it in memory (Linux), this does not wait for a file
  // server that does not answer. Follows symbolic links.
  virtual Expected<FileId> cached_id(const fs::path& path) const = 0;
  // Does not follow a final symbolic link.
  virtual Expected<FileInfo> link_info(const fs::path& path) const = 0;
  // The kind alone, a final symbolic link not followed. Nothing is opened for it, not even on
  // Windows: of a file that another program may be deleting at this moment, ask this.
  virtual Expected<FileInfo::Kind> link_kind(const fs::path& path) const = 0;
  // The whole file, refused (ErrorCode::invalid_argument) above max_bytes.
  virtual Expected<std::string> read(const fs::path& path, std::uint64_t max_bytes) const = 0;
  // The first max_bytes of the file, or all of it.
  virtual Expected<std::string> read_start(const fs::path& path, std::size_t max_bytes) const = 0;
  // Entries in no particular order, without . and ..; stops with an error above max_entries.
  virtual Expected<std::vector<DirEntry>> list(const fs::path& folder,
                                               std::size_t max_entries) const = 0;
  // The path with every symbolic link resolved; it must exist.
  virtual Expected<fs::path> canonical(const fs::path& path) const = 0;
  // The largest number where the file system does not tell.
  virtual Expected<std::uint64_t> free_bytes(const fs::path& folder) const = 0;
  // What one file there can hold; the largest number where no limit is known.
  virtual std::uint64_t max_file_bytes(const fs::path& folder) const = 0;

  // Writes beside (`.~<name>.<random>.tmp`), fsyncs, renames, fsyncs the folder.
  virtual Expected<> write_atomically(const fs::path& path, std::string_view text,
                                      std::uint32_t mode) = 0;
  // Creates the folder and its missing parents with this mode, each synced into its parent; fine
  // when it is there already.
  virtual Expected<> make_folders(const fs::path& folder, std::uint32_t mode) = 0;
  virtual Expected<> rename(const fs::path& from, const fs::path& to) = 0;
  // Never over something that is there: ErrorCode::conflict.
  virtual Expected<> rename_new(const fs::path& from, const fs::path& to) = 0;
  // Gives the file a second name; conflict when that is taken, unsupported where the file system,
  // or a rule about other users' files, does not allow it.
  virtual Expected<> link(const fs::path& from, const fs::path& to) = 0;
  // Removes one file or link; ErrorCode::not_found when there is none.
  virtual Expected<> remove(const fs::path& path) = 0;
  virtual Expected<> remove_empty_folder(const fs::path& folder) = 0;
  virtual Expected<> set_mode(const fs::path& path, std::uint32_t mode) = 0;
  virtual Expected<> sync_folder(const fs::path& folder) = 0;

  // The same files, reached without links: for absolute paths whose links are resolved. A symbolic
  // link anywhere in one, be it swapped in at this very moment, is a conflict, and nothing is read
  // or changed behind it (core/platform/folder.h). canonical() gives such a path as it is. Lives as
  // long as this.
  virtual FileSystem& no_links() = 0;
};

struct Command {
  std::vector<std::string> argv;  // argv[0] is looked up in PATH unless it holds a slash
  std::string input;              // given on standard input
  std::map<std::string, std::string> extra_environment;
  std::chrono::milliseconds timeout{30'000};
  std::size_t max_output_bytes = 1 << 20;  // of each stream; the rest is read and dropped
  std::string dropped_variables{};  // it inherits none whose name begins so; empty: all of ours
  // Its standard input stays open, with nothing to read, until it is stopped or this process ends,
  // in whatever way: for a program that is to live as long. `input` is not given then.
  bool holds_input = false;
  // What it says on standard error as it comes, in the thread that runs it.
  std::function<void(std::string_view)> on_error_output{};
};

struct CommandResult {
  int exit_code = -1;  // 128 + signal number when a signal ended it
  bool timed_out = false;
  std::string output;
  std::string error_output;
};

// Runs programs without a shell. Thread-safe.
class CommandRunner {
 public:
  virtual ~CommandRunner() = default;
  // An error only when the program could not be started (not_found, permission_denied, io), what it
  // printed could not be read (io), or a stop was requested (cancelled). At its timeout and on a
  // stop, it and what it started get SIGTERM, and 500 ms later SIGKILL; on Windows they are ended
  // at once. A batch file is unsupported there but through cmd.exe, which gets the last word as is.
  virtual Expected<CommandResult> run(const Command& command, std::stop_token stop) = 0;
};

// Where this user keeps things, and who and where we are. Read once by main, a plain value in
// tests.
struct Places {
  fs::path home;
  fs::path state;    // $XDG_STATE_HOME/backup-plugin-db: history.db, locks
  fs::path config;   // $XDG_CONFIG_HOME/backup-plugin-db: job files, settings
  fs::path data;     // $XDG_DATA_HOME/backup-plugin-db: the scheduled copy of the program
  fs::path runtime;  // $XDG_RUNTIME_DIR, may be empty
  std::string host;  // this machine's name, as snapshots' folders bear it
  std::string user;
  fs::path program;  // absolute path of the running program
  fs::path current_folder;
  // Of state, config and data other programs of this user see nothing: Windows gives apps of its
  // Store, and what they start, an AppData of their own.
  bool hidden_from_others = false;
  // The few variables the program reads, e.g. CLAUDE_ORCHESTRATOR_BACKUP_ROOT, PATH.
  std::map<std::string, std::string> variables;
};

struct Env {
  Clock& clock;
  FileSystem& files;
  CommandRunner& commands;
  const Places& places;
};

// The real ones. They live as long as the program; thread-safe.
Clock& system_clock();
FileSystem& system_files();
CommandRunner& system_commands();
// Reads environment, host and user name once.
Expected<Places> system_places();

}  // namespace core
