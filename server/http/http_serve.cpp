// From the command line's words to a server that may be started, and its life until a signal.
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "core/base/paths.h"
#include "core/base/shell_word.h"
#include "core/platform/secrets.h"
#include "core/platform/sha256.h"
#include "server/base/exit_codes.h"
#include "server/base/log.h"
#include "server/base/printable.h"
#include "server/http/http_page.h"
#include "server/http/http_server.h"
#include "server/platform/signals.h"

namespace server {
namespace {

constexpr std::uint64_t kMaxTokenFileBytes = 4096;
constexpr std::size_t kMinTokenBytes = 16;
constexpr std::size_t kTokenBytes = 32;  // of randomness
constexpr int kMaxPort = 65535;
constexpr const char* kTokenVariable = "BACKUP_PLUGIN_DB_TOKEN";
constexpr std::chrono::milliseconds kRunningCheck{500};

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  return first == std::string::npos
             ? std::string()
             : text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

// A bearer token, and how a shell gets at it.
struct Token {
  std::string text;   // empty: none is needed
  std::string shell;  // $(cat /path), $VARIABLE
};

std::string shell_read(const core::fs::path& file) {
  return "$(" + core::shell_command({"cat", core::text_of(file)}) + ")";
}

core::Expected<> check_token(const std::string& token, const std::string& origin) {
  const bool printable =
      std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  if (token.size() >= kMinTokenBytes && printable) {
    return {};
  }
  return core::fail(core::ErrorCode::invalid_argument,
                    origin + " does not hold a token of at least " +
                        std::to_string(kMinTokenBytes) + " printable characters.",
                    "Make one, for example by: openssl rand -hex 32");
}

// Never over another's: two servers that start at once share the one that was there first.
core::Expected<> make_token(const core::fs::path& path, core::FileSystem& files) {
  BPD_TRY(files.make_folders(path.parent_path(), core::kPrivateFolder));
  const core::fs::path draft = core::text_of(path) + "." + core::random_id();
  const std::string token = core::sha256_of(core::random_bytes(kTokenBytes));
  BPD_TRY(files.write_atomically(draft, token + "\n", core::kPrivateFile));
  auto placed = files.rename_new(draft, path);
  if (!placed) (void)files.remove(draft);
  return placed || placed.error().code == core::ErrorCode::conflict ? core::Expected<>() : placed;
}

core::Expected<std::string> read_token(const core::fs::path& path, const core::Env& env) {
  BPD_TRY_AS(text, env.files.read(path, kMaxTokenFileBytes));
  std::string token = trimmed(*text);
  BPD_TRY(check_token(token, "The file " + core::text_of(path)));
  return token;
}

bool others_may_read(const core::fs::path& path, const core::Env& env) {
  constexpr std::uint32_t kOthers = 077;
  const auto info = env.files.info(path);
  return info && (info->mode & kOthers) != 0;
}

core::Expected<Token> kept_token(const core::Env& env) {
  const core::fs::path path = own_token_path(env.places);
  if (!env.files.link_info(path)) {
    BPD_TRY(make_token(path, env.files));
  }
  if (others_may_read(path, env)) {
    return core::fail(
        core::ErrorCode::permission_denied,
        core::text_of(path) + " may be read by other users, so it is no secret any more.",
        std::string("Delete it: the next start makes a new one. Where files have no "
                    "permissions, set ") +
            kTokenVariable + " instead.");
  }
  return read_token(path, env).map([&path](std::string text) {
    return Token{std::move(text), shell_read(path)};
  });
}

core::Expected<Token> token_of(const HttpSettings& settings, bool loopback, const core::Env& env) {
  if (!settings.token_file.empty()) {
    if (others_may_read(settings.token_file, env)) {
      log_warning("Other users may read the token in " + settings.token_file + ": chmod 600 it.");
    }
    return read_token(settings.token_file, env).map([&settings](std::string text) {
      return Token{std::move(text), shell_read(settings.token_file)};
    });
  }
  const auto& variables = env.places.variables;
  if (const auto at = variables.find(kTokenVariable); at != variables.end()) {
    const std::string origin = std::string("The variable ") + kTokenVariable;
    if (settings.no_token) {
      return core::fail(core::ErrorCode::invalid_argument,
                        origin + " holds a token, and --no-token wants none.",
                        "Unset the variable, or leave the flag out.");
    }
    BPD_TRY(check_token(at->second, origin));
    return Token{at->second, core::shell_variable(kTokenVariable)};
  }
  return settings.keep_token && loopback ? kept_token(env) : Token{};
}

std::string url_of(const HttpOptions& options, int port) {
  const bool ipv6 = options.host.find(':') != std::string::npos;
  return "http://" + (ipv6 ? "[" + options.host + "]" : options.host) + ":" + std::to_string(port) +
         kHttpPath;
}

// The address stands alone in its line up to the first space: scripts read it from there.
std::string greeting(const HttpOptions& options, const std::string& url, const std::string& name) {
  if (options.token.empty()) {
    return "Listening on " + url +
           "\nThere is no token: every user and program of this machine may call every tool.\n";
  }
  return "Listening on " + url + " (bearer token needed)\nFor Claude Code, in a shell of yours:\n" +
         "  claude mcp add --transport http " + (name.empty() ? "NAME" : name) + " " + url +
         " --header \"Authorization: Bearer " + options.token_in_shell + "\"\n";
}

// The token stands behind the #, which no browser sends to anybody.
std::string page_url(int port, const std::string& token) {
  return "http://127.0.0.1:" + std::to_string(port) + kPagePath + "#t=" + token;
}

}  // namespace

bool is_loopback_address(const std::string& host) {
  return host == "localhost" || host == "::1" ||
         (host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string::npos);
}

core::fs::path own_token_path(const core::Places& places) {
  return places.config / "http-token";
}

core::Expected<HttpAddress> parse_http_address(const std::string& text) {
  const auto colon = text.rfind(':');
  const std::string port = colon == std::string::npos ? std::string() : text.substr(colon + 1);
  std::string host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
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
  if (!settings.page.empty()) {
    HttpOptions own;
    own.page = settings.page;
    own.token = core::sha256_of(core::random_bytes(kTokenBytes));
    return own;
  }
  BPD_TRY_AS(address, parse_http_address(settings.address));
  BPD_TRY_AS(token, token_of(settings, is_loopback_address(address->host), env));
  HttpOptions options;
  options.host = address->host;
  options.port = address->port;
  options.token = token->text;
  options.token_in_shell = token->shell;
  for (std::string origin : settings.allowed_origins) {
    if (origin.ends_with('/')) origin.pop_back();  // as browsers show it, not as they send it
    options.allowed.origins.push_back(std::move(origin));
  }
  // All of 127.0.0.0/8 is this machine, and clients name the address that we print.
  options.allowed.hosts = {options.host};
  for (const std::string& name : settings.allowed_hosts) {
    options.allowed.hosts.push_back(normal_host(name));
    if (options.allowed.hosts.back().empty()) {
      return core::fail(core::ErrorCode::invalid_argument,
                        "--allow-host \"" + name + "\" is not the name of a host.",
                        "Give it as clients write it, for example backup.example.com.");
    }
  }
  // The token, not the Host header, keeps other pages of a browser out: they cannot know it. What
  // names a proxy or this machine is known by is its user's business.
  options.allowed.any_host = !options.token.empty();
  if (!is_loopback_address(options.host)) {
    if (options.token.empty()) {
      return core::fail(
          core::ErrorCode::permission_denied,
          "Listening on " + settings.address + " lets other machines in, which needs a token.",
          std::string("Give --token-file or set ") + kTokenVariable + ", or listen on 127.0.0.1.");
    }
  }
  return options;
}

int serve_http(const HttpSettings& settings, Dispatcher& dispatcher, const core::Env& env) {
  auto options = http_options(settings, env);
  if (!options) return report(options.error());
  const HttpOptions chosen = *options;
  HttpServer server(dispatcher, std::move(*options));
  const auto signals = termination_signals();
  if (!signals) return report(signals.error());
  const auto port = server.start();
  if (!port) return report(port.error());
  if (chosen.page.empty()) {
    std::fputs(greeting(chosen, url_of(chosen, *port), settings.name).c_str(), stderr);
  } else if (auto told = settings.on_ready(page_url(*port, chosen.token), *port); !told) {
    return report(told.error());
  }
  const auto is_over = [&] {
    return !chosen.page.empty() && server.idle_for() > settings.idle_limit;
  };
  while (server.running() && !(*signals)->wait_for(kRunningCheck) && !is_over()) {
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
