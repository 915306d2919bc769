// take_snapshot when the world fails it: steps that fail, a destination that goes away.
#include <map>

#include "core/platform/sha256.h"
#include "support/catch.h"
#include "support/failing_snapshots.h"

namespace {

namespace fs = std::filesystem;
using core::ErrorCode;
using test::files_below;
using test::read_file;
using test::SnapshotWorld;
using test::failing::Case;
using test::failing::fails_its_check;
using test::failing::kMaxSteps;
using test::failing::set_up;
using test::failing::take_with;

// Every file below the destination with what is in it.
std::map<std::string, std::string> contents(const SnapshotWorld& world) {
  std::map<std::string, std::string> result;
  for (const std::string& name : files_below(world.destination)) {
    result[name] = read_file(world.destination / name);
  }
  return result;
}

// A disk that is taken away between the copy and its publication.
class TakenAway final : public test::ForwardingFiles {
 public:
  explicit TakenAway(fs::path folder) : folder_(std::move(folder)) {}
  Expected<> write_atomically(const Path& path, std::string_view text,
                              std::uint32_t mode) override {
    if (path.string().starts_with(folder_.string())) fs::remove_all(folder_);
    return ForwardingFiles::write_atomically(path, text, mode);
  }

 private:
  fs::path folder_;
};

TEST_CASE("A destination that goes away meanwhile is named as the reason") {
  SnapshotWorld world;
  test::make_notes_database(world.source);
  TakenAway files(world.destination);
  const auto taken = take_with(world, files);
  REQUIRE_FALSE(taken);
  CHECK(taken.error().code == ErrorCode::not_found);
  CHECK(taken.error().message.find("went away") != std::string::npos);
  CHECK_FALSE(fs::exists(world.destination));
}

TEST_CASE("A run that fails at any step leaves the destination as it was, or is a success") {
  const Case kind = GENERATE(Case::first, Case::replacing, Case::shrunk);
  int errors = 0, successes = 0;
  for (int step = 1; step <= kMaxSteps; ++step) {
    SnapshotWorld world;
    set_up(world, kind);
    const auto before = contents(world);
    test::FaultyFiles files(step, test::FaultyFiles::Fault::fails);
    const auto taken = take_with(world, files);
    if (files.passed()) break;
    CAPTURE(static_cast<int>(kind), step, taken ? "taken" : taken.error().message);
    REQUIRE(step < kMaxSteps);
    ++(taken ? successes : errors);
    if (!taken) {
      CHECK(contents(world) == before);
      CHECK((kind != Case::first || fs::is_empty(world.destination)));
      continue;
    }
    CHECK(core::sha256_of(read_file(taken->snapshot)) == taken->manifest.sha256);
    CHECK_FALSE(fails_its_check(world, taken->snapshot));
    CHECK(files_below(world.destination).size() == (kind == Case::shrunk ? 4 : 2));
  }
  CHECK(errors > 1);
  CHECK(successes > 0);
}

}  // namespace
