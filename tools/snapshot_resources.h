// Snapshots and their manifests as resources: backup:///<path>, and the template
// backup://snapshots/{label}/{stem}/{date}.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/mcp/resources.h"
#include "server/mcp/server_definition.h"
#include "tools/arguments.h"

namespace tools {

// "backup:///home/me/Backups/host/global-2026-11-23.db": the path, percent-encoded (RFC 3986).
std::string snapshot_uri(std::string_view path);
// What a client may have subscribed to that this snapshot changes: itself, its manifest, and its
// name by label, stem and day.
std::vector<std::string> uris_of_snapshot(const std::string& path, const Setting& setting);
// The same of snapshots that were removed, as far as their paths tell: {"path": …} each.
std::vector<std::string> uris_of_removed(const server::Json& entries);
// Both, of a run that wrote a snapshot and removed others.
std::vector<std::string> uris_of_run(const std::string& path, const server::Json& removed,
                                     const Setting& setting);
// The path of a backup:/// URI; nothing for any other text.
std::optional<std::string> path_of_uri(std::string_view uri);

// Stands for "no label" in the template, where a segment cannot be empty.
inline constexpr std::string_view kNoLabel = "-";

// Lists and reads the snapshots of the known destinations (core/catalog/destinations.h), no other
// file.
std::shared_ptr<server::ResourceProvider> snapshot_resources(const Setting& setting);

// Completes labels, stems and dates, of the template and of prompts' arguments with those names.
server::Completer snapshot_completer(const Setting& setting);

}  // namespace tools
