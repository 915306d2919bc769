// What this program runs on, for reports that people send.
#pragma once

#include <string>

namespace server {

// "Linux 6.1.0-18-amd64 x86_64", "Windows 10.0.22631 x86_64"; no name of a machine or person.
std::string system_name();

}  // namespace server
