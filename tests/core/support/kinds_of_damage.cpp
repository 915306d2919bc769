// The damages of damaged_databases.h.
#include <algorithm>

#include "damaged_databases.h"

namespace test {
namespace {

using Pages = std::vector<std::uint32_t> SoundDatabase::*;

// The same numbers with every library, which std::uniform_int_distribution does not promise.
std::uint32_t below(std::mt19937& random, std::size_t bound) {
  return static_cast<std::uint32_t>(random() % bound);
}

std::size_t start_of(const SoundDatabase& database, std::uint32_t page) {
  return std::size_t{page - 1} * database.page_bytes;
}

std::uint32_t any_of(const std::vector<std::uint32_t>& pages, std::mt19937& random) {
  return pages.at(below(random, pages.size()));
}

std::uint32_t any_page(const SoundDatabase& database, std::mt19937& random) {
  return 2 + below(random, database.pages() - 1);
}

void flip(std::string& bytes, std::size_t at, std::mt19937& random) {
  bytes.at(at) = static_cast<char>(static_cast<unsigned char>(bytes.at(at)) ^ 1U << random() % 8);
}

// One bit in the first `width` bytes of a page of this kind.
Damage flip_in(const std::string& name, Pages kind, std::size_t width) {
  return {"a bit of " + name,
          [kind, width](const SoundDatabase& database, std::string& bytes, std::mt19937& random) {
            if ((database.*kind).empty()) return false;
            const std::uint32_t page = any_of(database.*kind, random);
            const std::size_t within = std::min<std::size_t>(width, database.page_bytes);
            flip(bytes,
                 start_of(database, page) + (page == 1 ? 100 : 0) % database.page_bytes +
                     below(random, page == 1 ? within / 2 : within),
                 random);
            return true;
          },
          ""};
}

// A number at `at` of a page of one kind becomes that of a page of another.
Damage point(const std::string& name, Pages kind, std::size_t at, Pages target) {
  return {
      name,
      [kind, at, target](const SoundDatabase& database, std::string& bytes, std::mt19937& random) {
        if ((database.*kind).empty() || (database.*target).empty()) return false;
        put_number(bytes, start_of(database, any_of(database.*kind, random)) + at,
                   any_of(database.*target, random));
        return true;
      },
      ""};
}

// A number of the header changes by one of a few steps.
Damage header(const std::string& name, std::size_t at) {
  return {name,
          [at](const SoundDatabase&, std::string& bytes, std::mt19937& random) {
            constexpr std::uint32_t kSteps[] = {1, 0xffffffff, 2, 100, 0x7fffffff};
            put_number(bytes, at, number_in(bytes, at) + kSteps[random() % 5]);
            return true;
          },
          ""};
}

Damage damage(const std::string& name,
              std::function<bool(const SoundDatabase&, std::string&, std::mt19937&)> in_bytes) {
  return {name, std::move(in_bytes), ""};
}

void add_of_pages(std::vector<Damage>& all) {
  all.push_back(damage("two pages exchanged", [](auto& database, auto& bytes, auto& random) {
    const std::size_t a = start_of(database, any_page(database, random)),
                      b = start_of(database, any_page(database, random)),
                      size = database.page_bytes;
    const std::string first = bytes.substr(a, size), second = bytes.substr(b, size);
    bytes.replace(a, size, second);
    bytes.replace(b, size, first);
    return true;
  }));
  all.push_back(damage("a page in another's place", [](auto& database, auto& bytes, auto& random) {
    const std::string page =
        bytes.substr(start_of(database, any_page(database, random)), database.page_bytes);
    bytes.replace(start_of(database, any_page(database, random)), page.size(), page);
    return true;
  }));
  all.push_back(damage("a page of zeros", [](auto& database, auto& bytes, auto& random) {
    bytes.replace(start_of(database, any_page(database, random)), database.page_bytes,
                  std::string(database.page_bytes, '\0'));
    return true;
  }));
  all.push_back(damage("sixteen bytes of noise", [](auto& database, auto& bytes, auto& random) {
    const std::size_t at =
        start_of(database, any_page(database, random)) + below(random, database.page_bytes - 16);
    for (std::size_t i = 0; i < 16; ++i) bytes[at + i] = static_cast<char>(random());
    return true;
  }));
  all.push_back(damage("cut short", [](auto& database, auto& bytes, auto& random) {
    const bool at_a_page = random() % 2 == 0;
    const std::size_t end = start_of(database, any_page(database, random));
    bytes.resize(end + (at_a_page ? 0 : below(random, database.page_bytes)));
    return true;
  }));
  all.push_back(damage("a page too many, which the header knows", [](auto& database, auto& bytes,
                                                                     auto& random) {
    const std::string page = random() % 2 == 0 ? std::string(database.page_bytes, '\0')
                                               : bytes.substr(bytes.size() - database.page_bytes);
    bytes += page;
    put_number(bytes, 28, database.pages() + 1);
    return true;
  }));
  all.push_back(damage("a page too many", [](auto& database, auto& bytes, auto&) {
    bytes += std::string(database.page_bytes, '\0');
    return true;
  }));
}

void add_of_the_free_list(std::vector<Damage>& all) {
  using D = SoundDatabase;
  all.push_back(point("a loop in the free list", &D::trunks, 0, &D::trunks));
  all.push_back(point("a trunk that a table has", &D::trunks, 0, &D::table_leaves));
  all.push_back(point("a free page that a table has", &D::trunks, 8, &D::table_leaves));
  all.push_back(point("a free page that an index has", &D::trunks, 12, &D::index_leaves));
  all.push_back(point("a free page that a row has", &D::trunks, 8, &D::overflow));
  all.push_back(point("a free page twice", &D::trunks, 8, &D::free_leaves));
  all.push_back(
      damage("a free page that is not there", [](auto& database, auto& bytes, auto& random) {
        constexpr std::uint32_t kNowhere[] = {0, 0xffffffff, 100000};
        put_number(bytes, start_of(database, any_of(database.trunks, random)) + 8,
                   kNowhere[random() % 3]);
        return true;
      }));
  all.push_back(damage("the free list forgotten", [](auto&, auto& bytes, auto& random) {
    put_number(bytes, 32, 0);
    if (random() % 2 == 0) put_number(bytes, 36, 0);
    return true;
  }));
  all.push_back(
      damage("a wrong number of leaves on a trunk", [](auto& database, auto& bytes, auto& random) {
        const std::size_t at = start_of(database, any_of(database.trunks, random)) + 4;
        put_number(bytes, at, random() % 2 == 0 ? number_in(bytes, at) - 1 : 0x80000000);
        return true;
      }));
}

void add_of_trees(std::vector<Damage>& all) {
  using D = SoundDatabase;
  all.push_back(point("a loop of overflow pages", &D::overflow, 0, &D::overflow));
  all.push_back(point("a row that goes on in a table", &D::overflow, 0, &D::table_leaves));
  all.push_back(damage("a row cut short", [](auto& database, auto& bytes, auto& random) {
    const std::size_t at = start_of(database, any_of(database.overflow, random));
    const bool ends = number_in(bytes, at) == 0;
    put_number(bytes, at, ends ? any_page(database, random) : 0);
    return true;
  }));
  all.push_back(point("a table's child of another", &D::table_interiors, 8, &D::table_leaves));
  all.push_back(point("an index's child of a table", &D::index_interiors, 8, &D::table_leaves));
  all.push_back(point("an index's child of another", &D::index_interiors, 8, &D::index_leaves));
  all.push_back(
      point("a table that is its own child", &D::table_interiors, 8, &D::table_interiors));
  all.push_back(damage("a cell beyond its page", [](auto& database, auto& bytes, auto& random) {
    const std::size_t at = start_of(database, any_of(database.table_leaves, random));
    if (at == 0 || number_in(bytes, at + 3, 2) == 0) return false;
    put_number(bytes, at + 8, database.page_bytes - 1 - below(random, 3), 2);
    return true;
  }));
  all.push_back(damage("two cells in one place", [](auto& database, auto& bytes, auto& random) {
    const std::size_t at = start_of(database, any_of(database.index_leaves, random));
    if (number_in(bytes, at + 3, 2) < 2) return false;
    put_number(bytes, at + 8, number_in(bytes, at + 10, 2), 2);
    return true;
  }));
  all.push_back(
      damage("a cell less, and its bytes free", [](auto& database, auto& bytes, auto& random) {
        const std::size_t at = start_of(database, any_of(database.index_leaves, random));
        const std::uint32_t cells = number_in(bytes, at + 3, 2);
        if (cells < 2) return false;
        put_number(bytes, at + 3, cells - 1, 2);
        return true;
      }));
}

void add_of_schema(std::vector<Damage>& all) {
  const auto add = [&](const std::string& name, const std::string& sql) {
    all.push_back({name, nullptr, sql});
  };
  const std::string exchange =
      "UPDATE sqlite_schema SET rootpage = (SELECT sum(rootpage) FROM sqlite_schema WHERE name IN "
      "($)) - rootpage WHERE name IN ($)";
  const auto exchanged = [&](const std::string& names) {
    std::string sql = exchange;
    for (std::size_t at; (at = sql.find('$')) != sql.npos;) sql.replace(at, 1, names);
    return sql;
  };
  add("the roots of a table and an index exchanged", exchanged("'keep', 'keep_body'"));
  add("the roots of two indexes of one table exchanged", exchanged("'keep_body', 'keep_part'"));
  add("the roots of two indexes of two tables exchanged", exchanged("'keep_body', 'pairs_b'"));
  add("the roots of two tables exchanged", exchanged("'keep', 'pairs'"));
  add("an index that has a table's root",
      "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = "
      "'many') WHERE name = 'keep_body'");
  add("two tables with one root",
      "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = "
      "'many') WHERE name = 'gone'");
  add("a root that is not there", "UPDATE sqlite_schema SET rootpage = 99999 WHERE name = 'many'");
  add("a root of 0", "UPDATE sqlite_schema SET rootpage = 0 WHERE name = 'many'");
  add("a root below 0", "UPDATE sqlite_schema SET rootpage = -7 WHERE name = 'many'");
  add("a root that is a word", "UPDATE sqlite_schema SET rootpage = 'x' WHERE name = 'many'");
  add("an index's row of the schema gone", "DELETE FROM sqlite_schema WHERE name = 'keep_body'");
  add("a table's row of the schema gone", "DELETE FROM sqlite_schema WHERE name = 'many'");
  add("a row of the schema gone that a UNIQUE needs",
      "DELETE FROM sqlite_schema WHERE name LIKE 'sqlite_autoindex%'");
  add("a table of unreadable SQL", "UPDATE sqlite_schema SET sql = 'CREATE' WHERE name = 'many'");
  add("a table without SQL", "UPDATE sqlite_schema SET sql = NULL WHERE name = 'many'");
  add("an index of a table that is not there",
      "UPDATE sqlite_schema SET tbl_name = 'nowhere' WHERE name = 'keep_body'");
}

}  // namespace

std::vector<Damage> kinds_of_damage() {
  using D = SoundDatabase;
  constexpr std::size_t kAll = 65536;
  std::vector<Damage> all{flip_in("a table's leaf", &D::table_leaves, kAll),
                          flip_in("a table's interior page", &D::table_interiors, kAll),
                          flip_in("an index's leaf", &D::index_leaves, kAll),
                          flip_in("an index's interior page", &D::index_interiors, kAll),
                          flip_in("a table's leaf's head", &D::table_leaves, 24),
                          flip_in("an index's leaf's head", &D::index_leaves, 24),
                          flip_in("an interior page's head", &D::table_interiors, 20),
                          flip_in("an overflow page's head", &D::overflow, 4),
                          flip_in("a trunk's head", &D::trunks, 40),
                          flip_in("a free page", &D::free_leaves, kAll),
                          flip_in("a pointer map", &D::pointer_maps, 400),
                          header("a wrong page count", 28),
                          header("a wrong free list", 32),
                          header("a wrong count of free pages", 36),
                          header("a wrong largest root", 52),
                          header("a wrong incremental vacuum", 64)};
  all.push_back(damage("a bit of the header", [](auto&, auto& bytes, auto& random) {
    flip(bytes, below(random, 100), random);
    return true;
  }));
  add_of_pages(all);
  add_of_the_free_list(all);
  add_of_trees(all);
  add_of_schema(all);
  return all;
}

}  // namespace test
