#include "core/catalog/manifest.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <vector>

#include "core/base/json.h"
#include "core/base/json_limits.h"
#include "core/base/paths.h"
#include "core/base/utf8.h"
#include "core/catalog/names.h"

namespace core {
namespace {

// What a planted one may cost at most: some 30 MiB for a moment. Manifests of ours hold half.
constexpr JsonLimits kLimits{8, 100'000, 100'000};
// Of the rows; what else is in a manifest is names of paths.
constexpr std::size_t kMaxRowsBytes = 3 << 20;
constexpr std::size_t kMaxVirtualTables = 1'000;
constexpr std::size_t kMaxVirtualBytes = 256 << 10;
constexpr std::uint32_t kMinPageSize = 512, kMaxPageSize = 65536;

bool is_sha256(const std::string& text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

// Reads members of one JSON object, remembering the first that does not fit.
class Reader {
 public:
  explicit Reader(const SortedJson& object) : object_(object) {}

  const std::string& problem() const { return problem_; }
  bool has(const char* key) const { return object_.contains(key); }

  std::string text(const char* key) {
    const SortedJson* value = find(key, SortedJson::value_t::string);
    return value != nullptr ? value->get<std::string>() : std::string();
  }

  template <class Integer>
  Integer number(const char* key) {
    const auto it = object_.find(key);
    if (it == object_.end() || !it->is_number_integer()) {
      note(key);
      return 0;
    }
    const bool fits = it->is_number_unsigned() ? std::in_range<Integer>(it->get<std::uint64_t>())
                                               : std::in_range<Integer>(it->get<std::int64_t>());
    if (!fits) note(key);
    return fits ? it->get<Integer>() : 0;
  }

  bool flag(const char* key) {
    const SortedJson* value = find(key, SortedJson::value_t::boolean);
    return value != nullptr && value->get<bool>();
  }

  Instant instant(const char* key) {
    const auto parsed = parse_instant(text(key));
    if (!parsed) note(key);
    return parsed.value_or(Instant{});
  }

  std::string digest(const char* key) {
    std::string value = text(key);
    if (!is_sha256(value)) note(key);
    return value;
  }

  std::map<std::string, std::uint64_t> counts(const char* key) {
    std::map<std::string, std::uint64_t> result;
    const SortedJson* value = find(key, SortedJson::value_t::object);
    if (value == nullptr) return result;
    for (const auto& [name, count] : value->items()) {
      if (!count.is_number_unsigned()) note(key);
      result[name] = count.is_number_unsigned() ? count.get<std::uint64_t>() : 0;
    }
    return result;
  }

  const SortedJson* object(const char* key) { return find(key, SortedJson::value_t::object); }

  void note(const char* key) {
    if (problem_.empty()) problem_ = key;
  }

 private:
  const SortedJson* find(const char* key, SortedJson::value_t type) {
    const auto it = object_.find(key);
    if (it != object_.end() && it->type() == type) return &*it;
    note(key);
    return nullptr;
  }

  const SortedJson& object_;
  std::string problem_;
};

// How many bytes a table's line takes in the text, or a little less.
std::size_t line_bytes(const std::string& name) {
  constexpr std::size_t kFrame = 32;
  std::size_t bytes = kFrame + name.size();
  for (const char c : name) {
    if (static_cast<unsigned char>(c) < 0x20) bytes += 5;
    if (c == '"' || c == '\\') ++bytes;
  }
  return bytes;
}

// Moves the tables with the fewest rows to `omitted` until the rest fits.
void fit(std::map<std::string, std::uint64_t>& rows, OmittedTables& omitted) {
  std::size_t bytes = 0;
  for (const auto& [name, count] : rows) bytes += line_bytes(name);
  if (rows.size() <= kMaxManifestTables && bytes <= kMaxRowsBytes) return;
  using Entry = std::map<std::string, std::uint64_t>::iterator;
  std::vector<Entry> fewest_first;
  for (auto it = rows.begin(); it != rows.end(); ++it) fewest_first.push_back(it);
  std::stable_sort(fewest_first.begin(), fewest_first.end(),
                   [](Entry a, Entry b) { return a->second < b->second; });
  for (const Entry entry : fewest_first) {
    if (rows.size() <= kMaxManifestTables && bytes <= kMaxRowsBytes) return;
    bytes -= line_bytes(entry->first);
    ++omitted.tables;
    omitted.rows += entry->second;
    rows.erase(entry);
  }
}

// All or none: one that is left out of `virtual_rows` would count as not there.
bool has_room(const std::map<std::string, std::uint64_t>& virtual_rows) {
  std::size_t bytes = 0;
  for (const auto& [name, count] : virtual_rows) bytes += line_bytes(name);
  return virtual_rows.size() <= kMaxVirtualTables && bytes <= kMaxVirtualBytes;
}

tl::unexpected<Error> fail_shape(const std::string& detail) {
  return fail(ErrorCode::damaged, "The manifest is not one of ours: " + detail + ".",
              "If something still copies or syncs the folder, wait until it is complete. The "
              "database beside it may be sound without it.");
}

// Also as another system spells it. A relative one would name whatever lies below the folder that
// somebody happens to be in.
bool is_absolute(const std::string& path) {
  if (path.starts_with('/')) return true;
  const char drive = path.empty() ? '\0' : path[0];
  const bool letter = (drive >= 'A' && drive <= 'Z') || (drive >= 'a' && drive <= 'z');
  return letter && path.size() > 2 && path[1] == ':' && (path[2] == '\\' || path[2] == '/');
}

bool is_page_size(std::uint32_t size) {
  return size >= kMinPageSize && size <= kMaxPageSize && (size & (size - 1)) == 0;
}

}  // namespace

std::string_view to_string(VerifyLevel level) {
  switch (level) {
    case VerifyLevel::none:
      return "none";
    case VerifyLevel::quick:
      return "quick";
    case VerifyLevel::full:
      return "full";
  }
  return "none";
}

std::optional<VerifyLevel> parse_verify_level(std::string_view text) {
  for (const VerifyLevel level : {VerifyLevel::none, VerifyLevel::quick, VerifyLevel::full}) {
    if (text == to_string(level)) return level;
  }
  return std::nullopt;
}

std::string manifest_text(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = first_character(text).bytes;
    if (length > 0) {
      result += text.substr(0, length);
    } else {
      std::array<char, 8> escaped{};
      std::snprintf(escaped.data(), escaped.size(), "\\x%02x", static_cast<unsigned char>(text[0]));
      result += escaped.data();
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return result;
}

bool may_tell_bytes(std::string_view path) {
#ifdef _WIN32
  (void)path;
  return false;
#else
  return path.find("\\x") != std::string_view::npos;
#endif
}

std::map<std::string, std::uint64_t> manifest_rows(
    const std::map<std::string, std::uint64_t>& rows) {
  std::map<std::string, std::uint64_t> result;
  for (const auto& [table, count] : rows) result[manifest_text(table)] += count;
  return result;
}

std::optional<Instant> full_check_of(const Manifest& manifest) {
  const bool itself = manifest.verified == VerifyLevel::full && manifest.verified_at;
  if (!itself) return manifest.full_check_at;
  return std::max(*manifest.verified_at, manifest.full_check_at.value_or(*manifest.verified_at));
}

void forget_rows(Manifest& manifest) {
  manifest.omitted.tables += manifest.rows.size();
  for (const auto& [table, count] : manifest.rows) manifest.omitted.rows += count;
  manifest.rows.clear();
  if (!manifest.virtual_rows) return;
  manifest.omitted.tables += manifest.virtual_rows->size();
  for (const auto& [table, count] : *manifest.virtual_rows) manifest.omitted.rows += count;
  manifest.virtual_rows.reset();
}

bool is_replaced_snapshot(const Manifest& manifest, const std::string& sha256) {
  return manifest.replaces && sha256 != manifest.sha256 && sha256 == manifest.replaces->sha256;
}

std::string encode_manifest(const Manifest& manifest) {
  Json json;
  json["format_version"] = manifest.format_version;
  json["source"] = manifest_text(manifest.source);
  json["host"] = manifest_text(manifest.host);
  if (!manifest.machine.empty()) json["machine"] = manifest_text(manifest.machine);
  json["label"] = manifest_text(manifest.label);
  json["taken_at"] = format_instant(manifest.taken_at);
  json["tool_version"] = manifest.tool_version;
  if (!manifest.sha256.empty()) json["sha256"] = manifest.sha256;
  json["bytes"] = manifest.bytes;
  json["page_size"] = manifest.page_size;
  json["page_count"] = manifest.page_count;
  json["user_version"] = manifest.user_version;
  json["journal_mode"] = manifest.journal_mode;
  auto rows = manifest_rows(manifest.rows);
  OmittedTables omitted = manifest.omitted;
  fit(rows, omitted);
  json["rows"] = std::move(rows);
  if (omitted.tables > 0) {
    json["rows_omitted"] = {{"tables", omitted.tables}, {"rows", omitted.rows}};
  }
  if (!manifest.rows_complete) json["rows_complete"] = false;
  if (manifest.virtual_rows) {
    auto virtual_rows = manifest_rows(*manifest.virtual_rows);
    if (has_room(virtual_rows)) json["virtual_rows"] = std::move(virtual_rows);
  }
  json["verified"] = to_string(manifest.verified);
  if (manifest.verified_at) json["verified_at"] = format_instant(*manifest.verified_at);
  if (manifest.full_check_at) json["full_check_at"] = format_instant(*manifest.full_check_at);
  if (manifest.replaces) {
    json["replaces"] = {{"sha256", manifest.replaces->sha256},
                        {"bytes", manifest.replaces->bytes},
                        {"taken_at", format_instant(manifest.replaces->taken_at)}};
  }
  if (!manifest.keep_rules.empty()) json["keep_rules"] = manifest.keep_rules;
  if (!manifest.source_findings.empty()) json["source_findings"] = manifest.source_findings;
  return json_file_text(json);
}

Expected<Manifest> decode_manifest(std::string_view text) {
  if (const std::string why = beyond_limits(text, kLimits); !why.empty()) return fail_shape(why);
  const SortedJson json = read_sorted_json(text);
  if (!json.is_object()) return fail_shape("it is not a JSON object");
  Reader reader(json);
  Manifest manifest;
  manifest.format_version = reader.number<int>("format_version");
  if (reader.problem().empty() && manifest.format_version > Manifest::kFormatVersion) {
    return fail(ErrorCode::unsupported,
                "The manifest is of a newer backup-plugin-db: format " +
                    std::to_string(manifest.format_version) + ", and this one reads up to " +
                    std::to_string(Manifest::kFormatVersion) + ".",
                "Update backup-plugin-db.");
  }
  manifest.source = reader.text("source");
  if (!is_absolute(manifest.source)) reader.note("source");
  manifest.host = reader.text("host");
  if (reader.has("machine")) manifest.machine = reader.text("machine");
  manifest.label = reader.text("label");
  manifest.taken_at = reader.instant("taken_at");
  manifest.tool_version = reader.text("tool_version");
  if (reader.has("sha256")) manifest.sha256 = reader.digest("sha256");
  manifest.bytes = reader.number<std::uint64_t>("bytes");
  manifest.page_size = reader.number<std::uint32_t>("page_size");
  manifest.page_count = reader.number<std::uint32_t>("page_count");
  manifest.user_version = reader.number<std::int64_t>("user_version");
  manifest.journal_mode = reader.text("journal_mode");
  manifest.rows = reader.counts("rows");
  if (reader.has("rows_omitted")) {
    if (const SortedJson* omitted = reader.object("rows_omitted"); omitted != nullptr) {
      Reader inner(*omitted);
      manifest.omitted = {inner.number<std::uint64_t>("tables"),
                          inner.number<std::uint64_t>("rows")};
      if (!inner.problem().empty()) reader.note("rows_omitted");
    }
  }
  if (reader.has("rows_complete")) manifest.rows_complete = reader.flag("rows_complete");
  if (reader.has("virtual_rows")) manifest.virtual_rows = reader.counts("virtual_rows");
  const std::string level = reader.text("verified");
  const auto verified = parse_verify_level(level);
  if (reader.problem().empty() && !level.empty() && !verified) {
    return fail(ErrorCode::unsupported,
                "The manifest tells of a check \"" + level + "\" that this program does not know.",
                "Update backup-plugin-db.");
  }
  manifest.verified = verified.value_or(VerifyLevel::none);
  if (reader.has("verified_at")) manifest.verified_at = reader.instant("verified_at");
  if (reader.has("full_check_at")) manifest.full_check_at = reader.instant("full_check_at");
  if (reader.has("replaces")) {
    if (const SortedJson* replaced = reader.object("replaces"); replaced != nullptr) {
      Reader inner(*replaced);
      manifest.replaces = {inner.digest("sha256"), inner.number<std::uint64_t>("bytes"),
                           inner.instant("taken_at")};
      if (!inner.problem().empty()) reader.note("replaces");
    }
  }
  if (reader.has("keep_rules")) manifest.keep_rules = reader.counts("keep_rules");
  if (reader.has("source_findings")) manifest.source_findings = reader.counts("source_findings");
  if (!verified) reader.note("verified");
  if (!is_page_size(manifest.page_size)) reader.note("page_size");
  if (manifest.format_version < 1) reader.note("format_version");
  if (!reader.problem().empty()) {
    return fail_shape("\"" + reader.problem() + "\" is missing or has a wrong value");
  }
  return manifest;
}

namespace {

// Of a manifest that cannot be read: names what the caller named, where that is what is missing.
Error about_snapshot(Error error, const fs::path& snapshot, const FileSystem& files) {
  if (error.code != ErrorCode::not_found) return error;
  const auto there = files.info(snapshot);
  if (!there && there.error().code == ErrorCode::not_found) return there.error();
  return Error{ErrorCode::not_found, "There is no manifest beside " + text_of(snapshot) + ".",
               "Verify the snapshot: what needs no manifest is checked all the same."};
}

}  // namespace

Expected<Manifest> read_manifest(const fs::path& snapshot, const FileSystem& files) {
  const fs::path path = manifest_path_of(snapshot);
  const auto text = files.read(path, kMaxManifestBytes);
  if (!text) return fail(about_snapshot(text.error(), snapshot, files));
  auto manifest = decode_manifest(*text);
  if (!manifest) {
    Error error = manifest.error();
    error.message = text_of(path) + ": " + error.message;
    return fail(std::move(error));
  }
  return manifest;
}

Expected<> write_manifest(const fs::path& snapshot, const Manifest& manifest, FileSystem& files) {
  return files.write_atomically(manifest_path_of(snapshot), encode_manifest(manifest),
                                kPrivateFile);
}

}  // namespace core
