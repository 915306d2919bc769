// The HTTP server: sockets, threads and limits around an HttpEndpoint.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/env.h"
#include "server/http/http_endpoint.h"
#include "server/http/http_settings.h"
#include "server/mcp/dispatcher.h"

namespace server {

struct HttpOptions {
  std::string host = "127.0.0.1";  // a literal address
  int port = 0;                    // 0: any free one
  std::string token;               // demanded of every request unless empty
  std::string token_in_shell{};    // how a shell gets at it: $(cat /path)
  HttpOrigins allowed;
  HttpLimits limits;
  std::string_view page{};  // as HttpSettings::page
};

// GET tells watchers, without a token, that the server answers; nothing more.
inline constexpr const char* kHealthPath = "/health";

// Each connection has a thread of its own, up to HttpLimits::max_connections: an open event stream
// holds up nobody else. Whoever comes above that is told 503, and so is, or is just let go, whom
// the system has no thread or descriptor for.
class HttpServer {
 public:
  HttpServer(Dispatcher& dispatcher, HttpOptions options);
  ~HttpServer();  // as stop()
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Binds and serves from now on, on threads of its own; returns the port. io_error when the
  // address cannot be had.
  core::Expected<int> start();
  // False once the listener ended by itself, which it does when the system fails it.
  bool running() const;
  // How long ago the last request ended that was not refused; zero while one goes on.
  std::chrono::milliseconds idle_for() const;
  // Ends calls and streams, those of 2026-07-28 with their results, then the connections, however
  // their clients behave. `grace` bounds the wait for handlers; false: one has not returned.
  // Idempotent.
  bool stop(std::chrono::milliseconds grace = std::chrono::milliseconds(500));

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

struct HttpAddress {
  std::string host;
  int port = 0;
};
// "127.0.0.1:8765", "[::1]:8765", "localhost:0"; invalid_argument otherwise.
core::Expected<HttpAddress> parse_http_address(const std::string& text);
// 127.0.0.0/8, ::1 or localhost.
bool is_loopback_address(const std::string& host);

// Where HttpSettings::keep_token keeps the token, readable by the user alone.
core::fs::path own_token_path(const core::Places& places);

// What the settings come to: reads the token file or BACKUP_PLUGIN_DB_TOKEN, or on loopback reads
// or makes the token of our own; refuses an address beyond loopback without a token
// (permission_denied), and a token of our own that others may read.
core::Expected<HttpOptions> http_options(const HttpSettings& settings, const core::Env& env);

// Serves until SIGTERM or SIGINT; prints the address on standard error. Returns the exit code.
int serve_http(const HttpSettings& settings, Dispatcher& dispatcher, const core::Env& env);

}  // namespace server
