// A tool call at a terminal.
#include "server/cli/terminal.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdio>

#include "core/base/threads.h"
#include "server/jsonrpc/jsonrpc.h"
#include "server/platform/console.h"
#include "server/platform/signals.h"

namespace server {
namespace {

constexpr std::uint64_t kBarWidth = 30;  // characters
constexpr int kMaxAsked = 5;             // times for one number

Json typed(const std::string& text, const std::string& type) {
  if (type == "boolean") return means_yes(text);
  if (type == "integer" || type == "number") {
    double number = 0;
    const char* end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, number);
    if (read.ec == std::errc() && read.ptr == end) {
      return type == "number" ? Json(number) : Json(static_cast<std::int64_t>(number));
    }
  }
  return text;
}

std::string prompt_for(const std::string& name, const Json& schema) {
  const std::string& title = string_member(schema, "title");
  std::string prompt = title.empty() ? name : title;
  if (string_member(schema, "type") == "boolean") prompt += " (y/n)";
  if (const Json* values = member(schema, "enum")) prompt += " " + core::lenient_json_text(*values);
  if (const Json* fallback = member(schema, "default")) {
    prompt += " [" +
              (fallback->is_string() ? fallback->get<std::string>()
                                     : core::lenient_json_text(*fallback)) +
              "]";
  }
  return prompt + ": ";
}

}  // namespace

bool means_yes(const std::string& answer) {
  static constexpr const char* kBlanks = " \t\r";
  const std::size_t begin = answer.find_first_not_of(kBlanks);
  if (begin == std::string::npos) return false;
  std::string word = answer.substr(begin, answer.find_last_not_of(kBlanks) + 1 - begin);
  std::transform(word.begin(), word.end(), word.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return word == "y" || word == "yes" || word == "true";
}

bool can_ask() {
  return error_is_terminal() && input_is_terminal();
}

std::optional<std::size_t> choose(const std::string& question,
                                  const std::vector<std::string>& shown) {
  print_error(question);
  for (std::size_t i = 0; i < shown.size(); ++i) {
    print_error("  " + std::to_string(i + 1) + "  " + printable_line(shown[i]));
  }
  for (int asked = 0; asked < kMaxAsked; ++asked) {
    std::fputs("Number (nothing to give up): ", stderr);
    const auto line = read_line(nullptr);
    if (!line || line->empty()) return std::nullopt;
    std::size_t number = 0;
    const char* end = line->data() + line->size();
    const auto read = std::from_chars(line->data(), end, number);
    if (read.ec == std::errc() && read.ptr == end && number > 0 && number <= shown.size()) {
      return number - 1;
    }
    print_error("That is none of 1 to " + std::to_string(shown.size()) + ".");
  }
  return std::nullopt;
}

StopOnSignal::StopOnSignal(const Event* signals) {
  if (auto made = Event::make(); made && signals != nullptr) wake_ = std::move(*made);
  const bool listening = wake_ && core::start_thread(thread_, [this, signals] {
                           if (is_set_first(*signals, *wake_)) stop_.request_stop();
                         });
  if (!listening) die_of_signals();
}

StopOnSignal::~StopOnSignal() {
  if (wake_) wake_->set();
  if (thread_.joinable()) thread_.join();
}

TerminalContext::TerminalContext(std::stop_token stop) : stop_(std::move(stop)) {
  bar_wanted_ = error_is_terminal();
  abilities_.form_elicitation = can_ask();
}

void TerminalContext::report(std::uint64_t done, std::uint64_t total, const std::string& phase) {
  if (!bar_wanted_ || total == 0) return;
  const std::lock_guard lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (bar_shown_ && done < total && now - bar_time_ < kBarInterval) return;
  bar_time_ = now;
  bar_shown_ = true;
  const std::uint64_t full = std::min(done, total) * kBarWidth / total;
  std::fprintf(stderr, "\r[%s%s] %3d%% %s\033[K", std::string(full, '#').c_str(),
               std::string(kBarWidth - full, '.').c_str(),
               static_cast<int>(std::min(done, total) * 100 / total), phase.c_str());
  std::fflush(stderr);
}

void TerminalContext::clear_bar() {
  const std::lock_guard lock(mutex_);
  if (bar_shown_) std::fputs("\r\033[K", stderr);
  bar_shown_ = false;
}

bool TerminalContext::ask(const InputRequired& required, const Event* signals) {
  clear_bar();
  state_ = required.state;
  for (const InputRequest& request : required.requests) {
    const Json* schema = member(request.params, "requestedSchema");
    const Json* properties = schema != nullptr ? member(*schema, "properties") : nullptr;
    if (properties == nullptr) return false;
    print_error(string_member(request.params, "message"));
    Json content = Json::object();
    for (const auto& [name, described] : properties->items()) {
      std::fputs(printable_line(prompt_for(name, described)).c_str(), stderr);
      const auto line = read_line(signals);
      if (!line) return false;
      if (!line->empty()) {
        content[name] = typed(*line, string_member(described, "type"));
      } else if (const Json* fallback = member(described, "default")) {
        content[name] = *fallback;
      }
    }
    answers_[request.key] = {{"action", content.empty() ? "decline" : "accept"},
                             {"content", content}};
  }
  return true;
}

}  // namespace server
