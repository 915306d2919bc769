#include <chrono>
#include <map>

#include "core/verify/verify.h"
#include "support/catch.h"
#include "support/fake_env.h"
#include "support/resident.h"
#include "support/test_database.h"
#include "tests/core/support/damaged_databases.h"

namespace fs = std::filesystem;
using core::VerifyLevel;
using core::VerifyReport;
using test::Damage;
using test::SoundDatabase;
using Verdict = VerifyReport::Verdict;

namespace {

constexpr unsigned kSeed = 20261128;
constexpr int kRoundsInBytes = 1;  // of each damage to the bytes of each database
constexpr std::chrono::seconds kMaxTime{5};
constexpr std::size_t kMaxMemoryBytes = 64ULL << 20;  // more than before, in any case

// As a snapshot run judges the copy it just made: a digest would tell nothing about it.
VerifyReport judge(const fs::path& path, VerifyLevel level, test::FakeEnv& world) {
  core::VerifyRequest request;
  request.snapshot = path;
  request.level = level;
  request.expected.emplace();
  const std::string bytes = test::read_file(path);
  request.expected->bytes = bytes.size();
  if (bytes.size() >= 100) {
    const std::uint32_t coded = test::number_in(bytes, 16, 2);
    request.expected->page_size = coded == 1 ? 65536 : coded;
    request.expected->user_version = static_cast<std::int32_t>(test::number_in(bytes, 60));
    request.expected->page_count =
        coded == 0 ? 0 : static_cast<std::uint32_t>(bytes.size() / request.expected->page_size);
  }
  core::NoProgress progress;
  auto report = core::verify_snapshot(request, world.env(), progress, {});
  if (!report) FAIL(report.error().message);
  return *report;
}

struct Figures {
  int cases = 0, damaged = 0, inconclusive = 0, verified = 0, told_of_source = 0;
  int seen_by_us_alone = 0;
  std::chrono::milliseconds longest{0};

  std::string text() const {
    return std::to_string(cases) + " judgements: " + std::to_string(damaged) + " damaged (" +
           std::to_string(seen_by_us_alone) + " of them seen by us alone), " +
           std::to_string(inconclusive) + " inconclusive, " + std::to_string(verified) +
           " verified (" + std::to_string(told_of_source) +
           " with findings of the content); longest " + std::to_string(longest.count()) + " ms";
  }
};

struct Corpus {
  test::FakeEnv world;
  fs::path path = world / "damaged.db";
  std::vector<SoundDatabase> sound = test::sound_databases(world.folder.path());
  Figures figures;
  std::map<std::string, std::string> unseen_by_oracles;

  void judge_case(const std::string& name, VerifyLevel level) {
    INFO(name << ", " << to_string(level));
    const auto start = std::chrono::steady_clock::now();
    const VerifyReport report = judge(path, level, world);
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - start);
    figures.longest = std::max(figures.longest, took);
    CHECK(took < kMaxTime);
    ++figures.cases;
    if (report.verdict == Verdict::inconclusive) ++figures.inconclusive;
    const std::string fault = test::fault_in(path, level == VerifyLevel::full);
    if (report.verdict == Verdict::damaged) {
      ++figures.damaged;
      if (fault.empty()) ++figures.seen_by_us_alone;
      if (fault.empty()) unseen_by_oracles[name] = describe_failures(report);
    }
    if (report.verdict != Verdict::verified) return;
    ++figures.verified;
    if (!report.source_findings.empty()) ++figures.told_of_source;
    // An index that REINDEX mends is told, and hinders nothing.
    if (!report.source_findings.contains("indexes")) CHECK(fault == "");
  }

  // Files of their own for each: SQLite keeps what it knows of a file by its identity.
  void judge_bytes(const std::string& name, const std::string& bytes) {
    fs::remove(path);
    test::write_file(path, bytes);
    judge_case(name, VerifyLevel::full);
    judge_case(name, VerifyLevel::quick);
  }
};

}  // namespace

TEST_CASE("A damaged database is never verified where SQLite or an account of its pages sees it") {
  Corpus corpus;
  std::mt19937 random(kSeed);
  test::forget_peak();
  const std::size_t memory_before = test::peak_resident_bytes();
  for (const SoundDatabase& sound : corpus.sound) {
    const int damaged_before = corpus.figures.damaged;
    INFO(sound.name << ": " << sound.pages() << " pages");
    for (const auto* pages :
         {&sound.table_leaves, &sound.table_interiors, &sound.index_leaves, &sound.index_interiors,
          &sound.overflow, &sound.trunks, &sound.free_leaves}) {
      CHECK(!pages->empty());
    }
    corpus.judge_bytes(sound.name, sound.bytes);
    CHECK(corpus.figures.damaged == damaged_before);
    for (const Damage& damage : test::kinds_of_damage()) {
      for (int round = 0; damage.in_bytes && round < kRoundsInBytes; ++round) {
        std::string bytes = sound.bytes;
        if (!damage.in_bytes(sound, bytes, random)) continue;
        corpus.judge_bytes(sound.name + ": " + damage.name, bytes);
      }
      if (damage.in_bytes) continue;
      fs::remove(corpus.path);
      test::write_file(corpus.path, sound.bytes);
      test::run_sql(corpus.path, "PRAGMA writable_schema = ON; " + damage.in_schema);
      corpus.judge_bytes(sound.name + ": " + damage.name, test::read_file(corpus.path));
    }
  }
  for (const auto& [name, failures] : corpus.unseen_by_oracles)
    UNSCOPED_INFO(name << ": " << failures);
  UNSCOPED_INFO(corpus.figures.text());
  CHECK(corpus.figures.cases >= 500);
  if (test::kMemoryIsOurs) CHECK(test::peak_resident_bytes() - memory_before <= kMaxMemoryBytes);
}
