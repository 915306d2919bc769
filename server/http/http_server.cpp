// The one file that knows cpp-httplib's server: accepting, and the gate every request passes. Of
// cpp-httplib it takes the writing of answers alone; requests are read by HttpConnection.
#include "server/http/http_server.h"

#include <httplib.h>

#include <algorithm>
#include <atomic>
#include <system_error>
#include <thread>
#include <utility>

#include "core/platform/sha256.h"
#include "server/base/log.h"
#include "server/http/http_connection.h"
#include "server/http/http_page.h"
#include "server/http/http_threads.h"
#include "server/platform/sockets.h"

namespace server {
namespace {

using std::chrono::milliseconds;

constexpr int kListenBacklog = 512;
constexpr milliseconds kAcceptCheck{500};
constexpr int kMaxRequestsPerConnection = 100'000;
// How long open streams get to send their last events when the server stops.
constexpr milliseconds kDrain{400};
constexpr const char* kCorsMaxAgeS = "600";

// How soon the listener looks again when the system has no descriptor for a connection.
constexpr milliseconds kShortagePause{100};
constexpr std::chrono::seconds kShortageNews{60};

// Lets cpp-httplib speak through an HttpConnection.
class ConnectionStream final : public httplib::Stream {
 public:
  explicit ConnectionStream(HttpConnection& connection) : connection_(connection) {}
  bool is_readable() const override { return connection_.has_head(); }
  bool is_writable() const override { return !connection_.closes(); }
  ssize_t read(char* to, size_t size) override { return connection_.read(to, size); }
  ssize_t write(const char* from, size_t size) override { return connection_.write(from, size); }
  void get_remote_ip_and_port(std::string&, int&) const override {}
  void get_local_ip_and_port(std::string&, int&) const override {}
  socket_t socket() const override { return INVALID_SOCKET; }

 private:
  HttpConnection& connection_;
};

std::string unavailable() {
  const std::string body = http_refusal(503, "Too many connections: try again later").body;
  return "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n"
         "Retry-After: 5\r\nConnection: close\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace

class Listener final : public httplib::Server {
 public:
  Listener(HttpEndpoint& endpoint, const HttpOptions& options)
      : endpoint_(endpoint),
        options_(options),
        threads_(options.limits.max_connections, [this](Socket socket, Treatment treatment) {
          serve(std::move(socket), treatment);
        }) {
    set_keep_alive_max_count(kMaxRequestsPerConnection);
    set_keep_alive_timeout(
        std::chrono::floor<std::chrono::seconds>(options.limits.idle_timeout).count());
    set_pre_routing_handler([this](const httplib::Request&, httplib::Response& response) {
      add_cors(response);
      HttpAnswer given = answer();
      if (page_) page_->guard(given);
      respond(response, std::move(given));
      return HandlerResponse::Handled;
    });
    set_exception_handler(
        [this](const httplib::Request&, httplib::Response& response, const std::exception_ptr&) {
          HttpConnection::current().close_after();
          respond(response, http_refusal(500, "The server failed", rpc_code::kInternalError));
        });
  }
  ~Listener() override { close_socket(); }

  // The port; nothing when the address cannot be had.
  std::optional<int> listen_on(const std::string& host, int port);
  // Serves until end_accepting(), or until the socket fails; then waits for the connections.
  void accept_connections();
  void begin_stop() { stopping_ = true; }
  void cut_connections() { cut_ = true; }
  void end_accepting() {
    ended_ = true;
    socket_->shut_down();
  }
  // Once nothing accepts any more: nobody can connect.
  void close_socket();
  milliseconds idle_for() const;

 private:
  void meet_shortage();
  void tell_of_shortage(const char* what);
  void serve(Socket socket, Treatment treatment);
  void serve_requests(HttpConnection& connection);
  // What the request gets.
  HttpAnswer answer();
  // The refusal of a request that must not reach the endpoint, or nothing.
  std::optional<HttpAnswer> refusal() const;
  // What is answered without looking at the token, or nothing: faults, wrong places, preflights.
  std::optional<HttpAnswer> answer_to_anybody(const HttpHead& head) const;
  HttpAnswer nothing_here() const;
  HttpAnswer unauthorized(const HttpHead& head) const;
  HttpAnswer post();
  void add_cors(httplib::Response& response) const;
  static HttpCall call_of(std::string body);
  // While what it gives lives, and when that goes, the server is in use.
  std::shared_ptr<void> begin_use();
  void respond(httplib::Response& response, HttpAnswer answer);

  HttpEndpoint& endpoint_;
  const HttpOptions& options_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> cut_{false};
  std::atomic<bool> ended_{false};
  std::optional<ListeningSocket> socket_;
  std::optional<HttpPage> page_;
  std::atomic<int> uses_{0};
  std::atomic<std::chrono::steady_clock::time_point> last_use_{std::chrono::steady_clock::now()};
  std::optional<std::chrono::steady_clock::time_point> shortage_told_;
  ConnectionThreads threads_;
};

std::optional<int> Listener::listen_on(const std::string& host, int port) {
  socket_ = ListeningSocket::open(host, port, kListenBacklog);
  if (!socket_) return std::nullopt;
  if (!options_.page.empty()) page_.emplace(options_.page, socket_->port());
  svr_sock_ = 0;  // of cpp-httplib, which ends every stream while it believes that it has no socket
  return socket_->port();
}

void Listener::close_socket() {
  svr_sock_ = INVALID_SOCKET;
  socket_.reset();
}

void Listener::accept_connections() {
  while (!ended_) {
    Socket connection;
    const auto outcome = socket_->accept(connection, kAcceptCheck);
    if (outcome == ListeningSocket::Outcome::accepted) {
      if (!threads_.take(connection)) {
        tell_of_shortage("thread");
        turn_away(std::move(connection), unavailable());
      }
    } else if (outcome == ListeningSocket::Outcome::shortage) {
      meet_shortage();
    } else if (outcome == ListeningSocket::Outcome::broken) {
      break;
    }
  }
  threads_.shutdown();
}

// A connection that could not be accepted would be reported again at once, for ever.
void Listener::meet_shortage() {
  tell_of_shortage("descriptor");
  socket_->turn_one_away(unavailable());
  std::this_thread::sleep_for(kShortagePause);
}

void Listener::tell_of_shortage(const char* what) {
  const auto now = std::chrono::steady_clock::now();
  if (shortage_told_ && now - *shortage_told_ < kShortageNews) return;
  shortage_told_ = now;
  log_warning(std::string("There is no ") + what +
              " for another connection: it was turned away. Others are served.");
}

void Listener::serve(Socket socket, Treatment treatment) {
  HttpConnection connection(std::move(socket), options_.limits, cut_);
  try {
    if (treatment == Treatment::serve) {
      serve_requests(connection);
    } else {
      connection.send_and_close(unavailable());
    }
  } catch (const std::exception& error) {
    connection.close_after();
    log_error(std::string("A connection failed: ") + error.what());
  }
  if (connection.closes()) connection.linger();
}

void Listener::serve_requests(HttpConnection& connection) {
  ConnectionStream stream(connection);
  for (int served = 1; connection.await_request([this] { return stopping_.load(); }); ++served) {
    if (!connection.read_head()) return;
    const bool last = served == kMaxRequestsPerConnection;
    bool closed = false;
    const bool good = process_request(stream, last, closed, nullptr);
    connection.flush();
    if (!good || closed || last || connection.closes()) return;
  }
}

HttpAnswer Listener::answer() {
  HttpConnection& connection = HttpConnection::current();
  if (auto refused = refusal()) {
    // A client may send a body all the same, whatever it said.
    if (connection.head().method == "POST" || has_body(connection.head().headers)) {
      connection.close_after();
    }
    return std::move(*refused);
  }
  const auto use = begin_use();
  if (page_) {
    if (auto page = page_->answer(connection.head())) return std::move(*page);
  }
  if (connection.head().method == "POST") return post();
  if (has_body(connection.head().headers)) connection.close_after();
  return endpoint_.handle(call_of({}));
}

std::optional<HttpAnswer> Listener::refusal() const {
  const HttpConnection& connection = HttpConnection::current();
  const HttpHead& head = connection.head();
  if (const auto& fault = connection.fault()) return http_refusal(fault->status, fault->why);
  if (page_) {
    if (auto answer = page_->refusal(head)) return answer;
    if (head.path == kPagePath) return std::nullopt;  // it holds no secret
  } else if (auto answer = answer_to_anybody(head)) {
    return answer;
  }
  if (!options_.token.empty() && !bearer_matches(head.headers, options_.token)) {
    return unauthorized(head);
  }
  return std::nullopt;
}

std::optional<HttpAnswer> Listener::answer_to_anybody(const HttpHead& head) const {
  if (!host_allowed(head.headers, options_.allowed)) {
    return http_refusal(403,
                        "The Host header names another host than this server serves: start it with "
                        "--allow-host and that name");
  }
  const std::string* origin = head.headers.find("Origin");
  if (!origin_allowed(head.headers, options_.allowed)) {
    return http_refusal(403,
                        "Requests from this Origin are not allowed: start the server with "
                        "--allow-origin " +
                            (origin->empty() ? "and the page's origin" : *origin));
  }
  if (head.path == kHealthPath && (head.method == "GET" || head.method == "HEAD")) {
    HttpAnswer answer;
    answer.content_type = "application/json";
    answer.body = R"({"status":"ok"})";
    return answer;
  }
  if (head.path != kHttpPath && head.path != std::string(kHttpPath) + "/") return nothing_here();
  if (head.method == "OPTIONS" && origin != nullptr) {
    // A browser's preflight, which cannot carry the token.
    if (origin_listed(head.headers, options_.allowed)) return HttpAnswer{};
    return http_refusal(403,
                        "A page of this Origin may not read answers: start the server with "
                        "--allow-origin " +
                            *origin);
  }
  return std::nullopt;
}

// What clients say to their users when they have looked for OAuth and found none.
HttpAnswer Listener::nothing_here() const {
  std::string text = std::string("There is nothing here: the MCP endpoint is ") + kHttpPath + ".";
  if (!options_.token.empty()) {
    text +=
        " There is no OAuth either: send the server's token with each request, as the header "
        "Authorization: Bearer TOKEN. The server says at its start where the token is";
  }
  return http_refusal(404, text);
}

HttpAnswer Listener::unauthorized(const HttpHead& head) const {
  const bool given = head.headers.find("Authorization") != nullptr;
  HttpAnswer answer = http_refusal(
      401, given ? "The bearer token is not this server's: the server says at its start where its "
                   "token is, to be sent as Authorization: Bearer TOKEN"
                 : "A bearer token is needed: send the header Authorization: Bearer TOKEN. The "
                   "server says at its start where its token is");
  answer.headers.emplace_back("WWW-Authenticate",
                              given ? "Bearer error=\"invalid_token\"" : "Bearer");
  return answer;
}

HttpAnswer Listener::post() {
  HttpConnection& connection = HttpConnection::current();
  const auto framing = body_framing(connection.head().headers, options_.limits.max_body_bytes);
  if (!framing) {
    connection.close_after();
    return http_refusal(framing.error().status, framing.error().why);
  }
  auto body = connection.read_body(*framing);
  if (!body) return http_refusal(body.error().status, body.error().why);
  return endpoint_.handle(call_of(std::move(*body)));
}

void Listener::add_cors(httplib::Response& response) const {
  const std::string* origin = HttpConnection::current().head().headers.find("Origin");
  if (!origin_listed(HttpConnection::current().head().headers, options_.allowed)) return;
  response.set_header("Access-Control-Allow-Origin", *origin);
  response.set_header("Vary", "Origin");
  response.set_header("Access-Control-Expose-Headers", "Mcp-Session-Id, WWW-Authenticate");
  response.set_header("Access-Control-Allow-Methods", "POST, GET, DELETE");
  response.set_header("Access-Control-Allow-Headers",
                      "Authorization, Content-Type, Accept, Last-Event-ID, Mcp-Session-Id, "
                      "MCP-Protocol-Version, Mcp-Method, Mcp-Name");
  response.set_header("Access-Control-Max-Age", kCorsMaxAgeS);
}

std::shared_ptr<void> Listener::begin_use() {
  uses_.fetch_add(1);
  return {this, [this](void*) {
            last_use_ = std::chrono::steady_clock::now();
            uses_.fetch_sub(1);
          }};
}

milliseconds Listener::idle_for() const {
  if (uses_ > 0) return milliseconds(0);
  return std::chrono::floor<milliseconds>(std::chrono::steady_clock::now() - last_use_.load());
}

HttpCall Listener::call_of(std::string body) {
  HttpConnection& connection = HttpConnection::current();
  return {connection.head().method, connection.head().headers, std::move(body),
          [&connection] { return connection.peer_gone(); }};
}

void Listener::respond(httplib::Response& response, HttpAnswer answer) {
  response.status = answer.status;
  for (auto& [name, value] : answer.headers) response.set_header(name, value);
  if (answer.stream == nullptr) {
    if (!answer.content_type.empty()) response.set_content(answer.body, answer.content_type);
    return;
  }
  response.set_chunked_content_provider(
      answer.content_type,
      [body = std::move(answer.stream), use = begin_use()](size_t, httplib::DataSink& sink) {
        HttpConnection& connection = HttpConnection::current();
        connection.stream_from_here();
        const auto step = body->pump(
            [&](std::string_view text) {
              return sink.write(text.data(), text.size()) && !connection.closes();
            },
            [&] { return connection.peer_gone(); });
        if (step == HttpStreamBody::Step::end) sink.done();
        return step != HttpStreamBody::Step::broken;
      });
}

class HttpServer::Impl {
 public:
  Impl(Dispatcher& dispatcher, HttpOptions options)
      : options_(std::move(options)),
        dispatcher_(dispatcher),
        endpoint_(dispatcher, options_.limits,
                  options_.token.empty() ? "local" : "token:" + core::sha256_of(options_.token)),
        listener_(endpoint_, options_) {}

  core::Expected<int> start() {
    const auto port = listener_.listen_on(options_.host, options_.port);
    if (!port) {
      return core::fail(
          core::ErrorCode::io,
          "Cannot listen on " + options_.host + ", port " + std::to_string(options_.port) + ".",
          "Choose a free port, or 0 for any.");
    }
    running_ = true;
    try {
      thread_ = std::thread([this] {
        listener_.accept_connections();
        running_ = false;
      });
    } catch (const std::system_error& error) {
      running_ = false;
      return core::fail(core::ErrorCode::io,
                        std::string("No thread can be started to listen with: ") + error.what(),
                        "Raise the bound on this user's or container's threads.");
    }
    return *port;
  }

  bool running() const { return running_; }
  milliseconds idle_for() const { return listener_.idle_for(); }

  bool stop(milliseconds grace) {
    if (!thread_.joinable()) return true;
    listener_.begin_stop();
    const bool clean = dispatcher_.shutdown(grace);
    endpoint_.close();
    const auto deadline = std::chrono::steady_clock::now() + kDrain;
    while (endpoint_.open_streams() > 0 && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(milliseconds(5));
    }
    listener_.cut_connections();
    listener_.end_accepting();
    thread_.join();
    listener_.close_socket();
    return clean;
  }

 private:
  const HttpOptions options_;
  Dispatcher& dispatcher_;
  HttpEndpoint endpoint_;
  Listener listener_;
  std::atomic<bool> running_{false};
  std::thread thread_;
};

HttpServer::HttpServer(Dispatcher& dispatcher, HttpOptions options)
    : impl_(std::make_unique<Impl>(dispatcher, std::move(options))) {}
HttpServer::~HttpServer() {
  stop();
}
core::Expected<int> HttpServer::start() {
  return impl_->start();
}
bool HttpServer::running() const {
  return impl_->running();
}
milliseconds HttpServer::idle_for() const {
  return impl_->idle_for();
}
bool HttpServer::stop(milliseconds grace) {
  return impl_->stop(grace);
}

}  // namespace server
