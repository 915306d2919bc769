#include "core/offsite/rclone.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>
#include <utility>

#include "core/base/json.h"
#include "core/base/json_limits.h"
#include "core/base/paths.h"
#include "core/offsite/rclone_says.h"
#include "core/offsite/work_folder.h"
#include "core/platform/sha256.h"

namespace core {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kFetchesAtOnce = 4;
constexpr JsonLimits kListLimits{5, 2'000'000, 2'000'000};
constexpr std::size_t kDigestDigits = 64;
// rclone's, in seconds: https://rclone.org/docs/#contimeout-time
constexpr std::array kBounds = {"--ask-password=false",
                                "--retries",
                                "3",
                                "--low-level-retries",
                                "3",
                                "--contimeout",
                                "15s",
                                "--timeout",
                                "60s",
                                "--use-json-log",
                                "--log-level",
                                "ERROR",
                                "--stats",
                                "0"};

Command command_of(const RcloneProgram& rclone, std::vector<std::string> words,
                   const std::string& bandwidth, [[maybe_unused]] const Env& env) {
  Command command;
  command.argv = {text_of(rclone.program), "--config", text_of(rclone.config)};
  command.argv.insert(command.argv.end(), kBounds.begin(), kBounds.end());
  command.argv.insert(command.argv.end(), std::make_move_iterator(words.begin()),
                      std::make_move_iterator(words.end()));
  if (!bandwidth.empty()) command.argv.insert(command.argv.end(), {"--bwlimit", bandwidth});
  command.dropped_variables = "RCLONE_";
#ifndef _WIN32
  command.extra_environment["HOME"] = text_of(env.places.home);  // systemd and cron may give none
#endif
  return command;
}

// None where a path of this machine is no text.
std::optional<std::string> text_if_utf8(const Json& value) {
  try {
    return json_text(value);
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

// One that has no error of its own must not look well.
bool is_digest(std::string_view text) {
  return text.size() == kDigestDigits &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

struct Rclone::Said {
  bool well = false;
  RcloneFault fault = RcloneFault::other;
  std::string output;
};

Rclone::Rclone(RcloneProgram rclone, RemotePath remote, std::string bandwidth,
               std::chrono::steady_clock::time_point deadline, const Env& env)
    : rclone_(std::move(rclone)),
      remote_(std::move(remote)),
      bandwidth_(std::move(bandwidth)),
      deadline_(deadline),
      env_(env) {}

milliseconds Rclone::time_left() const {
  return std::chrono::duration_cast<milliseconds>(deadline_ - env_.clock.steady_now());
}

Expected<Rclone::Said> Rclone::run(std::vector<std::string> words, const std::string& what,
                                   milliseconds timeout, std::size_t max_output,
                                   const std::stop_token& stop, std::string input) const {
  Command command = command_of(rclone_, std::move(words), bandwidth_, env_);
  command.input = std::move(input);
  command.timeout = std::min(timeout, time_left());
  command.max_output_bytes = std::max(max_output, kMaxSaidBytes);
  if (command.timeout <= milliseconds(0)) return fail(error_of(RcloneFault::slow, what));
  auto result = env_.commands.run(command, stop);
  if (!result && result.error().code == ErrorCode::cancelled) {
    return fail(ErrorCode::cancelled, "Stopped: " + what + ".");
  }
  if (!result && result.error().code == ErrorCode::not_found) {
    return fail(ErrorCode::not_found, what + ": " + text_of(rclone_.program) + " is gone.",
                "Install rclone, and then the schedule again: that finds where it is.");
  }
  if (!result) return fail(result.error());
  if (result->timed_out) return fail(error_of(RcloneFault::slow, what));
  Said said{result->exit_code == 0, RcloneFault::other, std::move(result->output)};
  if (!said.well) said.fault = fault_of(result->error_output);
  return said;
}

RcloneSession* Rclone::session(const std::stop_token& stop) {
  if (!has_tried_session_) {
    has_tried_session_ = true;
    Command command = command_of(rclone_, {"--ignore-times"}, bandwidth_, env_);
    command.timeout = time_left();
    session_ = RcloneSession::start(std::move(command), env_, stop);
  }
  return session_.get();
}

Expected<Rclone::Said> Rclone::ask(const std::string& call, const Json& parameters,
                                   std::vector<std::string> words, const std::string& what,
                                   milliseconds timeout, std::size_t max_output,
                                   const std::stop_token& stop) {
  const milliseconds bound = std::min(timeout, time_left());
  const auto text = text_if_utf8(parameters);
  RcloneSession* const there = text && bound > milliseconds(0) ? session(stop) : nullptr;
  if (there != nullptr) {
    auto answer = there->call(call, *text, bound, std::max(max_output, kMaxSaidBytes), stop);
    if (answer && answer->well) return Said{true, RcloneFault::other, std::move(answer->text)};
    const auto fault = answer ? fault_of(answer->text) : RcloneFault::other;
    const bool plain = fault != RcloneFault::other && fault != RcloneFault::unreachable;
    if (plain) return Said{false, fault, ""};
    if (!answer && answer.error().code == ErrorCode::timed_out) {
      return fail(error_of(RcloneFault::slow, what));
    }
  }
  return run(std::move(words), what, timeout, max_output, stop);
}

Expected<> Rclone::read_in_session(const std::string& path,
                                   const std::function<Expected<>(std::string_view)>& take,
                                   const std::stop_token& stop) {
  RcloneSession* const there = session(stop);
  if (there == nullptr) return fail(ErrorCode::unsupported, "There is no session.");
  const auto take_in_time = [&](std::string_view piece) -> Expected<> {
    if (time_left() <= milliseconds(0)) return fail(ErrorCode::timed_out, "It took too long.");
    return take(piece);
  };
  return there->read(text_of(remote_), path, std::min(kListTimeout, time_left()), take_in_time,
                     stop);
}

std::optional<std::string> Rclone::text_in_session(const std::string& path, std::size_t max_bytes,
                                                   const std::stop_token& stop) {
  std::string text;
  const auto keep = [&](std::string_view piece) -> Expected<> {
    text += piece;
    if (text.size() <= max_bytes) return {};
    return fail(ErrorCode::invalid_argument, "It is larger than it may be.");
  };
  if (!read_in_session(path, keep, stop)) return std::nullopt;
  return text;
}

Expected<std::vector<RemoteEntry>> Rclone::list(const std::string& folder, bool deep,
                                                std::stop_token stop) {
  const std::string place = below(remote_, folder);
  const std::string what = "cannot list " + place;
  std::vector<std::string> words{"lsjson", "--files-only", "--no-mimetype"};
  if (deep) words.emplace_back("-R");
  words.push_back(place);
  const Json parameters{{"fs", place},
                        {"remote", ""},  // its names would begin with it
                        {"opt", {{"recurse", deep}, {"filesOnly", true}, {"noMimeType", true}}}};
  BPD_TRY_AS(said, ask("operations/list", parameters, std::move(words), what, kListTimeout,
                       kMaxListBytes, stop));
  if (!said->well && said->fault == RcloneFault::missing) return std::vector<RemoteEntry>{};
  if (!said->well) return fail(error_of(said->fault, what));
  auto entries = read_listing(said->output);
  if (entries) return entries;
  return fail(ErrorCode::io, what + ": " + entries.error().message, entries.error().hint);
}

// Whether all of them have come. A few at once, as rclone would: providers are slow, not busy.
bool Rclone::fetch_in_session(const std::vector<std::string>& paths, const fs::path& folder,
                              const std::stop_token& stop) {
  if (session(stop) == nullptr) return false;
  std::atomic<std::size_t> next{0};
  std::atomic<bool> good{true};
  const auto fetch_some = [&] {
    for (std::size_t i = next++; good && i < paths.size(); i = next++) {
      const auto text = text_in_session(paths[i], kMaxListBytes, stop);
      const fs::path file = folder / path_of(paths[i]);
      const bool kept = text && env_.files.make_folders(file.parent_path(), kPrivateFolder) &&
                        env_.files.write_atomically(file, *text, kPrivateFile);
      if (!kept) good = false;
    }
  };
  {
    std::vector<std::jthread> others;
    for (std::size_t n = 1; n < std::min(kFetchesAtOnce, paths.size()); ++n) {
      others.emplace_back(fetch_some);
    }
    fetch_some();
  }
  return good;
}

Expected<> Rclone::fetch_all(const std::vector<std::string>& paths, const fs::path& folder,
                             std::stop_token stop) {
  if (paths.empty()) return {};
  if (fetch_in_session(paths, folder, stop)) return {};
  const std::string what = "cannot fetch from " + text_of(remote_);
  std::string list;
  for (const std::string& path : paths) list += path + "\n";
  BPD_TRY_AS(said, run({"copy", "--files-from-raw", "-", "--no-traverse", text_of(remote_),
                        text_of(folder)},
                       what, kListTimeout, 0, stop, std::move(list)));
  const bool some = said->fault == RcloneFault::unreadable || said->fault == RcloneFault::missing;
  if (said->well || some) return {};
  return fail(error_of(said->fault, what));
}

Expected<> Rclone::copy(const Place& from, const Place& to, const std::string& what,
                        const std::stop_token& stop) {
  const Json parameters{
      {"srcFs", from.fs}, {"srcRemote", from.name}, {"dstFs", to.fs}, {"dstRemote", to.name}};
  BPD_TRY_AS(said,
             ask("operations/copyfile", parameters,
                 {"copyto", "--ignore-times", from.whole, to.whole}, what, time_left(), 0, stop));
  if (!said->well) return fail(error_of(said->fault, what));
  return {};
}

Rclone::Place Rclone::there(const std::string& path) const {
  return {text_of(remote_), path, below(remote_, path)};
}

Rclone::Place Rclone::here(const fs::path& file) {
  return {text_of(file.parent_path()), text_of(file.filename()), text_of(file)};
}

Expected<> Rclone::fetch(const std::string& path, const fs::path& to, std::stop_token stop) {
  return copy(there(path), here(to), "cannot fetch " + below(remote_, path), stop);
}

Expected<> Rclone::put(const fs::path& file, const std::string& path, std::stop_token stop) {
  return copy(here(file), there(path), "cannot send " + below(remote_, path), stop);
}

Expected<std::string> Rclone::digest(const std::string& path, std::stop_token stop) {
  const std::string what = "cannot read back " + below(remote_, path);
  Sha256 sum;
  const auto add = [&sum](std::string_view piece) -> Expected<> {
    sum.update(piece.data(), piece.size());
    return {};
  };
  if (read_in_session(path, add, stop)) return sum.finish();
  BPD_TRY_AS(said, run({"hashsum", "sha256", "--download", below(remote_, path)}, what, time_left(),
                       0, stop));
  if (said->well) {
    std::string digits = said->output.substr(0, kDigestDigits);
    return is_digest(digits) ? std::move(digits) : std::string();
  }
  if (said->fault != RcloneFault::usage) return fail(error_of(said->fault, what));
  // Before 1.54 it could not hash what it reads, before 1.56 not by SHA-256.
  BPD_TRY_AS(work, WorkFolder::make(env_, stop));
  BPD_TRY(fetch(path, work->path() / "back", stop));
  return sha256_of_file(work->path() / "back", stop);
}

Expected<std::string> Rclone::read(const std::string& path, std::size_t max_bytes,
                                   std::stop_token stop) {
  const std::string what = "cannot read " + below(remote_, path);
  if (auto text = text_in_session(path, max_bytes, stop)) return std::move(*text);
  BPD_TRY_AS(said, run({"cat", below(remote_, path)}, what, kListTimeout, max_bytes + 1, stop));
  if (!said->well) return fail(error_of(said->fault, what));
  if (said->output.size() <= max_bytes) return std::move(said->output);
  return fail(ErrorCode::invalid_argument, below(remote_, path) + " is larger than it may be.");
}

Expected<> Rclone::remove(const std::string& path, std::stop_token stop) {
  const std::string what = "cannot remove " + below(remote_, path);
  BPD_TRY_AS(said, ask("operations/deletefile", {{"fs", text_of(remote_)}, {"remote", path}},
                       {"deletefile", below(remote_, path)}, what, kListTimeout, 0, stop));
  if (!said->well) return fail(error_of(said->fault, what));
  return {};
}

Expected<std::vector<RemoteEntry>> read_listing(std::string_view json) {
  const auto cut = [] {
    return fail(ErrorCode::io, "rclone's list is cut off, or none.",
                "Try again; if it stays so, put fewer files there.");
  };
  if (!beyond_limits(json, kListLimits).empty()) return cut();
  const Json parsed = read_json(json);
  const auto& list = parsed.is_object() && parsed.contains("list") ? parsed["list"] : parsed;
  if (!list.is_array()) return cut();
  std::vector<RemoteEntry> entries;
  entries.reserve(list.size());
  try {
    for (const auto& one : list) {
      if (one.value("IsDir", false)) continue;
      RemoteEntry entry;
      entry.path = one.at("Path").get<std::string>();
      const auto size = one.value("Size", std::int64_t{-1});
      entry.has_size = size >= 0;
      entry.bytes = entry.has_size ? static_cast<std::uint64_t>(size) : 0;
      entry.modified = parse_instant(one.value("ModTime", "")).value_or(Instant{});
      entries.push_back(std::move(entry));
    }
  } catch (const std::exception&) {
    return cut();
  }
  return entries;
}

}  // namespace core
