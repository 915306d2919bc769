#include "core/offsite/metered.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

namespace core {
namespace {

// No service is started in order to be asked.
#if defined(_WIN32)
const std::vector<std::string> kQuestion{
    "powershell.exe", "-NoProfile", "-NonInteractive", "-Command",
    "[Windows.Networking.Connectivity.NetworkInformation,Windows,ContentType=WindowsRuntime]"
    "::GetInternetConnectionProfile().GetConnectionCost().NetworkCostType"};
#elif defined(__APPLE__)
const std::vector<std::string> kQuestion{};
#else
const std::vector<std::string> kQuestion{"busctl",
                                         "--system",
                                         "--auto-start=no",
                                         "--timeout=2",
                                         "get-property",
                                         "org.freedesktop.NetworkManager",
                                         "/org/freedesktop/NetworkManager",
                                         "org.freedesktop.NetworkManager",
                                         "Metered"};
#endif

// https://networkmanager.dev/docs/api/latest/nm-dbus-types.html#NMMetered: yes, and a guess of yes;
// https://learn.microsoft.com/uwp/api/windows.networking.connectivity.networkcosttype
constexpr std::array<std::string_view, 4> kMetered{"u 1", "u 3", "Fixed", "Variable"};

}  // namespace

bool says_metered(std::string_view answer) {
  answer = answer.substr(0, answer.find_last_not_of(" \r\n") + 1);
  return std::find(kMetered.begin(), kMetered.end(), answer) != kMetered.end();
}

bool network_is_metered(const Env& env, std::stop_token stop) {
  if (kQuestion.empty()) return false;
  Command command;
  command.argv = kQuestion;
  command.timeout = kAskNetworkTimeout;
  const auto said = env.commands.run(command, std::move(stop));
  return said && said->exit_code == 0 && says_metered(said->output);
}

}  // namespace core
