// The account of all pages of a database file (declared in verify_checks.h).
#include <sqlite3.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <map>
#include <memory>
#include <optional>

#include "core/sqlite/btree_page.h"
#include "core/sqlite/newer_schema.h"
#include "core/sqlite/sealed_vfs.h"
#include "core/sqlite/sqlite.h"
#include "core/sqlite/virtual_tables.h"
#include "core/verify/verify_checks.h"

namespace core {
namespace {

using Outcome = VerifyCheck::Outcome;

constexpr std::uint32_t kMinUsableBytes = 480;
// The page that holds this byte is never used.
// https://www.sqlite.org/fileformat.html#the_lock_byte_page
constexpr std::uint32_t kLockByte = 0x40000000;
constexpr const char* kListing = "cannot list the tables and indexes";
// SQLite itself goes no deeper (BTCURSOR_MAX_DEPTH).
constexpr std::size_t kMaxDepth = 20;

// https://www.sqlite.org/fileformat.html#pointer_map_or_ptrmap_pages
constexpr std::uint32_t kMapEntryBytes = 5;
enum class MapType : unsigned char {
  root = 1,
  free = 2,
  first_overflow = 3,
  overflow = 4,
  btree = 5,
};

struct Root {
  std::string owner;  // "Table notes"
  std::uint32_t page = 0;
  // An index's kind of pages, which a WITHOUT ROWID table has, too; unknown where SQLite cannot
  // read the table's statement.
  std::optional<bool> index{};
  std::string entries_like;  // the owner that has as many entries; empty: unknown
};

// All that have pages, the schema's own table first. A partial index has fewer entries than its
// table; that one is, its statement alone tells.
Expected<std::vector<Root>> roots_of(sqlite3* connection) {
  const char* sql =
      "SELECT type = 'index', name, rootpage, iif(type = 'index' AND coalesce(sql, '') NOT LIKE "
      "'%where%', 'Table ' || tbl_name, '') FROM sqlite_schema WHERE rootpage <> 0";
  std::vector<Root> roots{{"The schema", 1, false, ""}};
  BPD_TRY(sqlite::for_each_row(connection, sql, kListing, [&](sqlite3_stmt* row) {
    const bool index = sqlite3_column_int(row, 0) != 0;
    const std::string name = sqlite::column_text(row, 1);
    const sqlite3_int64 page = sqlite3_column_int64(row, 2);
    const bool possible = page > 0 && page <= std::numeric_limits<std::uint32_t>::max();
    roots.push_back(
        {(index ? "Index " : "Table ") + name, possible ? static_cast<std::uint32_t>(page) : 0,
         index ? true : is_without_rowid(connection, name), sqlite::column_text(row, 3)});
  }));
  return roots;
}

// One bit for each page; memory that is never written is never taken.
class PageSet {
 public:
  explicit PageSet(std::uint32_t pages)
      : words_(static_cast<std::uint64_t*>(std::calloc(pages / 64 + 1, sizeof(std::uint64_t)))) {}

  explicit operator bool() const { return words_ != nullptr; }
  // False where it is in already.
  bool add(std::uint32_t page) {
    std::uint64_t& word = words_.get()[page / 64];
    const std::uint64_t bit = std::uint64_t{1} << page % 64;
    const bool added = (word & bit) == 0;
    word |= bit;
    return added;
  }
  bool has(std::uint32_t page) const { return (words_.get()[page / 64] >> page % 64 & 1) != 0; }

 private:
  struct Free {
    void operator()(std::uint64_t* words) const noexcept { std::free(words); }
  };
  std::unique_ptr<std::uint64_t, Free> words_;
};

class PageAccount {
 public:
  PageAccount(sqlite3* connection, const FileHeader& header, Accounting what, std::stop_token stop)
      : page_bytes_(header.page_size),
        pages_(header.page_count),
        lock_page_(kLockByte / header.page_size + 1),
        all_(what == Accounting::all_pages),
        stop_(std::move(stop)),
        used_(header.page_count),
        reader_(connection, header.page_size),
        map_reader_(connection, header.page_size) {}

  PagesCheck make(const std::vector<Root>& roots) {
    check_.outcome = Outcome::passed;
    if (!used_) {
      check_.outcome = Outcome::skipped;
      check_.reason = "There is not enough memory for an account of the pages.";
      return {check_, {}};
    }
    if (!read_header()) return {check_, {}};
    use_own_pages();
    for (const Root& root : roots) {
      entries_ = 0;
      walk(root);
      entries_of_[root.owner] = entries_;
    }
    if (all_) {
      owner_ = "The free list";
      walk_free_list();
      compare_largest_root(roots);
      find_unused();
    }
    compare_entries(roots);
    if (reader_.faulted()) lose("Some pages");
    return {std::move(check_), std::move(indexes_)};
  }

 private:
  // What is found, or nobody wants to know any more: all loops end.
  bool over() const { return check_.findings.size() >= kMaxFindings || stop_.stop_requested(); }

  void add(std::string finding) {
    check_.outcome = Outcome::failed;
    if (check_.findings.size() < kMaxFindings) check_.findings.push_back(std::move(finding));
  }
  void lose(const std::string& what) { add(what + " could not be read."); }

  const unsigned char* read(std::uint32_t page) {
    const unsigned char* bytes = reader_.page(page);
    if (bytes == nullptr) lose("Page " + std::to_string(page));
    return bytes;
  }

  bool read_header() {
    const unsigned char* bytes = read(1);
    if (bytes == nullptr) return false;
    const FileHeader header = read_file_header(bytes);
    usable_ = page_bytes_ - header.reserved_bytes;
    if (usable_ < kMinUsableBytes) {
      add("The header reserves more of each page than is possible.");
      return false;
    }
    first_free_ = header.first_free_page;
    free_pages_ = header.free_pages;
    largest_root_ = header.largest_root;
    if (largest_root_ == 0 && header.incremental_vacuum) {
      add("The header tells of incremental vacuum without auto-vacuum.");
    }
    return true;
  }

  bool auto_vacuum() const { return largest_root_ != 0; }

  // The map page that is to tell about `page`, from 2 on.
  std::uint32_t map_page_of(std::uint32_t page) const {
    const std::uint32_t each = usable_ / kMapEntryBytes + 1;
    const std::uint32_t map = (page - 2) / each * each + 2;
    return map == lock_page_ ? map + 1 : map;
  }

  void use_own_pages() {
    if (lock_page_ <= pages_) used_.add(lock_page_);
    if (!auto_vacuum()) return;
    const std::uint64_t each = usable_ / kMapEntryBytes + 1;
    for (std::uint64_t page = 2; page <= pages_ && !over(); page += each) {
      const std::uint32_t map = map_page_of(static_cast<std::uint32_t>(page));
      if (map <= pages_) used_.add(map);
    }
  }

  // False where it is somebody else's already, or none of this file.
  bool use(std::uint32_t page) {
    if (page == 0 || page > pages_) {
      add(owner_ + " refers to page " + std::to_string(page) + ", which is not there.");
      return false;
    }
    if (used_.add(page)) return true;
    add(owner_ + " refers to page " + std::to_string(page) + ", which is in use already.");
    return false;
  }

  // That the pointer map tells of `page` what it is.
  void check_map(std::uint32_t page, MapType type, std::uint32_t parent) {
    if (!all_ || !auto_vacuum() || page < 2) return;
    const std::uint32_t map = map_page_of(page);
    const unsigned char* entries = page > map ? map_reader_.page(map) : nullptr;
    const std::uint64_t at = std::uint64_t{kMapEntryBytes} * (page - map - 1);
    if (entries == nullptr || at + kMapEntryBytes > usable_) {
      add("The pointer map has no entry for page " + std::to_string(page) + ".");
      return;
    }
    if (entries[at] == static_cast<unsigned char>(type) && number_at(entries + at + 1, 4) == parent)
      return;
    add("The pointer map is wrong about page " + std::to_string(page) + ".");
  }

  struct Level {
    std::uint32_t page = 0;
    BtreePage content;
    std::size_t next = 0;  // child
  };

  void walk(const Root& root) {
    owner_ = root.owner;
    if (over() || !use(root.page)) return;
    check_map(root.page, MapType::root, 0);
    std::size_t depth = 0;
    std::optional<bool> index = root.index;
    enter(root.page, index, levels_[depth++]);
    while (depth > 0 && !over()) {
      Level& level = levels_[depth - 1];
      if (level.next >= level.content.children.size()) {
        --depth;
        continue;
      }
      const std::uint32_t child = level.content.children[level.next++];
      if (!use(child)) continue;
      check_map(child, MapType::btree, level.page);
      if (depth == kMaxDepth) {
        add(owner_ + " has more levels of pages than SQLite can use.");
        return;
      }
      enter(child, index, levels_[depth++]);
    }
  }

  // The first page tells what kind they are, where that is unknown.
  void enter(std::uint32_t page, std::optional<bool>& index, Level& level) {
    level.page = page;
    level.next = 0;
    level.content.children.clear();
    const unsigned char* bytes = read(page);
    if (bytes == nullptr) return;
    if (!read_btree_page(bytes, page == 1 ? kFileHeaderBytes : 0, usable_, level.content)) {
      level.content.children.clear();
      add(owner_ + " has page " + std::to_string(page) + ", which is malformed.");
      return;
    }
    if (!index) index = level.content.index;
    if (level.content.index != *index) {
      level.content.children.clear();
      add(owner_ + " has page " + std::to_string(page) + ", which is " +
          (*index ? "a table's." : "an index's."));
      return;
    }
    if (*index || level.content.leaf) entries_ += level.content.cells;
    for (const OverflowChain& chain : level.content.overflow) {
      if (over() || !all_) return;
      walk_chain(chain, page);
    }
  }

  void walk_chain(const OverflowChain& chain, std::uint32_t parent) {
    if (chain.pages > pages_) {
      add(owner_ + " has a row on page " + std::to_string(parent) + " larger than the file.");
      return;
    }
    std::uint32_t page = chain.first;
    MapType type = MapType::first_overflow;
    for (std::uint64_t left = chain.pages; left > 0; --left) {
      if (over() || !use(page)) return;
      check_map(page, type, parent);
      const unsigned char* bytes = read(page);
      if (bytes == nullptr) return;
      type = MapType::overflow;
      parent = page;
      page = number_at(bytes, 4);
    }
    if (page != 0) {
      add(owner_ + " has a row whose pages go on behind page " + std::to_string(parent) + ".");
    }
  }

  void walk_free_list() {
    std::uint64_t found = 0;
    for (std::uint32_t trunk = first_free_; trunk != 0 && !over();) {
      if (!use(trunk)) return;
      check_map(trunk, MapType::free, 0);
      const unsigned char* bytes = read(trunk);
      if (bytes == nullptr) return;
      const std::uint32_t leaves = number_at(bytes + 4, 4);
      if (leaves > usable_ / 4 - 2) {
        add("The free list has page " + std::to_string(trunk) + ", which is malformed.");
        return;
      }
      for (std::uint32_t i = 0; i < leaves && !over(); ++i) {
        const std::uint32_t leaf = number_at(bytes + 8 + std::size_t{4} * i, 4);
        if (use(leaf)) check_map(leaf, MapType::free, 0);
      }
      found += 1 + leaves;
      trunk = number_at(bytes, 4);
    }
    if (found != free_pages_ && !over()) {
      add("The free list has " + std::to_string(found) + " pages; the header says " +
          std::to_string(free_pages_) + ".");
    }
  }

  void compare_largest_root(const std::vector<Root>& roots) {
    if (!auto_vacuum() || over()) return;
    std::uint32_t largest = 0;
    for (const Root& root : roots) largest = std::max(largest, root.page);
    if (largest == largest_root_) return;
    add("The largest root page is " + std::to_string(largest) + "; the header says " +
        std::to_string(largest_root_) + ".");
  }

  // Newer versions of SQLite do this in their quick_check, too.
  void compare_entries(const std::vector<Root>& roots) {
    if (check_.outcome == Outcome::failed) return;
    for (const Root& root : roots) {
      const auto like = entries_of_.find(root.entries_like);
      const std::uint64_t entries = entries_of_.at(root.owner);
      if (over() || like == entries_of_.end() || like->second == entries) continue;
      indexes_.check.name = "indexes";
      indexes_.check.outcome = Outcome::failed;
      if (++indexes_.total > kMaxFindings) continue;
      indexes_.check.findings.push_back(root.owner + " has " + std::to_string(entries) +
                                        " entries; " + like->first + " has " +
                                        std::to_string(like->second) + " rows.");
    }
  }

  // Where something else was found, what hangs on it was never visited.
  void find_unused() {
    if (check_.outcome == Outcome::failed) return;
    for (std::uint64_t page = 1; page <= pages_ && !over(); ++page) {
      if (used_.has(static_cast<std::uint32_t>(page))) continue;
      add("Page " + std::to_string(page) + " is never used.");
    }
  }

  const std::uint32_t page_bytes_, pages_, lock_page_;
  const bool all_;
  const std::stop_token stop_;
  PageSet used_;
  PageReader reader_, map_reader_;
  VerifyCheck check_;
  CountedCheck indexes_;

  std::uint32_t usable_ = 0, first_free_ = 0, free_pages_ = 0, largest_root_ = 0;
  std::string owner_;          // of the pages that are being walked
  std::uint64_t entries_ = 0;  // which it has on them
  std::map<std::string, std::uint64_t> entries_of_;
  std::vector<Level> levels_{kMaxDepth};
};

}  // namespace

Accounting accounting_left_by_sqlite(sqlite3* connection) {
  if (!unread_schema(connection).empty()) return Accounting::all_pages;
  auto program = sqlite::prepare(connection, "EXPLAIN PRAGMA main.quick_check", "cannot explain");
  if (!program) return Accounting::all_pages;
  // Columns: address, opcode, P1, P2, P3, P4: "[2,5,0]". https://www.sqlite.org/opcode.html
  int checks = 0;
  bool complete = true;
  while (sqlite3_step(program->get()) == SQLITE_ROW) {
    if (sqlite::column_text(program->get(), 1) != "IntegrityCk") continue;
    ++checks;
    const std::string roots = sqlite::column_text(program->get(), 5);
    complete =
        complete && roots.size() > 1 && roots[0] == '[' && roots[1] >= '1' && roots[1] <= '9';
  }
  return checks == 1 && complete ? Accounting::trees : Accounting::all_pages;
}

PagesCheck check_pages(sqlite3* connection, std::uint64_t file_bytes, FileHeader header,
                       Accounting what, std::stop_token stop) {
  // What a header claims beyond the file is told of by check_header, and costs no memory here.
  header.page_count = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(header.page_count, file_bytes / header.page_size));
  const auto roots = roots_of(connection);
  if (!roots) return {ended_by("pages", roots.error()), {}};
  return PageAccount(connection, header, what, std::move(stop)).make(*roots);
}

}  // namespace core
