// Skills as resources: the files of ServerDefinition::skills with their frontmatter and digests.
// MCP skills extension (SEP-2640), io.modelcontextprotocol/skills.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/jsonrpc/json.h"
#include "server/mcp/server_definition.h"

namespace server {

// Worked out on first use; then thread-safe and read-only. The definition must outlive it.
class SkillShelf {
 public:
  explicit SkillShelf(const ServerDefinition& definition) : files_(definition.skills) {}

  bool empty() const { return files_.empty(); }
  // Entries of skills/list: uri, frontmatter, resources with digests.
  const Json& entries();
  // Nothing for a URI that is no skill's SKILL.md.
  const Json* find(const std::string& uri);
  // Entries of resources/list: one per skill.
  const Json& resources();
  // One element of a resources/read result's contents; nothing for an unknown URI.
  std::optional<Json> read(const std::string& uri);
  // The direct children of a folder, as Resource objects; nothing when it is none of ours.
  std::optional<Json> children(const std::string& uri);

 private:
  void prepare();

  const std::vector<SkillFile>& files_;
  std::once_flag once_;
  Json entries_ = Json::array();
  Json resources_ = Json::array();
};

}  // namespace server
