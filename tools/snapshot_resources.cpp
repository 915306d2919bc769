#include "tools/snapshot_resources.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "core/base/paths.h"
#include "core/base/percent.h"
#include "core/catalog/catalog.h"
#include "core/catalog/destinations.h"
#include "core/catalog/history.h"
#include "core/catalog/manifest.h"
#include "core/catalog/names.h"
#include "server/base/printable.h"
#include "tools/encode.h"

namespace tools {

namespace fs = core::fs;
using core::Snapshot;
using server::Json;
using server::RpcError;
using server::string_member;

namespace {

constexpr std::string_view kScheme = "backup://";
constexpr std::string_view kTemplatePrefix = "backup://snapshots/";
constexpr std::size_t kPageSize = 100;
// Snapshots looked at for completion, per destination: the newest ones are what people mean.
constexpr std::size_t kCompletionSnapshots = 2000;

// A path as it stands in a URI, and back: /C:/a/b.db for C:\a\b.db.
#ifdef _WIN32
std::string uri_path(std::string path) {
  std::replace(path.begin(), path.end(), '\\', '/');
  return path.starts_with('/') ? path : "/" + path;
}
std::string system_path(const std::string& path) {
  const bool has_drive = path.size() > 2 && path[2] == ':';
  return core::text_of(core::path_of(has_drive ? path.substr(1) : path));
}
#else
std::string uri_path(std::string path) {
  return path;
}
std::string system_path(std::string path) {
  return path;
}
#endif

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const auto at = text.find(separator);
    parts.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

class SnapshotResources final : public server::ResourceProvider {
 public:
  explicit SnapshotResources(const Setting& setting) : setting_(setting) {}

  tl::expected<server::ResourcePage, RpcError> list(
      const std::optional<std::string>& cursor) override {
    // A cursor is "<destination>:<cursor of list_snapshots>".
    const auto destinations = allowed_destinations(setting_);
    std::size_t at = 0;
    std::string inner;
    if (cursor) {
      const auto colon = cursor->find(':');
      const auto parsed = std::from_chars(cursor->data(), cursor->data() + cursor->size(), at);
      if (colon == std::string::npos || parsed.ec != std::errc{} ||
          parsed.ptr != cursor->data() + colon) {
        return bad_cursor();
      }
      inner = cursor->substr(colon + 1);
    }
    server::ResourcePage page;
    if (at >= destinations.size()) return cursor ? bad_cursor() : decltype(bad_cursor())(page);
    const core::Bounds bounds(setting_.env, {destinations[at]});
    auto found = core::list_snapshots(destinations[at], {}, kPageSize, inner, bounds.env().files);
    if (!found) {
      if (found.error().code == core::ErrorCode::invalid_argument) return bad_cursor();
      return tl::unexpected(
          RpcError{server::rpc_code::kInternalError, server::error_text(found.error())});
    }
    for (const auto& snapshot : found->snapshots) page.resources.push_back(describe(snapshot));
    if (!found->next_cursor.empty()) {
      page.next_cursor = std::to_string(at) + ":" + found->next_cursor;
    } else if (at + 1 < destinations.size()) {
      page.next_cursor = std::to_string(at + 1) + ":";
    }
    return page;
  }

  Json templates() override {
    return Json::array(
        {{{"uriTemplate", "backup://snapshots/{label}/{stem}/{date}"},
          {"name", "snapshot"},
          {"title", "A snapshot by label, stem and day"},
          {"description", "What a snapshot holds and whether it was verified. Label - for none."},
          {"mimeType", "application/json"}}});
  }

  server::ReadOutcome read(const std::string& uri, server::CallContext&) override {
    if (uri.starts_with(kTemplatePrefix)) return read_by_name(uri);
    const auto path = path_of_uri(uri);
    const auto known = path ? known_path(*path) : std::nullopt;
    if (!known) return server::UnknownResource{};
    // By the way that was looked at, and without a link that comes up on it meanwhile.
    const core::Bounds bounds(setting_.env, {known->parent_path()});
    if (core::text_of(*known).ends_with(core::kManifestEnding)) {
      return read_manifest_text(uri, *known, bounds.env().files);
    }
    return read_snapshot(uri, *known, bounds.env().files);
  }

  bool can_subscribe(const std::string& uri) override { return uri.starts_with(kScheme); }

  // Every process of ours records its runs in the history: the schedule's, the command line's.
  std::function<std::vector<std::string>()> watch() override {
    return [setting = setting_, last = newest_run(setting_)]() mutable {
      std::vector<std::string> changed;
      core::RunFilter later;
      later.after = last;
      const auto runs = core::list_runs(later, setting.world);
      if (!runs || runs->empty()) return changed;
      last = runs->front().id;
      for (const auto& run : *runs) {
        if (run.kind != core::kSnapshotRun || !run.ok || !setting.allows(run.snapshot)) continue;
        const auto uris = uris_of_snapshot(run.snapshot, setting);
        changed.insert(changed.end(), uris.begin(), uris.end());
      }
      return changed;
    };
  }

  static std::vector<fs::path> allowed_destinations(const Setting& setting) {
    auto folders = core::known_destinations(setting.world);
    std::erase_if(folders, [&](const fs::path& folder) { return !setting.allows(folder); });
    return folders;
  }

 private:
  static std::int64_t newest_run(const Setting& setting) {
    core::RunFilter newest;
    newest.limit = 1;
    const auto runs = core::list_runs(newest, setting.world);
    return runs && !runs->empty() ? runs->front().id : 0;
  }

  static tl::expected<server::ResourcePage, RpcError> bad_cursor() {
    return tl::unexpected(RpcError{server::rpc_code::kInvalidParams,
                                   "This cursor is none of ours; list again without one."});
  }

  Json describe(const Snapshot& snapshot) const {
    return {{"uri", snapshot_uri(core::text_of(snapshot.path))},
            {"name", core::text_of(snapshot.path.filename())},
            {"title", "Snapshot of " + (snapshot.label.empty() ? "" : snapshot.label + "/") +
                          snapshot.stem + ", " + core::format_snapshot_day(snapshot.day())},
            {"mimeType", "application/json"}};
  }

  // Known snapshots only: a resource must not become a way to read any file of the user.
  // Such a path with its links resolved.
  std::optional<fs::path> known_path(const fs::path& path) const {
    const auto real = setting_.env.files.canonical(path);
    if (!real) return std::nullopt;
    const auto name = core::text_of(real->filename());
    if (!core::parse_snapshot_name(core::without_manifest_ending(name))) return std::nullopt;
    for (const fs::path& folder : allowed_destinations(setting_)) {
      if (core::is_inside(*real, folder)) return *real;
    }
    return std::nullopt;
  }

  static server::ReadOutcome text_contents(const std::string& uri, std::string text) {
    return server::ResourceContents{
        Json::array({{{"uri", uri}, {"mimeType", "application/json"}, {"text", std::move(text)}}})};
  }

  server::ReadOutcome read_manifest_text(const std::string& uri, const fs::path& path,
                                         const core::FileSystem& files) const {
    auto text = files.read(path, core::kMaxManifestBytes);
    if (!text) return server::UnknownResource{};
    return text_contents(uri, std::move(*text));
  }

  server::ReadOutcome read_snapshot(const std::string& uri, const fs::path& path,
                                    const core::FileSystem& files) const {
    const auto name = core::parse_snapshot_name(core::text_of(path.filename()));
    const auto info = files.info(path);
    if (!name || !info) return server::UnknownResource{};
    Snapshot snapshot = core::snapshot_of_file(path, *name, *info);
    auto manifest = core::read_manifest(path, files);
    if (manifest) {
      snapshot.host = manifest->host;
      snapshot.label = manifest->label;
      snapshot.manifest = std::move(*manifest);
    } else if (manifest.error().code != core::ErrorCode::not_found) {
      snapshot.manifest_problem = manifest.error().message;
    }
    return contents_of(uri, snapshot);
  }

  server::ReadOutcome contents_of(const std::string& uri, const Snapshot& snapshot) const {
    Json described = encode_snapshot(snapshot, setting_.env.clock.now());
    if (snapshot.manifest) {
      described["manifest"] = core::json_of(core::encode_manifest(*snapshot.manifest));
    }
    return text_contents(uri, core::lenient_json_text(described, 2));
  }

  server::ReadOutcome read_by_name(const std::string& uri) const {
    const auto parts = split(std::string_view(uri).substr(kTemplatePrefix.size()), '/');
    if (parts.size() != 3) return server::UnknownResource{};
    const auto label = core::percent_decoded(parts[0]);
    const auto stem = core::percent_decoded(parts[1]);
    const auto day = core::parse_snapshot_day(parts[2]);
    if (!label || !stem || !day) return server::UnknownResource{};
    core::ListFilter filter;
    filter.label = *label == kNoLabel ? "" : *label;
    filter.stem = *stem;
    filter.from = filter.to = day->date;
    filter.time = day->time;  // without one: the last of that day
    for (const auto& folder : allowed_destinations(setting_)) {
      const core::Bounds bounds(setting_.env, {folder});
      const auto& files = bounds.env().files;
      const auto page = core::list_snapshots(folder, filter, 1, "", files);
      if (page && !page->snapshots.empty()) {
        return read_snapshot(uri, page->snapshots.front().path, files);
      }
    }
    return server::UnknownResource{};
  }

  const Setting setting_;
};

// The part of a snapshot that an argument names, or nothing for arguments of other kinds.
std::optional<std::string> part_of(const Snapshot& snapshot, std::string_view argument) {
  if (argument == "label") return snapshot.label.empty() ? std::string(kNoLabel) : snapshot.label;
  if (argument == "stem") return snapshot.stem;
  if (argument == "date") return core::format_snapshot_day(snapshot.day());
  if (argument == "source" && snapshot.manifest) return snapshot.manifest->source;
  return std::nullopt;
}

bool fits(const Snapshot& snapshot, const Json& settled) {
  return std::all_of(settled.items().begin(), settled.items().end(), [&](const auto& item) {
    const auto part = part_of(snapshot, item.key());
    return !part || !item.value().is_string() || *part == item.value().template get<std::string>();
  });
}

}  // namespace

std::string snapshot_uri(std::string_view path) {
  return std::string(kScheme) + core::percent_encoded(uri_path(std::string(path)));
}

std::vector<std::string> uris_of_snapshot(const std::string& path, const Setting& setting) {
  std::vector<std::string> uris = {snapshot_uri(path),
                                   snapshot_uri(path + std::string(core::kManifestEnding))};
  const auto name = core::parse_snapshot_name(core::text_of(core::path_of(path).filename()));
  const auto manifest = core::read_manifest(path, setting.env.files);
  if (name && manifest) {
    const std::string label = manifest->label.empty() ? std::string(kNoLabel) : manifest->label;
    const std::string of_stem = std::string(kTemplatePrefix) + core::percent_encoded(label) + "/" +
                                core::percent_encoded(name->stem) + "/";
    uris.push_back(of_stem + core::format_date(name->date));
    if (name->time) uris.push_back(of_stem + core::format_snapshot_day(name->day()));
  }
  return uris;
}

std::vector<std::string> uris_of_removed(const Json& entries) {
  std::vector<std::string> uris;
  for (const Json& entry : entries) {
    const auto& path = string_member(entry, "path");
    uris.push_back(snapshot_uri(path));
    uris.push_back(snapshot_uri(path + std::string(core::kManifestEnding)));
  }
  return uris;
}

std::vector<std::string> uris_of_run(const std::string& path, const Json& removed,
                                     const Setting& setting) {
  auto uris = uris_of_snapshot(path, setting);
  const auto gone = uris_of_removed(removed);
  uris.insert(uris.end(), gone.begin(), gone.end());
  return uris;
}

std::optional<std::string> path_of_uri(std::string_view uri) {
  if (!uri.starts_with(kScheme)) return std::nullopt;
  auto path = core::percent_decoded(uri.substr(kScheme.size()));
  if (!path || !path->starts_with('/') || path->find('\0') != std::string::npos) {
    return std::nullopt;
  }
  return system_path(std::move(*path));
}

std::shared_ptr<server::ResourceProvider> snapshot_resources(const Setting& setting) {
  return std::make_shared<SnapshotResources>(setting);
}

server::Completer snapshot_completer(const Setting& setting) {
  return [setting](const server::CompletionRequest& request) {
    std::vector<std::string> values;
    std::set<std::string> seen;
    for (const auto& folder : SnapshotResources::allowed_destinations(setting)) {
      const auto page =
          core::list_snapshots(folder, {}, kCompletionSnapshots, "", setting.env.files);
      if (!page) continue;
      for (const auto& snapshot : page->snapshots) {
        const auto part = part_of(snapshot, request.argument);
        if (part && part->starts_with(request.value) && fits(snapshot, request.context) &&
            seen.insert(*part).second) {
          values.push_back(*part);
        }
      }
    }
    return values;
  };
}

}  // namespace tools
