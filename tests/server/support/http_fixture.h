// An HTTP server that runs for as long as a test.
#pragma once

#include <string>
#include <utility>

#include "server/http/http_server.h"
#include "support/catch.h"
#include "support/raw_http.h"

namespace test {

class HttpFixture {
 public:
  explicit HttpFixture(server::HttpOptions options = {}, server::ServerDefinition definition = {})
      : definition_(std::move(definition)),
        dispatcher_(definition_, core::system_clock()),
        server_(dispatcher_, std::move(options)) {
    const auto port = server_.start();
    REQUIRE(port);
    port_ = *port;
  }

  int port() const { return port_; }
  // The first answer to these bytes, on a connection of its own.
  RawReply exchange(const std::string& bytes) const {
    RawHttp client(port_);
    client.send(bytes);
    return client.read_reply();
  }
  std::size_t running() const { return dispatcher_.running(); }

 private:
  server::ServerDefinition definition_;
  server::Dispatcher dispatcher_;
  server::HttpServer server_;
  int port_ = 0;
};

}  // namespace test
