// The one file that knows cpp-httplib's server: accepting, threads, and the gate every request
// passes.
#include "server/http_server.h"

#include <httplib.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <list>
#include <mutex>
#include <thread>
#include <utility>

#include "core/digest.h"
#include "server/http_connection.h"

namespace server {
namespace {

using std::chrono::milliseconds;

// Connections above the bound that are told so; further ones are just closed.
constexpr std::size_t kMaxRefusals = 32;
// cpp-httplib compiles in a backlog of 5, too few for clients that come all at once.
constexpr int kListenBacklog = 512;
// A thread without a connection waits that long for the next one.
constexpr milliseconds kThreadIdle{10'000};
constexpr int kMaxRequestsPerConnection = 100'000;
// How long open streams get to send their last events when the server stops.
constexpr milliseconds kDrain{400};
constexpr const char* kCorsMaxAgeS = "600";

enum class Treatment { serve, refuse, drop };
// What the pool decided about the connection its thread is about to take.
thread_local Treatment treatment = Treatment::serve;

// Threads on demand: each connection has one at once, or is refused.
class ConnectionThreads final : public httplib::TaskQueue {
 public:
  explicit ConnectionThreads(std::size_t max_connections) : max_(max_connections) {}
  ~ConnectionThreads() override { ConnectionThreads::shutdown(); }

  void enqueue(std::function<void()> connection) override {
    std::unique_lock lock(mutex_);
    join_retired(lock);
    if (busy_ >= max_ + kMaxRefusals) {
      lock.unlock();
      treatment = Treatment::drop;
      connection();
      treatment = Treatment::serve;
      return;
    }
    jobs_.push_back({std::move(connection), busy_ < max_ ? Treatment::serve : Treatment::refuse});
    ++busy_;
    if (waiting_ >= jobs_.size()) {
      wake_.notify_one();
    } else {
      threads_.emplace_back();
      threads_.back() = std::thread([this, self = std::prev(threads_.end())] { work(self); });
    }
  }

  void shutdown() override {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
    retired_changed_.wait(lock, [this] { return threads_.empty(); });
    join_retired(lock);
  }

 private:
  struct Job {
    std::function<void()> connection;
    Treatment treatment = Treatment::serve;
  };
  using Threads = std::list<std::thread>;

  void work(Threads::iterator self) {
    std::unique_lock lock(mutex_);
    for (;;) {
      ++waiting_;
      wake_.wait_for(lock, kThreadIdle, [this] { return !jobs_.empty() || stopping_; });
      --waiting_;
      if (jobs_.empty()) {
        break;
      }
      Job job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      treatment = job.treatment;
      job.connection();
      lock.lock();
      --busy_;
    }
    retired_.splice(retired_.end(), threads_, self);
    retired_changed_.notify_all();
  }

  void join_retired(std::unique_lock<std::mutex>& lock) {
    Threads retired;
    retired.swap(retired_);
    lock.unlock();
    for (std::thread& thread : retired) {
      thread.join();
    }
    lock.lock();
  }

  const std::size_t max_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable retired_changed_;
  std::deque<Job> jobs_;
  Threads threads_;
  Threads retired_;  // returned, to be joined
  std::size_t busy_ = 0;
  std::size_t waiting_ = 0;
  bool stopping_ = false;
};

// Lets cpp-httplib speak through an HttpConnection.
class ConnectionStream final : public httplib::Stream {
 public:
  explicit ConnectionStream(HttpConnection& connection) : connection_(connection) {}
  bool is_readable() const override { return connection_.has_input() || !connection_.closes(); }
  bool is_writable() const override { return !connection_.closes(); }
  ssize_t read(char* to, size_t size) override { return connection_.read(to, size); }
  ssize_t write(const char* from, size_t size) override { return connection_.write(from, size); }
  void get_remote_ip_and_port(std::string&, int&) const override {}
  void get_local_ip_and_port(std::string&, int&) const override {}
  socket_t socket() const override { return connection_.socket(); }

 private:
  HttpConnection& connection_;
};

bool listed(const std::vector<std::string>& list, const std::string& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

class Listener final : public httplib::Server {
 public:
  Listener(HttpEndpoint& endpoint, const HttpOptions& options)
      : endpoint_(endpoint), options_(options) {
    set_tcp_nodelay(true);
    // The default adds SO_REUSEPORT: a second server would take half of our clients unnoticed.
    set_socket_options([](socket_t socket) {
      const int yes = 1;
      ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    });
    set_keep_alive_max_count(kMaxRequestsPerConnection);
    set_keep_alive_timeout(
        std::chrono::floor<std::chrono::seconds>(options.limits.idle_timeout).count());
    new_task_queue = [this] { return new ConnectionThreads(options_.limits.max_connections); };
    set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
      return gate(request, response);
    });
    Post(kHttpPath, [this](const httplib::Request&, httplib::Response& response,
                           const httplib::ContentReader& reader) { post(response, reader); });
    set_exception_handler(
        [](const httplib::Request&, httplib::Response& response, const std::exception_ptr&) {
          respond(response, http_refusal(500, "The server failed", rpc_code::kInternalError));
        });
  }

  void widen_backlog() { ::listen(svr_sock_, kListenBacklog); }
  void begin_stop() { stopping_ = true; }
  void cut_connections() { cut_ = true; }

 private:
  bool process_and_close_socket(socket_t socket) override;
  HandlerResponse gate(const httplib::Request& request, httplib::Response& response);
  // The refusal of a request that must not reach the endpoint, or nothing.
  std::optional<HttpAnswer> refusal(const httplib::Request& request) const;
  std::optional<HttpAnswer> body_refusal(const HttpHeaders& headers) const;
  void post(httplib::Response& response, const httplib::ContentReader& reader);
  void add_cors(httplib::Response& response) const;
  static HttpCall call_of(std::string method, std::string body);
  static void respond(httplib::Response& response, HttpAnswer answer);

  HttpEndpoint& endpoint_;
  const HttpOptions& options_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> cut_{false};
};

bool Listener::process_and_close_socket(socket_t socket) {
  HttpConnection connection(socket, options_.limits, cut_);
  if (treatment == Treatment::drop) {
    return false;
  }
  if (treatment == Treatment::refuse) {
    const std::string body = http_refusal(503, "Too many connections: try again later").body;
    connection.send_and_close(
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 5\r\n"
        "Connection: close\r\nContent-Length: " +
        std::to_string(body.size()) + "\r\n\r\n" + body);
    connection.linger();
    return false;
  }
  ConnectionStream stream(connection);
  for (int served = 1; connection.await_request([this] { return stopping_.load(); }); ++served) {
    connection.begin_request();
    bool closed = false;
    bool understood = false;
    const bool good = process_request(stream, served == kMaxRequestsPerConnection, closed,
                                      [&](httplib::Request& request) {
                                        understood = true;
                                        connection.begin_body();
                                        // Neither compression nor ranges: JSON is short.
                                        request.headers.erase("Accept-Encoding");
                                        request.ranges.clear();
                                      });
    connection.flush();
    if (!understood) {
      connection.close_after();  // where the next request would begin is unknown
    }
    if (!good || closed || connection.closes() || served == kMaxRequestsPerConnection) {
      break;
    }
  }
  if (connection.closes()) {
    connection.linger();
  }
  return true;
}

Listener::HandlerResponse Listener::gate(const httplib::Request& request,
                                         httplib::Response& response) {
  HttpConnection& connection = HttpConnection::current();
  add_cors(response);
  const bool has_body = connection.headers().find("Content-Length") != nullptr ||
                        connection.headers().find("Transfer-Encoding") != nullptr;
  if (auto refused = refusal(request)) {
    if (has_body || request.method == "POST") {
      connection.close_after();
    }
    respond(response, std::move(*refused));
    return HandlerResponse::Handled;
  }
  if (request.method == "POST") {
    return HandlerResponse::Unhandled;
  }
  if (has_body) {
    connection.close_after();
  }
  respond(response, endpoint_.handle(call_of(request.method, {})));
  return HandlerResponse::Handled;
}

std::optional<HttpAnswer> Listener::refusal(const httplib::Request& request) const {
  const HttpConnection& connection = HttpConnection::current();
  const HttpHeaders& headers = connection.headers();
  if (!connection.header_fault().empty()) {
    return http_refusal(400, "Malformed request: " + connection.header_fault());
  }
  if (!host_allowed(headers, options_.allowed)) {
    return http_refusal(403, "The Host header names another host than this server serves");
  }
  if (!origin_allowed(headers, options_.allowed)) {
    return http_refusal(403, "Requests from this Origin are not allowed: see --allow-origin");
  }
  if (request.path != kHttpPath) {
    return http_refusal(404,
                        std::string("There is nothing here: the MCP endpoint is ") + kHttpPath);
  }
  const std::string* origin = headers.find("Origin");
  if (request.method == "OPTIONS" && origin != nullptr &&
      listed(options_.allowed.origins, *origin)) {
    return HttpAnswer{};  // a browser's preflight, which cannot carry the token
  }
  if (!options_.token.empty() && !bearer_matches(headers, options_.token)) {
    HttpAnswer answer = http_refusal(401, "A bearer token is needed: Authorization: Bearer …");
    answer.headers.emplace_back("WWW-Authenticate", "Bearer");
    return answer;
  }
  return request.method == "POST" ? body_refusal(headers) : std::nullopt;
}

std::optional<HttpAnswer> Listener::body_refusal(const HttpHeaders& headers) const {
  if (const std::string* coding = headers.find("Content-Encoding");
      coding != nullptr && *coding != "identity") {
    return http_refusal(415, "The body must not be compressed");
  }
  const std::string* transfer = headers.find("Transfer-Encoding");
  if (transfer != nullptr) {
    return *transfer == "chunked"
               ? std::nullopt
               : std::optional(http_refusal(501, "Transfer-Encoding may only be chunked"));
  }
  const std::string* length = headers.find("Content-Length");
  if (length == nullptr) {
    return http_refusal(411, "Content-Length is missing");
  }
  if (length->empty() || length->find_first_not_of("0123456789") != std::string::npos) {
    return http_refusal(400, "Content-Length is not a number");
  }
  constexpr std::size_t kMaxDigits = 12;
  if (length->size() > kMaxDigits || std::stoull(*length) > options_.limits.max_body_bytes) {
    return http_refusal(413, "The body is larger than " +
                                 std::to_string(options_.limits.max_body_bytes) + " bytes");
  }
  return std::nullopt;
}

void Listener::post(httplib::Response& response, const httplib::ContentReader& reader) {
  const std::size_t limit = options_.limits.max_body_bytes;
  std::string body;
  bool fits = true;
  const bool whole = reader([&](const char* data, size_t size) {
    fits = body.size() + size <= limit;
    if (fits) {
      body.append(data, size);
    }
    return fits;
  });
  if (!fits || !whole) {
    HttpConnection::current().close_after();
    respond(response, fits ? http_refusal(400, "The body ended early")
                           : http_refusal(413, "The body is larger than " + std::to_string(limit) +
                                                   " bytes"));
    return;
  }
  respond(response, endpoint_.handle(call_of("POST", std::move(body))));
}

void Listener::add_cors(httplib::Response& response) const {
  const std::string* origin = HttpConnection::current().headers().find("Origin");
  if (origin == nullptr || !listed(options_.allowed.origins, *origin)) {
    return;
  }
  response.set_header("Access-Control-Allow-Origin", *origin);
  response.set_header("Vary", "Origin");
  response.set_header("Access-Control-Expose-Headers", "Mcp-Session-Id, WWW-Authenticate");
  response.set_header("Access-Control-Allow-Methods", "POST, GET, DELETE");
  response.set_header("Access-Control-Allow-Headers",
                      "Authorization, Content-Type, Accept, Last-Event-ID, Mcp-Session-Id, "
                      "MCP-Protocol-Version, Mcp-Method, Mcp-Name");
  response.set_header("Access-Control-Max-Age", kCorsMaxAgeS);
}

HttpCall Listener::call_of(std::string method, std::string body) {
  HttpConnection& connection = HttpConnection::current();
  return {std::move(method), connection.headers(), std::move(body),
          [&connection] { return connection.peer_gone(); }};
}

void Listener::respond(httplib::Response& response, HttpAnswer answer) {
  response.status = answer.status;
  for (auto& [name, value] : answer.headers) {
    response.set_header(name, value);
  }
  if (answer.stream == nullptr) {
    if (!answer.content_type.empty()) {
      response.set_content(answer.body, answer.content_type);
    }
    return;
  }
  response.set_chunked_content_provider(
      answer.content_type, [body = std::move(answer.stream)](size_t, httplib::DataSink& sink) {
        HttpConnection& connection = HttpConnection::current();
        connection.stream_from_here();
        const auto step = body->pump(
            [&](std::string_view text) {
              return sink.write(text.data(), text.size()) && !connection.closes();
            },
            [&] { return connection.peer_gone(); });
        if (step == HttpStreamBody::Step::end) {
          sink.done();
        }
        return step != HttpStreamBody::Step::broken;
      });
}

}  // namespace

class HttpServer::Impl {
 public:
  Impl(Dispatcher& dispatcher, HttpOptions options)
      : options_(std::move(options)),
        dispatcher_(dispatcher),
        endpoint_(dispatcher, options_.limits,
                  options_.token.empty() ? "local" : "token:" + core::sha256_of(options_.token)),
        listener_(endpoint_, options_) {}

  core::Expected<int> start() {
    int port = options_.port;
    const bool bound = port == 0 ? (port = listener_.bind_to_any_port(options_.host)) > 0
                                 : listener_.bind_to_port(options_.host, port);
    if (!bound) {
      return core::fail(
          core::ErrorCode::io,
          "Cannot listen on " + options_.host + ", port " + std::to_string(options_.port) + ".",
          "Choose a free port, or 0 for any.");
    }
    listener_.widen_backlog();
    running_ = true;
    thread_ = std::thread([this] {
      listener_.listen_after_bind();
      running_ = false;
    });
    // cpp-httplib ignores a stop() that comes before its loop runs.
    while (running_ && !listener_.is_running()) {
      std::this_thread::sleep_for(milliseconds(1));
    }
    return port;
  }

  bool running() const { return running_; }

  bool stop(milliseconds grace) {
    if (!thread_.joinable()) {
      return true;
    }
    listener_.begin_stop();
    const bool clean = dispatcher_.shutdown(grace);
    endpoint_.close();
    const auto deadline = std::chrono::steady_clock::now() + kDrain;
    while (endpoint_.open_streams() > 0 && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(milliseconds(5));
    }
    listener_.cut_connections();
    listener_.stop();
    thread_.join();
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
bool HttpServer::stop(milliseconds grace) {
  return impl_->stop(grace);
}

}  // namespace server
