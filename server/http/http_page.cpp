#include "server/http/http_page.h"

#include "core/base/base64.h"
#include "core/platform/sha256.h"

namespace server {
namespace {

std::string digest_source(std::string_view text) {
  core::Sha256 digest;
  digest.update(text.data(), text.size());
  const auto raw = digest.finish_raw();
  return "'sha256-" +
         core::base64(std::string_view(reinterpret_cast<const char*>(raw.data()), raw.size())) +
         "'";
}

// The digests of all elements of that name, "<style>" or "<script>", which bear no attributes.
std::string digests_of(std::string_view html, const std::string& element) {
  const std::string begin = "<" + element + ">", end = "</" + element + ">";
  std::string sources;
  for (std::size_t at = html.find(begin); at != std::string_view::npos; at = html.find(begin, at)) {
    at += begin.size();
    const std::string_view text = html.substr(at, html.find(end, at) - at);
    sources += " " + digest_source(text);
    at += text.size();
  }
  return sources.empty() ? " 'none'" : sources;
}

bool says(const HttpHead& head, std::string_view name, std::string_view value) {
  const std::string* field = head.headers.find(name);
  return field != nullptr && *field == value;
}

}  // namespace

std::string page_policy(std::string_view html) {
  return "default-src 'none'; script-src" + digests_of(html, "script") + "; style-src" +
         digests_of(html, "style") +
         "; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
         "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
}

HttpPage::HttpPage(std::string_view html, int port)
    : html_(html), authority_("127.0.0.1:" + std::to_string(port)), policy_(page_policy(html)) {}

std::optional<HttpAnswer> HttpPage::refusal(const HttpHead& head) const {
  const auto refuse = [](int status) { return http_refusal(status, "Refused"); };
  if (!says(head, "Host", authority_)) return refuse(403);
  if (head.headers.find("Origin") != nullptr && !says(head, "Origin", "http://" + authority_)) {
    return refuse(403);
  }
  const bool at_home =
      head.headers.find("Sec-Fetch-Site") == nullptr || says(head, "Sec-Fetch-Site", "same-origin");
  if (head.path == kPagePath) {
    const bool goes_there =
        says(head, "Sec-Fetch-Mode", "navigate") && says(head, "Sec-Fetch-Dest", "document");
    return at_home || goes_there ? std::nullopt : std::optional(refuse(403));
  }
  if (!at_home) return refuse(403);
  return head.path == kHttpPath ? std::nullopt : std::optional(refuse(404));
}

std::optional<HttpAnswer> HttpPage::answer(const HttpHead& head) const {
  if (head.path != kPagePath) return std::nullopt;
  if (head.method != "GET" && head.method != "HEAD") return http_refusal(405, "Refused");
  HttpAnswer page;
  page.content_type = "text/html; charset=utf-8";
  page.body = html_;
  return page;
}

void HttpPage::guard(HttpAnswer& answer) const {
  answer.headers.insert(answer.headers.end(), {{"Content-Security-Policy", policy_},
                                               {"X-Content-Type-Options", "nosniff"},
                                               {"Referrer-Policy", "no-referrer"},
                                               {"Cross-Origin-Opener-Policy", "same-origin"},
                                               {"Cross-Origin-Resource-Policy", "same-origin"},
                                               {"Cache-Control", "no-store"}});
}

}  // namespace server
