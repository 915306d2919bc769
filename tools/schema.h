// The embedded schema texts by tool, and the URIs under which snapshots are resources.
#pragma once

#include <string>
#include <string_view>

namespace tools {

// The text of schemas/<name>.json; asserts that there is one, as the build put it there.
std::string_view schema_of(std::string_view name);

// "backup:///…/global-2026-11-23.db": the path, percent-encoded (RFC 3986).
std::string snapshot_uri(std::string_view path);

}  // namespace tools
