// What a handler sees of its call: progress and logs out, stop and earlier answers in.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "server/mcp/call.h"
#include "server/mcp/tool.h"

namespace server {

// What the envelope of a request, or its session, says about the call.
struct CallFacts {
  bool modern = true;
  ClientAbilities abilities;
  std::optional<Json> progress_token;
  bool progress_messages = true;      // 2024-11-05 has no progress message
  std::optional<LogLevel> log_level;  // 2026-07-28: as the request asked; else the session's
  std::string principal;
  Json answers = Json::object();  // by question key
  std::string state;
};

std::string_view to_string(LogLevel level);
std::optional<LogLevel> log_level_from(std::string_view name);

// Keeps answers that have the shape of one: objects, and where there is an action a known one.
Json well_formed_answers(const Json& answers);

// Turns reports into progress values that strictly grow, also over phases, at most one each
// kMinProgressInterval except the last of a phase.
class ProgressCounter {
 public:
  static constexpr std::chrono::milliseconds kMinProgressInterval{10};
  struct Step {
    std::uint64_t progress = 0;
    std::uint64_t total = 0;  // 0: unknown
  };
  std::optional<Step> next(std::uint64_t done, std::uint64_t total, const std::string& phase);
  // The handler begins again, from its first phase.
  void begin_round() { offset_ = last_; }

 private:
  std::string phase_;
  std::uint64_t offset_ = 0;  // where this phase began
  std::uint64_t last_ = 0;
  bool any_ = false;
  std::chrono::steady_clock::time_point last_time_;
};

class HandlerContext final : public CallContext, private core::ProgressSink {
 public:
  // `counter` belongs to the call, which may take several rounds; it must outlive this object.
  HandlerContext(std::shared_ptr<Call> call, CallFacts facts, ProgressCounter& counter)
      : call_(std::move(call)), facts_(std::move(facts)), counter_(counter) {
    counter_.begin_round();
  }

  core::ProgressSink& progress() override { return *this; }
  std::stop_token stop() const override { return call_->stop(); }
  const ClientAbilities& abilities() const override { return facts_.abilities; }
  const Json* answer(std::string_view key) const override { return member(facts_.answers, key); }
  const std::string& state() const override { return facts_.state; }
  void log(LogLevel level, const Json& data, std::string_view logger) override;
  void release_stream() override { call_->release_stream(); }

 private:
  void report(std::uint64_t done, std::uint64_t total, const std::string& phase) override;

  std::shared_ptr<Call> call_;
  CallFacts facts_;
  std::mutex progress_mutex_;
  ProgressCounter& counter_;
};

}  // namespace server
