#include "server/base/exit_codes.h"

#include <algorithm>

namespace server {

int exit_code(core::ErrorCode code) {
  const auto found = std::find_if(kExitCodes.begin(), kExitCodes.end(),
                                  [code](const auto& entry) { return entry.first == code; });
  return found == kExitCodes.end() ? kExitCodes.back().second : found->second;
}

}  // namespace server
