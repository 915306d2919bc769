// Fuzz target: any bytes as a JSON-RPC message. What decodes must encode to text that decodes to
// the same again.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "server/jsonrpc/jsonrpc.h"
#include "server/jsonrpc/transport.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto json = server::parse_json(text);
  if (!json) return 0;
  static_cast<void>(server::classify(*json, std::nullopt));
  if (json->is_array()) return 0;
  const auto message = server::decode_message(*json);
  if (!message) return 0;
  const std::string encoded = server::encode_message(*message);
  const auto again = server::parse_json(encoded);
  if (!again || encoded.find('\n') != std::string::npos) std::abort();
  const auto decoded = server::decode_message(*again);
  if (!decoded || decoded->index() != message->index() ||
      server::encode_message(*decoded) != encoded) {
    std::abort();
  }
  return 0;
}
