// What a user may set of the HTTP server.
#pragma once

#include <string>
#include <vector>

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
};

}  // namespace server
