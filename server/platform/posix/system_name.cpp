#include "server/platform/system_name.h"

#include <sys/utsname.h>

namespace server {

std::string system_name() {
  utsname about{};
  if (::uname(&about) != 0) return "an unknown system";
  return std::string(about.sysname) + " " + about.release + " " + about.machine;
}

}  // namespace server
