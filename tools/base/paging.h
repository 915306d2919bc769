// Lists in pages that a model can take in.
#pragma once

#include <cstddef>
#include <string>

#include "core/base/error.h"
#include "server/jsonrpc/json.h"
#include "tools/arguments.h"

namespace tools {

// Of the entries as compact JSON: some 8,000 tokens, at three bytes each (paths and dates cost more
// than prose), with what stands beside the entries. Clients begin to warn at 10,000.
inline constexpr std::size_t kMaxPageBytes = 23'000;

// What Claude Code puts into a conversation of a tool that lists: a page with a `limit` of the
// model's own, or a plan or status, which have no pages. By itself it writes whatever has more than
// 50,000 characters into a file, and the model has to read that. Said in the entries of these tools
// (schemas/), as "anthropic/maxResultSizeChars", up to 500,000:
// https://code.claude.com/docs/en/mcp#raise-the-limit-for-a-specific-tool
inline constexpr std::size_t kMaxResultCharacters = 200'000;

// How many of the first entries fit a page; at least one, where there is one.
std::size_t fitting(const server::Json& entries);

struct Page {
  server::Json entries = server::Json::array();
  std::string next_cursor;  // empty on the last page
};
// The page of `all` that the arguments ask for: behind `cursor`, as many as `limit` says, or as
// fit. invalid_argument where the cursor is none of ours.
core::Expected<Page> page_of(server::Json all, const Arguments& arguments);

}  // namespace tools
