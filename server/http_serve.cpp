// From the command line's words to a server that may be started, and its life until a signal.
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "server/command_line.h"
#include "server/http_server.h"
#include "server/log.h"
#include "server/signals.h"

namespace server {
namespace {

constexpr std::uint64_t kMaxTokenFileBytes = 4096;
constexpr std::size_t kMinTokenBytes = 16;
constexpr int kMaxPort = 65535;
constexpr const char* kTokenVariable = "BACKUP_PLUGIN_DB_TOKEN";
constexpr std::chrono::milliseconds kRunningCheck{500};

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  return first == std::string::npos
             ? std::string()
             : text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

core::Expected<std::string> token_of(const HttpSettings& settings, const core::Env& env) {
  std::string token;
  std::string origin = std::string("The variable ") + kTokenVariable;
  if (!settings.token_file.empty()) {
    origin = "The file " + settings.token_file;
    auto text = env.files.read(settings.token_file, kMaxTokenFileBytes);
    if (!text) {
      return core::fail(text.error());
    }
    token = trimmed(*text);
  } else {
    const auto& variables = env.places.variables;
    const auto at = variables.find(kTokenVariable);
    if (at == variables.end()) {
      return token;
    }
    token = at->second;
  }
  const bool printable =
      std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  if (token.size() < kMinTokenBytes || !printable) {
    return core::fail(core::ErrorCode::invalid_argument,
                      origin + " does not hold a token of at least " +
                          std::to_string(kMinTokenBytes) + " printable characters.",
                      "Make one, for example by: openssl rand -hex 32");
  }
  return token;
}

std::string url_of(const HttpOptions& options, int port) {
  const bool ipv6 = options.host.find(':') != std::string::npos;
  return "http://" + (ipv6 ? "[" + options.host + "]" : options.host) + ":" + std::to_string(port) +
         kHttpPath;
}

int report(const core::Error& error) {
  std::fprintf(stderr, "%s\n", error_text(error).c_str());
  return exit_code(error.code);
}

}  // namespace

bool is_loopback_address(const std::string& host) {
  return host == "localhost" || host == "::1" ||
         (host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string::npos);
}

core::Expected<HttpAddress> parse_http_address(const std::string& text) {
  const auto colon = text.rfind(':');
  const std::string port = colon == std::string::npos ? std::string() : text.substr(colon + 1);
  std::string host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) {
    host = host.substr(1, host.size() - 2);
  }
  constexpr std::size_t kMaxDigits = 5;
  const bool good = !host.empty() && (bracketed || host.find(':') == std::string::npos) &&
                    !port.empty() && port.size() <= kMaxDigits &&
                    port.find_first_not_of("0123456789") == std::string::npos &&
                    std::stoi(port) <= kMaxPort;
  if (!good) {
    return core::fail(core::ErrorCode::invalid_argument,
                      "\"" + text + "\" is not an address to listen on.",
                      "Give host and port, for example 127.0.0.1:8765; port 0 takes a free one.");
  }
  return HttpAddress{host == "localhost" ? "127.0.0.1" : host, std::stoi(port)};
}

core::Expected<HttpOptions> http_options(const HttpSettings& settings, const core::Env& env) {
  auto address = parse_http_address(settings.address);
  if (!address) {
    return core::fail(address.error());
  }
  auto token = token_of(settings, env);
  if (!token) {
    return core::fail(token.error());
  }
  HttpOptions options;
  options.host = address->host;
  options.port = address->port;
  options.token = *token;
  options.allowed.origins = settings.allowed_origins;
  // All of 127.0.0.0/8 is this machine, and clients name the address that we print.
  options.allowed.hosts = {options.host};
  if (!is_loopback_address(options.host)) {
    if (options.token.empty()) {
      return core::fail(
          core::ErrorCode::permission_denied,
          "Listening on " + settings.address + " lets other machines in, which needs a token.",
          std::string("Give --token-file or set ") + kTokenVariable + ", or listen on 127.0.0.1.");
    }
    // Beyond loopback the token, not the Host header, keeps other pages of a browser out; what
    // names this machine is known to be reached under is its user's business.
    options.allowed.any_host = true;
  }
  return options;
}

int serve_http(const HttpSettings& settings, Dispatcher& dispatcher, const core::Env& env) {
  auto options = http_options(settings, env);
  if (!options) {
    return report(options.error());
  }
  const HttpOptions chosen = *options;
  HttpServer server(dispatcher, std::move(*options));
  const int signal_fd = termination_signals();
  if (signal_fd < 0) {
    return report(core::error_from_errno(errno, "cannot listen for signals"));
  }
  const auto port = server.start();
  if (!port) {
    return report(port.error());
  }
  std::fprintf(stderr, "Listening on %s%s\n", url_of(chosen, *port).c_str(),
               chosen.token.empty() ? "" : " (bearer token needed)");
  pollfd signals{signal_fd, POLLIN, 0};
  while (server.running() && ::poll(&signals, 1, static_cast<int>(kRunningCheck.count())) <= 0) {
  }
  const bool asked = server.running();
  if (!server.stop()) {
    // As on stdio: a handler that ignores its stop signal must not keep the process.
    log_warning("A call did not stop in time.");
    std::_Exit(asked ? kExitDone : exit_code(core::ErrorCode::io));
  }
  return asked ? 0 : report({core::ErrorCode::io, "The listening socket failed.", ""});
}

}  // namespace server
