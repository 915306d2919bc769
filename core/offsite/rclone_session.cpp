#include "core/offsite/rclone_session.h"

#include <array>
#include <charconv>
#include <utility>

#include "core/base/base64.h"
#include "core/base/json.h"
#include "core/base/percent.h"
#include "core/offsite/http_reply.h"
#include "core/offsite/loopback.h"
#include "core/platform/secrets.h"

namespace core {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kUser = "backup-plugin-db";
constexpr std::string_view kServing = "Serving remote control on http://127.0.0.1:";
constexpr std::size_t kMaxHeard = 64u << 10;
constexpr int kGood = 200;
// `rcat` reads what is to be stored from its standard input, until that ends. It is empty then, and
// goes to a remote in memory.
constexpr std::array kSessionWords = {"--rc",        "--rc-serve",          "--rc-addr",
                                      "127.0.0.1:0", "--log-level",         "NOTICE",
                                      "rcat",        ":memory:nothing/none"};

// The member "error" of what it says in JSON; else all of it.
std::string reason_in(const std::string& text) {
  const Json parsed = read_json(text);
  if (!parsed.is_object() || !parsed.contains("error")) return text;
  return parsed["error"].is_string() ? parsed["error"].get<std::string>() : text;
}

}  // namespace

RcloneSession::RcloneSession(Command command, const Env& env) : password_(random_id()) {
  command.argv.insert(command.argv.end(), kSessionWords.begin(), kSessionWords.end());
  command.extra_environment["RCLONE_RC_USER"] = kUser;
  command.extra_environment["RCLONE_RC_PASS"] = password_;
  command.holds_input = true;
  command.on_error_output = [this](std::string_view said) { hear(said); };
  command.max_output_bytes = 0;
  running_ = std::jthread([this, command = std::move(command), &env](std::stop_token stop) {
    (void)env.commands.run(command, std::move(stop));
    const std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  });
}

RcloneSession::~RcloneSession() {
  running_.request_stop();
}

std::unique_ptr<RcloneSession> RcloneSession::start(Command command, const Env& env,
                                                    const std::stop_token& stop) {
  std::unique_ptr<RcloneSession> session(new RcloneSession(std::move(command), env));
  return session->wait_for_port(stop) ? std::move(session) : nullptr;
}

void RcloneSession::hear(std::string_view said) {
  const std::lock_guard lock(mutex_);
  if (port_ != 0 || said_.size() > kMaxHeard) return;
  said_ += said;
  const std::size_t found = said_.find(kServing);
  if (found == std::string::npos) return;
  const char* const first = said_.data() + found + kServing.size();
  const char* const last = said_.data() + said_.size();
  std::uint16_t port = 0;
  // A digit more may be to come.
  if (const auto read = std::from_chars(first, last, port); read.ptr == last) return;
  port_ = port;
  changed_.notify_all();
}

bool RcloneSession::wait_for_port(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, stop, kSessionStart, [this] { return port_ != 0 || ended_; });
  return port_ != 0 && !ended_;
}

Expected<bool> RcloneSession::exchange(std::string_view method, const std::string& target,
                                       std::string_view body, milliseconds silence,
                                       const Take& take, std::stop_token stop) {
  const std::string login = base64(std::string(kUser) + ":" + password_);
  std::string request =
      std::string(method) + " " + target + " HTTP/1.0\r\nHost: 127.0.0.1:" + std::to_string(port_) +
      "\r\nAuthorization: Basic " + login +
      "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
      "\r\n\r\n";
  request += body;
  HttpReply reply;
  const auto well = [&reply] { return reply.status() == kGood; };
  const auto take_body = [&](std::string_view piece) { return take(well(), piece); };
  const auto feed = [&](std::string_view piece) { return reply.feed(piece, take_body); };
  BPD_TRY(ask_on_loopback(port_, request, silence, feed, std::move(stop)));
  BPD_TRY(reply.finish());
  return well();
}

Expected<RcloneSession::Answer> RcloneSession::call(const std::string& name,
                                                    const std::string& parameters,
                                                    milliseconds timeout, std::size_t max_bytes,
                                                    std::stop_token stop) {
  Answer answer;
  const auto keep = [&](bool, std::string_view piece) -> Expected<> {
    if (answer.text.size() + piece.size() > max_bytes) {
      return fail(ErrorCode::io, "rclone answers more than is read.");
    }
    answer.text += piece;
    return {};
  };
  BPD_TRY_AS(well, exchange("POST", "/" + name, parameters, timeout, keep, std::move(stop)));
  answer.well = *well;
  if (!answer.well) answer.text = reason_in(answer.text);
  return answer;
}

// Where it cannot open the file it says 404 and no more; where it cannot go on it closes the
// connection.
Expected<> RcloneSession::read(const std::string& remote, const std::string& path,
                               milliseconds silence,
                               const std::function<Expected<>(std::string_view)>& take,
                               std::stop_token stop) {
  const auto not_given = [] { return fail(ErrorCode::io, "rclone does not give the file."); };
  if (remote.find(']') != std::string::npos) return not_given();  // it would end the name there
  const auto take_good = [&](bool well, std::string_view piece) {
    return well ? take(piece) : Expected<>();
  };
  BPD_TRY_AS(well, exchange("GET", "/" + percent_encoded("[" + remote + "]/" + path), "", silence,
                            take_good, std::move(stop)));
  if (!*well) return not_given();
  return {};
}

}  // namespace core
