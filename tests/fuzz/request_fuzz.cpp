// Fuzz target: what a client sends on one connection, head and body. However it comes in pieces,
// the same requests are read. Whether another reader sees the same ones: second_reader.mjs.
#include <cstdint>
#include <cstdlib>

#include "tests/fuzz/request_reading.h"

namespace {

constexpr std::size_t kMaxInput = 32UL * 1024;  // bytes: what a socket takes without being read
constexpr std::size_t kPieces = 8;

bool same(const fuzz::RequestReading& a, const fuzz::RequestReading& b) {
  return a.refused == b.refused && a.why == b.why && a.head.method == b.head.method &&
         a.head.path == b.head.path && a.head.keep_alive == b.head.keep_alive &&
         a.head.headers.size() == b.head.headers.size() && a.body == b.body;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > kMaxInput) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto whole = fuzz::read_requests(bytes, 1);
  const auto pieced = fuzz::read_requests(bytes, kPieces);
  if (whole.size() != pieced.size()) std::abort();
  for (std::size_t i = 0; i < whole.size(); ++i) {
    if (!same(whole[i], pieced[i])) std::abort();
  }
  return 0;
}
