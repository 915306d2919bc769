// Small databases with every kind of page, ways to damage them, and a judge that shares no code
// with the program.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <random>
#include <string>
#include <vector>

namespace test {

namespace fs = std::filesystem;

// A sound database as bytes, and where its pages of each kind are.
struct SoundDatabase {
  std::string name;
  std::string bytes;
  std::uint32_t page_bytes = 0;
  std::vector<std::uint32_t> table_leaves, table_interiors, index_leaves, index_interiors, overflow,
      trunks, free_leaves, pointer_maps;

  std::uint32_t pages() const { return static_cast<std::uint32_t>(bytes.size()) / page_bytes; }
};

// With and without a view at the end, auto-vacuum, full-text search; 60 to 200 pages each.
std::vector<SoundDatabase> sound_databases(const fs::path& folder);

struct Damage {
  std::string name;
  // Changes the bytes; false where this database has nothing to damage so.
  std::function<bool(const SoundDatabase&, std::string& bytes, std::mt19937&)> in_bytes;
  // Or a statement run with a writable schema.
  std::string in_schema;
};
std::vector<Damage> kinds_of_damage();

std::uint32_t number_in(const std::string& bytes, std::size_t at, int width = 4);
void put_number(std::string& bytes, std::size_t at, std::uint32_t value, int width = 4);

// The first fault that is found by SQLite's own check, by reading all rows of all tables, or by an
// account of the pages from SQLite's dbstat and the free list; empty when none is. What only the
// content breaks (column rules) is left out. `full`: integrity_check, not quick_check, and rows are
// also read by way of their indexes.
std::string fault_in(const fs::path& database, bool full);

}  // namespace test
