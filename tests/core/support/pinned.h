// What a look at a live database comes to, and what lies in its folder.
#pragma once

#include <map>

#include "core/sqlite/pinned_source.h"
#include "support/catch.h"
#include "support/fake_env.h"
#include "support/test_database.h"

namespace test {

using FolderContents = std::map<std::string, std::string>;

// Every file with its bytes, but those of -shm: a reader's marks in it are no content.
inline FolderContents contents_of(const fs::path& folder) {
  FolderContents contents;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    contents[name] = name.ends_with("-shm") ? "" : read_file(entry.path());
  }
  return contents;
}

inline core::Expected<std::uint32_t> pages_of(const fs::path& path, FakeEnv& world) {
  auto source = core::PinnedSource::open(path, std::chrono::milliseconds{200}, world.env(), {});
  if (!source) return core::fail(source.error());
  return source->header().page_count;
}

inline core::ErrorCode refusal(const fs::path& path, FakeEnv& world) {
  const auto pages = pages_of(path, world);
  REQUIRE_FALSE(pages);
  INFO(pages.error().message);
  CHECK(pages.error().message.find(path.string()) != std::string::npos);
  CHECK_FALSE(pages.error().hint.empty());
  return pages.error().code;
}

}  // namespace test
