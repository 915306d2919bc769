// Skills as resources.
#include "server/mcp/skills.h"

#include <algorithm>
#include <set>

#include "core/base/base64.h"
#include "core/base/utf8.h"
#include "core/platform/sha256.h"
#include "server/base/log.h"
#include "server/jsonrpc/jsonrpc.h"

namespace server {
namespace {

constexpr std::string_view kScheme = "skill://";
constexpr std::string_view kSkillFile = "/SKILL.md";
constexpr std::string_view kFolderType = "inode/directory";

std::string mime_of(std::string_view path) {
  static const std::map<std::string_view, std::string_view> kTypes = {
      {".md", "text/markdown"},      {".json", "application/json"}, {".txt", "text/plain"},
      {".sh", "text/x-shellscript"}, {".py", "text/x-python"},      {".png", "image/png"},
      {".sql", "text/plain"},        {".yaml", "application/yaml"}};
  const std::size_t dot = path.rfind('.');
  const auto found = dot == std::string_view::npos ? kTypes.end() : kTypes.find(path.substr(dot));
  return std::string(found == kTypes.end() ? "application/octet-stream" : found->second);
}

std::string uri_of(std::string_view path) {
  return std::string(kScheme) + std::string(path);
}

std::string last_segment(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return std::string(slash == std::string_view::npos ? path : path.substr(slash + 1));
}

}  // namespace

void SkillShelf::prepare() {
  std::call_once(once_, [this] {
    for (const SkillFile& file : files_) {
      if (!file.path.ends_with(kSkillFile)) continue;
      const std::string_view folder = file.path.substr(0, file.path.size() - kSkillFile.size());
      Json frontmatter = core::read_json(file.frontmatter);
      const std::string& name = string_member(frontmatter, "name");
      const std::string& description = string_member(frontmatter, "description");
      if (name != last_segment(folder) || description.empty()) {
        log_error("The skill " + std::string(file.path) +
                  " is left out: its name must be its folder's and it needs a description.");
        continue;
      }
      Json files = Json::array();
      for (const SkillFile& part : files_) {
        if (!part.path.starts_with(std::string(folder) + "/")) continue;
        files.push_back({{"uri", uri_of(part.path)},
                         {"digest", "sha256:" + core::sha256_of(part.text)},
                         {"size", part.text.size()}});
      }
      resources_.push_back({{"uri", uri_of(file.path)},
                            {"name", name},
                            {"description", description},
                            {"mimeType", "text/markdown"},
                            {"size", file.text.size()}});
      entries_.push_back({{"uri", uri_of(file.path)},
                          {"frontmatter", std::move(frontmatter)},
                          {"resources", std::move(files)}});
    }
  });
}

const Json& SkillShelf::entries() {
  prepare();
  return entries_;
}

const Json* SkillShelf::find(const std::string& uri) {
  prepare();
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&uri](const Json& entry) {
    return string_member(entry, "uri") == uri;
  });
  return found == entries_.end() ? nullptr : &*found;
}

const Json& SkillShelf::resources() {
  prepare();
  return resources_;
}

std::optional<Json> SkillShelf::read(const std::string& uri) {
  for (const SkillFile& file : files_) {
    if (uri_of(file.path) != uri) continue;
    Json contents = {{"uri", uri}, {"mimeType", mime_of(file.path)}};
    if (core::is_utf8(file.text)) {
      contents["text"] = file.text;
    } else {
      contents["blob"] = core::base64(file.text);
    }
    return contents;
  }
  return std::nullopt;
}

std::optional<Json> SkillShelf::children(const std::string& uri) {
  if (!uri.starts_with(kScheme)) return std::nullopt;
  const std::string folder = uri.substr(kScheme.size()) + "/";
  Json found = Json::array();
  std::set<std::string> folders;
  for (const SkillFile& file : files_) {
    if (!file.path.starts_with(folder)) continue;
    const std::string_view rest = file.path.substr(folder.size());
    const std::size_t slash = rest.find('/');
    if (slash == std::string_view::npos) {
      found.push_back({{"uri", uri_of(file.path)},
                       {"name", std::string(rest)},
                       {"mimeType", mime_of(file.path)},
                       {"size", file.text.size()}});
    } else if (folders.emplace(rest.substr(0, slash)).second) {
      found.push_back({{"uri", uri + "/" + std::string(rest.substr(0, slash))},
                       {"name", std::string(rest.substr(0, slash))},
                       {"mimeType", kFolderType}});
    }
  }
  if (found.empty()) return std::nullopt;
  return found;
}

}  // namespace server
