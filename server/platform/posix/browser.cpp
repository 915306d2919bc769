#include "server/platform/browser.h"

namespace server {

std::vector<std::string> browser_command(const std::string& file,
                                         const std::map<std::string, std::string>& variables) {
  if (variables.contains("SSH_CONNECTION")) return {};
#ifdef __APPLE__
  return {"open", file};
#else
  if (!variables.contains("DISPLAY") && !variables.contains("WAYLAND_DISPLAY")) return {};
  // Without a desktop of its own xdg-open waits for the browser's end, and so must not be waited
  // for.
  return {"/bin/sh", "-c",
          "command -v xdg-open >/dev/null || exit 1; xdg-open \"$1\" </dev/null >/dev/null 2>&1 &",
          "sh", file};
#endif
}

}  // namespace server
