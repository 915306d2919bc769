// SHA-256: published vectors, pieces of any size, whole files.
#include "core/platform/sha256.h"

#include <filesystem>
#include <fstream>

#include "support/catch.h"
#include "support/process_id.h"

namespace {

using core::sha256_of;

TEST_CASE("The digest agrees with the published SHA-256 vectors") {
  CHECK(sha256_of("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256_of("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256_of(std::string(1'000'000, 'a')) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("A digest fed in pieces is the digest of the whole") {
  std::string text;
  for (int i = 0; i < 10'000; ++i) text += static_cast<char>(i * 31);
  core::Sha256 digest;
  std::size_t at = 0;
  for (std::size_t piece = 1; at < text.size(); piece = piece * 2 + 1) {
    const std::size_t length = std::min(piece, text.size() - at);
    digest.update(text.data() + at, length);
    at += length;
  }
  CHECK(digest.finish() == "f49bcd43c1cfa811a95f1535739bdf65ddd4acc99de390a61a0888640b347a3a");
  CHECK(sha256_of(text) == "f49bcd43c1cfa811a95f1535739bdf65ddd4acc99de390a61a0888640b347a3a");
}

TEST_CASE("A file's digest reports its progress, stops on request and names a missing file") {
  const auto path = std::filesystem::temp_directory_path() /
                    ("bpd-digest-" + std::to_string(test::own_process_id()) + ".bin");
  const std::string text(700'000, 'x');
  std::ofstream(path, std::ios::binary) << text;
  std::uint64_t last = 0;
  const auto digest = core::sha256_of_file(path, {}, [&](std::uint64_t done) { last = done; });
  REQUIRE(digest);
  CHECK(*digest == sha256_of(text));
  CHECK(last == text.size());

  std::stop_source stop;
  stop.request_stop();
  const auto stopped = core::sha256_of_file(path, stop.get_token());
  REQUIRE_FALSE(stopped);
  CHECK(stopped.error().code == core::ErrorCode::cancelled);

  std::filesystem::remove(path);
  const auto missing = core::sha256_of_file(path, {});
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == core::ErrorCode::not_found);
  CHECK(missing.error().message.find(path.string()) != std::string::npos);
}

}  // namespace
