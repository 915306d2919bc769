#include "server/platform/browser.h"

namespace server {

std::vector<std::string> browser_command(const std::string& file,
                                         const std::map<std::string, std::string>& variables) {
  if (variables.contains("SSH_CONNECTION")) return {};
  return {"rundll32", "url.dll,FileProtocolHandler", file};
}

}  // namespace server
