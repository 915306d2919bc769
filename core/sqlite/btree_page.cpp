#include "core/sqlite/btree_page.h"

#include <iterator>

#include "core/sqlite/file_header.h"

namespace core {
namespace {

constexpr unsigned char kInteriorIndex = 2, kInteriorTable = 5, kLeafIndex = 10, kLeafTable = 13;
constexpr std::uint32_t kInteriorHeaderBytes = 12, kLeafHeaderBytes = 8, kPageNumberBytes = 4;
constexpr int kMaxVarintBytes = 9;

// https://www.sqlite.org/fileformat.html#varint
bool read_varint(const unsigned char*& at, const unsigned char* end, std::uint64_t& value) {
  value = 0;
  for (int i = 1; at < end; ++i) {
    const unsigned char byte = *at++;
    if (i == kMaxVarintBytes) {
      value = value << 8 | byte;
      return true;
    }
    value = value << 7 | (byte & 0x7fU);
    if (byte < 0x80) return true;
  }
  return false;
}

bool skip_varint(const unsigned char*& at, const unsigned char* end) {
  for (int i = 1; at < end; ++i) {
    if (*at++ < 0x80 || i == kMaxVarintBytes) return true;
  }
  return false;
}

// How much of a payload stays on its page, by section 1.6 of the format.
struct Payload {
  std::uint32_t usable, most, least;

  Payload(std::uint32_t usable_bytes, bool table_leaf)
      : usable(usable_bytes),
        most(table_leaf ? usable - 35 : (usable - 12) * 64 / 255 - 23),
        least((usable - 12) * 32 / 255 - 23) {}

  std::uint32_t on_page(std::uint64_t bytes) const {
    if (bytes <= most) return static_cast<std::uint32_t>(bytes);
    const auto kept = static_cast<std::uint32_t>(least + (bytes - least) % (usable - 4));
    return kept <= most ? kept : least;
  }
};

// https://www.sqlite.org/fileformat.html#record_format
std::uint64_t bytes_of_type(std::uint64_t type) {
  constexpr unsigned char kBytes[] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0};
  return type < std::size(kBytes) ? kBytes[type] : (type - 12) / 2;
}

// Whether the columns of a record fill its `bytes`, as far as `kept` bytes of it tell.
bool record_fits(const unsigned char* at, std::uint32_t kept, std::uint64_t bytes) {
  const unsigned char* const record = at;
  std::uint64_t total = 0;  // first the header, whose length is told at its start
  if (!read_varint(at, record + kept, total) || total > bytes) return false;
  if (total > kept) return true;
  const unsigned char* const header_end = record + total;
  if (at > header_end) return false;
  while (at < header_end && total <= bytes) {
    std::uint64_t type = 0;
    if (!read_varint(at, header_end, type)) return false;
    total += bytes_of_type(type);
  }
  return total == bytes;
}

class CellReader {
 public:
  CellReader(const unsigned char* page, std::uint32_t usable_bytes, BtreePage& to)
      : page_(page),
        end_(page + usable_bytes),
        payload_(usable_bytes, !to.index && to.leaf),
        to_(to) {}

  bool read(std::uint32_t offset) {
    const unsigned char* at = page_ + offset;
    if (!to_.leaf) {
      if (end_ - at < static_cast<std::ptrdiff_t>(kPageNumberBytes)) return false;
      to_.children.push_back(number_at(at, kPageNumberBytes));
      at += kPageNumberBytes;
      if (!to_.index) return skip_varint(at, end_);
    }
    std::uint64_t bytes = 0;
    if (!read_varint(at, end_, bytes)) return false;
    if (!to_.index && !skip_varint(at, end_)) return false;
    const std::uint32_t kept = payload_.on_page(bytes);
    const auto left = static_cast<std::uint64_t>(end_ - at);
    if (kept > left) return false;
    // Those of tables SQLite's quick_check reads itself.
    if (to_.index && !record_fits(at, kept, bytes)) return false;
    if (kept == bytes) return true;
    if (left - kept < kPageNumberBytes) return false;
    const std::uint64_t beyond = bytes - kept, page_bytes = payload_.usable - kPageNumberBytes;
    const std::uint64_t pages = beyond / page_bytes + (beyond % page_bytes != 0 ? 1 : 0);
    to_.overflow.push_back({number_at(at + kept, kPageNumberBytes), pages});
    return true;
  }

 private:
  const unsigned char* page_;
  const unsigned char* end_;
  Payload payload_;
  BtreePage& to_;
};

}  // namespace

bool read_btree_page(const unsigned char* page, std::uint32_t header_at, std::uint32_t usable_bytes,
                     BtreePage& to) {
  to.children.clear();
  to.overflow.clear();
  const unsigned char kind = page[header_at];
  to.index = kind == kInteriorIndex || kind == kLeafIndex;
  to.leaf = kind == kLeafIndex || kind == kLeafTable;
  if (!to.index && !to.leaf && kind != kInteriorTable) return false;
  to.cells = number_at(page + header_at + 3, 2);
  const std::uint32_t cells_at = header_at + (to.leaf ? kLeafHeaderBytes : kInteriorHeaderBytes);
  const std::uint32_t content_at = cells_at + 2 * to.cells;
  if (content_at > usable_bytes) return false;
  CellReader reader(page, usable_bytes, to);
  for (std::uint32_t i = 0; i < to.cells; ++i) {
    const std::uint32_t offset = number_at(page + cells_at + std::size_t{2} * i, 2);
    if (offset < content_at || offset >= usable_bytes || !reader.read(offset)) return false;
  }
  if (!to.leaf) to.children.push_back(number_at(page + header_at + 8, kPageNumberBytes));
  return true;
}

}  // namespace core
