// How a file of this machine is opened in the user's browser.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace server {

// The command, which returns at once; the last word is the file. Empty where no browser can be seen
// from here: no desktop, or a session from another machine. `variables`: the environment.
std::vector<std::string> browser_command(const std::string& file,
                                         const std::map<std::string, std::string>& variables);

}  // namespace server
