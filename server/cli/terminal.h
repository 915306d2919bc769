// A tool call at a terminal: a progress bar, questions as prompts, Ctrl-C as stop.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "server/base/printable.h"
#include "server/mcp/tool.h"
#include "server/platform/event.h"

namespace server {

// Whether an answer to a yes-or-no question is a yes: y, yes or true, in small letters or capitals.
bool means_yes(const std::string& answer);

// Whether somebody can be asked: reads what is said on standard error, and types standard input.
bool can_ask();
// Shows the ways on, numbered, and reads which: its place in the list. Nothing: none was taken.
// Ctrl-C ends the program, unless that has taken signals over.
std::optional<std::size_t> choose(const std::string& question,
                                  const std::vector<std::string>& shown);

// Requests a stop when an event (server/platform/signals.h) is set, for as long as it lives. Where
// there is none, or no thread to wait for it with, signals end the process at once.
class StopOnSignal {
 public:
  explicit StopOnSignal(const Event* signals);
  ~StopOnSignal();
  StopOnSignal(const StopOnSignal&) = delete;
  StopOnSignal& operator=(const StopOnSignal&) = delete;

  std::stop_token token() const { return stop_.get_token(); }

 private:
  std::stop_source stop_;
  std::optional<Event> wake_;
  std::thread thread_;
};

// The context of a call from the command line. The bar goes to standard error, and only if that is
// a terminal; questions are asked only if standard input is one, too.
class TerminalContext final : public CallContext, private core::ProgressSink {
 public:
  explicit TerminalContext(std::stop_token stop);
  ~TerminalContext() override { clear_bar(); }
  TerminalContext(const TerminalContext&) = delete;
  TerminalContext& operator=(const TerminalContext&) = delete;

  core::ProgressSink& progress() override { return *this; }
  std::stop_token stop() const override { return stop_; }
  const ClientAbilities& abilities() const override { return abilities_; }
  const Json* answer(std::string_view key) const override { return member(answers_, key); }
  const std::string& state() const override { return state_; }
  void log(LogLevel, const Json&, std::string_view) override {}

  // Asks what an ending wants to know, for the next round. False: the user gave up.
  bool ask(const InputRequired& required, const Event* signals);

 private:
  static constexpr std::chrono::milliseconds kBarInterval{50};
  void report(std::uint64_t done, std::uint64_t total, const std::string& phase) override;
  void clear_bar();

  std::stop_token stop_;
  ClientAbilities abilities_;
  Json answers_ = Json::object();
  std::string state_;
  bool bar_wanted_ = false;
  std::mutex mutex_;
  bool bar_shown_ = false;
  std::chrono::steady_clock::time_point bar_time_;
};

}  // namespace server
