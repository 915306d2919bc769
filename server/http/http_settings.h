// What a user may set of the HTTP server.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"

namespace server {

// `serve --http …`, as the command line gave it.
struct HttpSettings {
  std::string address;     // "127.0.0.1:8765"
  std::string token_file;  // empty: the token comes from the environment, if at all
  // Where neither has one, and on loopback: a token of our own, which the first start makes.
  bool keep_token = false;
  bool no_token = false;  // none is wanted, so none may be set
  std::string name;       // of the server, as clients may call it
  std::vector<std::string> allowed_origins;
  std::vector<std::string> allowed_hosts;  // names that clients call it by, where there is no token
  // Not empty: the server of this page alone (http_page.h). It listens on 127.0.0.1, any free port,
  // has a new token each time, and ends when nobody has used it for a while; of the above only the
  // name counts. The text must outlive it.
  std::string_view page{};
  // With a page: how long the server goes on when nobody who may uses it.
  std::chrono::milliseconds idle_limit{std::chrono::minutes(30)};
  // Hears once where the page is; the address holds the token. An error ends the server.
  std::function<core::Expected<>(const std::string& url, int port)> on_ready{};
};

}  // namespace server
