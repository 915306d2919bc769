// The page that a server of its own shows in a browser of this machine: who may have it, and what
// the browser may do with it. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "server/http/http_endpoint.h"
#include "server/http/http_headers.h"

namespace server {

// Where the page is, when its server listens on 127.0.0.1.
inline constexpr const char* kPagePath = "/";

class HttpPage {
 public:
  // Of the page's text, which must outlive this. `port`: where it is served.
  HttpPage(std::string_view html, int port);

  // The refusal of a request that is neither from this page nor for it; nothing: go on. Host and
  // Origin must be exactly ours: a name that leads here (DNS rebinding) and a page on another port
  // are strangers. A browser that tells where a request comes from (Sec-Fetch-Site) must say from
  // here; only the page itself may be navigated to from elsewhere. Tokens are not looked at.
  std::optional<HttpAnswer> refusal(const HttpHead& head) const;
  // The page, for GET or HEAD of its path; nothing for other requests.
  std::optional<HttpAnswer> answer(const HttpHead& head) const;
  // Adds to any answer what keeps it from being kept, framed, sniffed or read by strangers.
  void guard(HttpAnswer& answer) const;

 private:
  std::string_view html_;
  std::string authority_;  // "127.0.0.1:40123"
  std::string policy_;
};

// The Content-Security-Policy of a page whose scripts and styles all stand in it: each runs by its
// digest, nothing is loaded, and texts never become markup (Trusted Types).
// https://www.w3.org/TR/CSP3/
std::string page_policy(std::string_view html);

}  // namespace server
