// Prints what our reader of HTTP makes of each file: a line of JSON for each, bytes as hexadecimal.
//   tell_requests FILE…
#include <cstdio>
#include <fstream>
#include <iterator>

#include "server/jsonrpc/json.h"
#include "tests/fuzz/request_reading.h"

namespace {

std::string hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    text += kDigits[static_cast<unsigned char>(c) >> 4U];
    text += kDigits[static_cast<unsigned char>(c) & 15U];
  }
  return text;
}

server::Json told(const fuzz::RequestReading& reading) {
  if (reading.refused != 0) return {{"refused", reading.refused}, {"why", hex(reading.why)}};
  server::Json fields = server::Json::array();
  for (const auto& [name, value] : reading.head.headers) {
    fields.push_back({hex(name), hex(value)});
  }
  return {{"method", reading.head.method},
          {"path", reading.head.path},
          {"fields", std::move(fields)},
          {"body", hex(reading.body)}};
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    std::ifstream in(argv[i], std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    server::Json line{{"file", argv[i]}, {"requests", server::Json::array()}};
    for (const auto& reading : fuzz::read_requests(bytes, 1)) {
      line["requests"].push_back(told(reading));
    }
    std::puts(line.dump().c_str());
  }
  return 0;
}
