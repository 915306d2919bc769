// What a b-tree page of a database file refers to. Pure; the bytes may be anybody's.
#pragma once

#include <cstdint>
#include <vector>

namespace core {

// The pages of a row that does not fit into its own.
struct OverflowChain {
  std::uint32_t first = 0;
  std::uint64_t pages = 0;
};

struct BtreePage {
  bool index = false;  // of an index or a WITHOUT ROWID table
  bool leaf = false;
  std::uint32_t cells = 0;
  std::vector<std::uint32_t> children;  // from left to right; empty for a leaf
  std::vector<OverflowChain> overflow;
};

// Reads into `to`, whose memory is used again. `header_at` is 100 for page 1, else 0;
// `usable_bytes` of the page, 480 to 65,536, may be read. False: this is no b-tree page, a cell
// lies beyond it, or an index's record is not as long as its columns.
// https://www.sqlite.org/fileformat.html#b_tree_pages
bool read_btree_page(const unsigned char* page, std::uint32_t header_at, std::uint32_t usable_bytes,
                     BtreePage& to);

}  // namespace core
