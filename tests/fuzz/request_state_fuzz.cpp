// Fuzz target: requestState. No bytes that we did not sign verify, and what we signed verifies only
// unchanged, for the same principal and request.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/base/env.h"
#include "server/mcp/request_state.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static server::RequestStates states([] { return std::string(32, 'k'); }, core::system_clock());
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (states.verify(text, "local", "digest")) std::abort();
  if (size < 3) return 0;
  server::RequestStates::Memory memory;
  memory.state = std::string(text.substr(3));
  const std::string own = states.sign(memory, "local", "digest");
  const auto verified = states.verify(own, "local", "digest");
  if (own.size() <= server::RequestStates::kMaxText && !verified) std::abort();
  std::string changed = own;
  const std::size_t at = (data[0] + 256u * data[1]) % own.size();
  changed[at] = static_cast<char>(data[2]);
  if (changed != own && states.verify(changed, "local", "digest")) std::abort();
  if (states.verify(own + static_cast<char>(data[2]), "local", "digest") ||
      states.verify(own, "other", "digest") || states.verify(own, "local", "other")) {
    std::abort();
  }
  return 0;
}
