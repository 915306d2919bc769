// Finds the databases worth a backup: the orchestrator's own, those of the projects Claude knows,
// and what the user points at.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/env.h"

namespace core {

// program: of one of known_programs.h.
enum class DatabaseKind { global, legacy_global, project, program, other };
// "global", "legacy global", "project", "program", "other"
std::string_view to_string(DatabaseKind kind);

struct FoundDatabase {
  fs::path path;  // links resolved
  DatabaseKind kind = DatabaseKind::other;
  std::string program{};              // whose it is, by known_programs.h; else empty
  std::uint64_t bytes = 0;            // with its -wal
  bool ignored = false;               // nobody wants it backed up (ignored.h)
  Instant last_write{};               // of the file or its -wal, whichever is later
  std::string journal_mode;           // "wal" or "delete"; empty when it could not be read
  std::optional<std::uint64_t> rows;  // of all tables; absent when unreadable or too large
  bool elsewhere = false;             // only a cloud service holds its content: it is not read
  std::vector<std::string> warnings;  // why it could not be read; a cloud folder; a WSL 9p mount
};

struct DiscoverRequest {
  bool global = true;     // look for the orchestrator's global databases
  bool known = true;      // look at the projects that Claude's records name, and below ~/.claude
  bool programs = false;  // look where known programs keep theirs (known_programs.h)
  std::vector<fs::path> folders{};  // searched below, for project databases and the patterns
  std::vector<std::string>
      patterns{};             // file names with * and ?, looked for there and in ~/.claude
  bool read_contents = true;  // false: no database is opened; journal_mode and rows stay out
  // Reads as little of Claude's records as can name each project: for the start of a session. A
  // project is missed when only the records of another one, of nearly the same path, name it.
  bool skim = false;
  std::chrono::milliseconds timeout{10'000};  // of the whole search
};
inline constexpr int kMaxSearchDepth = 8;
inline constexpr std::size_t kMaxSearchEntries = 200'000;
inline constexpr std::size_t kMaxFoundDatabases = 1'000;
inline constexpr std::uint64_t kMaxCountedBytes = 256ULL << 20;

struct Discovery {
  std::vector<FoundDatabase> databases;  // by kind, then path; each file once
  std::size_t projects = 0;              // of Claude's records, that were looked at
  bool complete = true;                  // false: a bound or the timeout was reached
  std::vector<std::string> warnings;     // unreadable folders, loops of links, what was left out
};

// Looks at:
//   ~/.claude/orchestrator/global.db and ~/.orchestrator/global.db;
//   <project>/.orchestrator/project.db, <project> and the folders above it being what Claude's own
//     records name: the "projects" of ~/.claude.json and the "cwd" of ~/.claude/projects/*/*.jsonl;
//   below request.folders: .orchestrator/project.db, what known programs keep in projects, and the
//     patterns; of projects that Claude's records name the same, with request.programs;
//   below ~/.claude: the patterns.
// ($CLAUDE_CONFIG_DIR takes the place of ~/.claude; a global database is looked for in both.)
// Snapshots and safety copies (by their manifests) and side files are passed over, and so are this
// program's own files and, below folders, copies that were restored under another name. Opens
// databases as a snapshot does: nothing is left beside them, nothing changed. A file that is no
// database is no find. Only an invalid pattern or folder argument is an Error, and a stop request
// (cancelled).
Expected<Discovery> discover_databases(const DiscoverRequest& request, const Env& env,
                                       std::stop_token stop);

}  // namespace core
