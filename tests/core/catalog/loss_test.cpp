// What counts as a loss between two snapshots, also of rows in virtual tables.
#include "core/catalog/loss.h"

#include "support/catch.h"

using core::Holdings;
using core::Manifest;
using core::Snapshot;

namespace {

using Counts = std::map<std::string, std::uint64_t>;

Manifest holding(Counts rows, std::optional<Counts> virtual_rows) {
  Manifest manifest;
  manifest.rows = std::move(rows);
  manifest.virtual_rows = std::move(virtual_rows);
  return manifest;
}

std::optional<core::Loss> loss_between(const Manifest& before, const Manifest& now) {
  Snapshot previous;
  previous.manifest = before;
  return core::loss_since(previous, core::holdings_of(now));
}

}  // namespace

TEST_CASE("Rows that go from a full-text table are a loss as of any other") {
  const auto loss = loss_between(holding({{"log", 900}}, Counts{{"memory", 500}}),
                                 holding({{"log", 900}}, Counts{{"memory", 3}}));
  REQUIRE(loss);
  CHECK(loss->table == "memory");
  CHECK(loss->before == 500);
  CHECK(loss->after == 3);
  CHECK(loss_between(holding({}, Counts{{"memory", 500}}), holding({}, Counts{})));
}

TEST_CASE("What small virtual tables lose together is a loss") {
  Counts before, now;
  for (char c = 'a'; c < 'k'; ++c) before[std::string(1, c)] = 10;
  CHECK(loss_between(holding({}, before), holding({}, now)));
}

TEST_CASE("A manifest that does not count virtual tables raises no alarm about them") {
  CHECK_FALSE(loss_between(holding({{"t", 50}}, {}), holding({{"t", 50}}, Counts{{"memory", 0}})));
  CHECK_FALSE(
      loss_between(holding({{"t", 50}}, Counts{{"memory", 500}}), holding({{"t", 50}}, {})));
}

TEST_CASE("New rows of virtual tables do not hide what ordinary tables lost together") {
  Counts before;
  for (char c = 'a'; c < 'k'; ++c) before[std::string(1, c)] = 10;
  const auto loss = loss_between(holding(before, {}), holding({}, Counts{{"memory", 5000}}));
  REQUIRE(loss);
  CHECK(loss->before == 100);
  CHECK(loss_between(holding(before, Counts{}), holding({}, Counts{{"memory", 5000}})));
}

TEST_CASE("The most of two counts virtual tables where either does") {
  const Holdings counted = core::holdings_of(holding({{"t", 1}}, Counts{{"memory", 7}}));
  const Holdings uncounted = core::holdings_of(holding({{"t", 5}}, {}));
  for (const Holdings& most :
       {core::most_of(counted, uncounted), core::most_of(uncounted, counted)}) {
    CHECK(most.rows.at("t") == 5);
    REQUIRE(most.virtual_rows);
    CHECK(most.virtual_rows->at("memory") == 7);
    CHECK(most.everything == 8);
  }
}

TEST_CASE("Of which table rows are fewer is told, however few, and a table that is gone has none") {
  Snapshot previous;
  CHECK_FALSE(core::fewer_rows(previous, core::holdings_of(holding({}, {}))));  // has no manifest
  previous.manifest = holding({{"log", 5}, {"notes", 200}}, {});
  const auto fewer =
      core::fewer_rows(previous, core::holdings_of(holding({{"log", 4}, {"notes", 110}}, {})));
  REQUIRE(fewer);
  CHECK(fewer->table == "notes");
  CHECK(fewer->before == 200);
  CHECK(fewer->after == 110);
  CHECK_FALSE(
      core::fewer_rows(previous, core::holdings_of(holding({{"log", 5}, {"notes", 201}}, {}))));
  CHECK(core::fewer_rows(previous, core::holdings_of(holding({{"log", 5}}, {})))->after == 0);
}
