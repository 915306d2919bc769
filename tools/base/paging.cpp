#include "tools/base/paging.h"

#include <algorithm>
#include <charconv>

#include "server/jsonrpc/jsonrpc.h"

namespace tools {

using server::Json;

std::size_t fitting(const Json& entries) {
  std::size_t bytes = 0, count = 0;
  for (const Json& entry : entries) {
    bytes += core::lenient_json_text(entry).size() + 1;
    if (bytes > kMaxPageBytes && count > 0) break;
    ++count;
  }
  return count;
}

core::Expected<Page> page_of(Json all, const Arguments& arguments) {
  std::size_t begin = 0;
  if (const auto cursor = arguments.text("cursor")) {
    const char* end = cursor->data() + cursor->size();
    const auto [at, error] = std::from_chars(cursor->data(), end, begin);
    if (error != std::errc() || at != end || begin == 0) {
      return core::fail(core::ErrorCode::invalid_argument,
                        "The cursor is not one that a listing returned.",
                        "Leave the cursor out to begin at the first entry.");
    }
  }
  begin = std::min(begin, all.size());
  Page page;
  for (std::size_t i = begin; i < all.size(); ++i) page.entries.push_back(std::move(all[i]));
  const auto limit = arguments.integer("limit");
  const std::size_t count = limit ? std::min(static_cast<std::size_t>(*limit), page.entries.size())
                                  : fitting(page.entries);
  if (begin + count < all.size()) page.next_cursor = std::to_string(begin + count);
  page.entries.erase(page.entries.begin() + static_cast<std::ptrdiff_t>(count), page.entries.end());
  return page;
}

}  // namespace tools
