// What a handler sees of its call.
#include "server/mcp/handler_context.h"

#include <array>

namespace server {
namespace {

constexpr std::array<std::string_view, 8> kLevels = {"debug", "info",     "notice", "warning",
                                                     "error", "critical", "alert",  "emergency"};

}  // namespace

std::string_view to_string(LogLevel level) {
  return kLevels[static_cast<std::size_t>(level)];
}

std::optional<LogLevel> log_level_from(std::string_view name) {
  for (std::size_t i = 0; i < kLevels.size(); ++i) {
    if (kLevels[i] == name) return static_cast<LogLevel>(i);
  }
  return std::nullopt;
}

Json well_formed_answers(const Json& answers) {
  Json kept = Json::object();
  for (const auto& [key, answer] : answers.items()) {
    if (!answer.is_object()) continue;
    if (const Json* action = member(answer, "action")) {
      if (*action != "accept" && *action != "decline" && *action != "cancel") continue;
    }
    kept[key] = answer;
  }
  return kept;
}

std::optional<ProgressCounter::Step> ProgressCounter::next(std::uint64_t done, std::uint64_t total,
                                                           const std::string& phase) {
  if (any_ && phase != phase_) offset_ = last_;
  phase_ = phase;
  const std::uint64_t progress = offset_ + done;
  if (any_ && progress <= last_) return std::nullopt;
  const auto now = std::chrono::steady_clock::now();
  const bool last_of_phase = total != 0 && done >= total;
  if (any_ && !last_of_phase && now - last_time_ < kMinProgressInterval) return std::nullopt;
  any_ = true;
  last_ = progress;
  last_time_ = now;
  return Step{progress, total == 0 ? 0 : offset_ + total};
}

void HandlerContext::report(std::uint64_t done, std::uint64_t total, const std::string& phase) {
  if (!facts_.progress_token) return;
  const std::lock_guard lock(progress_mutex_);
  const auto step = counter_.next(done, total, phase);
  if (!step) return;
  Json params = {{"progressToken", *facts_.progress_token}, {"progress", step->progress}};
  if (step->total != 0) params["total"] = step->total;
  if (facts_.progress_messages && !phase.empty()) params["message"] = phase;
  call_->send_or_drop(encode_notification("notifications/progress", params));
}

void HandlerContext::log(LogLevel level, const Json& data, std::string_view logger) {
  std::optional<LogLevel> wanted = facts_.log_level;
  if (!facts_.modern && call_->session()) wanted = call_->session()->log_level();
  if (!wanted || level < *wanted) return;
  Json params = {{"level", to_string(level)}};
  if (!logger.empty()) params["logger"] = logger;
  params["data"] = data;
  call_->send(encode_notification("notifications/message", params));
}

}  // namespace server
