#include "core/discovery/ignored.h"

#include <algorithm>
#include <chrono>
#include <exception>

#include "core/base/json.h"
#include "core/base/json_limits.h"
#include "core/base/paths.h"
#include "core/base/utf8.h"
#include "core/catalog/catalog.h"
#include "core/catalog/history.h"
#include "core/platform/run_lock.h"

namespace core {
namespace {

constexpr int kFormatVersion = 1;
constexpr std::uint64_t kMaxBytes = 8 << 20;
constexpr JsonLimits kLimits{3, 10, kMaxIgnored + 10};
constexpr std::chrono::milliseconds kLockTimeout{10'000};

fs::path file_of(const Places& places) {
  return places.config / "ignored.json";
}

Expected<std::vector<fs::path>> decode(const fs::path& file, const std::string& text) {
  const auto unusable = [&](ErrorCode code, const std::string& why) {
    return fail(code, "What is to be ignored, in " + text_of(file) + ", cannot be read: " + why,
                "Mend or remove that file; then nothing is ignored.");
  };
  if (!is_utf8_without_nul(text)) return unusable(ErrorCode::damaged, "it is not UTF-8 text.");
  if (const auto why = beyond_limits(text, kLimits); !why.empty()) {
    return unusable(ErrorCode::damaged, "it is " + why + ".");
  }
  try {
    const Json json = json_of(text);
    if (json.at("format_version").get<int>() > kFormatVersion) {
      return unusable(ErrorCode::unsupported, "a newer version of this program wrote it.");
    }
    std::vector<fs::path> ignored;
    for (const Json& path : json.at("ignored")) {
      ignored.push_back(path_of(path.get<std::string>()));
    }
    return ignored;
  } catch (const std::exception& exception) {
    return unusable(ErrorCode::damaged, exception.what());
  }
}

std::string encode(const std::vector<fs::path>& ignored) {
  Json json{{"format_version", kFormatVersion}, {"ignored", Json::array()}};
  for (const fs::path& path : ignored) json["ignored"].push_back(text_of(path));
  return json_file_text(json);
}

// A database that was backed up, or a folder that held one: what has gone may be ignored, too.
bool is_remembered(const fs::path& path, const Env& env) {
  RunFilter filter;
  filter.limit = kRunsOfStatus;
  const auto runs = list_runs(filter, env);
  return runs && std::any_of(runs->begin(), runs->end(), [&path](const RunRecord& run) {
           return !run.source.empty() && is_inside(path_of(run.source), path);
         });
}

// What may be written down: a name that is no UTF-8 would come back as another one.
Expected<> check(const fs::path& path, const std::vector<fs::path>& ignored, const Env& env) {
  if (!is_utf8_without_nul(text_of(path))) {
    return fail(ErrorCode::invalid_argument, text_of(path) + " has a name that is no UTF-8 text.",
                "Ignore the folder above it.");
  }
  const auto info = env.files.info(path);
  const bool gone = !info && info.error().code == ErrorCode::not_found;
  if (!info && !(gone && is_remembered(path, env))) return fail(info.error());
  if (ignored.size() < kMaxIgnored) return {};
  return fail(ErrorCode::invalid_argument,
              "There are " + std::to_string(ignored.size()) + " ignored places already.",
              "Ignore a folder above several of them.");
}

}  // namespace

Expected<std::vector<fs::path>> read_ignored(const Places& places, const FileSystem& files) {
  const fs::path file = file_of(places);
  const auto text = files.read(file, kMaxBytes);
  if (text) return decode(file, *text);
  if (text.error().code == ErrorCode::not_found) return std::vector<fs::path>{};
  return fail(text.error());
}

bool is_ignored(const fs::path& path, const std::vector<fs::path>& ignored) {
  return std::any_of(ignored.begin(), ignored.end(),
                     [&](const fs::path& place) { return is_inside(path, place); });
}

Expected<IgnoreResult> set_ignored(const fs::path& path, bool ignored, const Env& env,
                                   std::stop_token stop) {
  BPD_TRY_AS(lock, RunLock::acquire("ignored", "a change of what is ignored", kLockTimeout, env,
                                    std::move(stop)));
  IgnoreResult result;
  result.path = recorded_source(path, env.files);
  BPD_TRY_AS(known, read_ignored(env.places, env.files));
  result.ignored = std::move(*known);
  const auto at = std::find(result.ignored.begin(), result.ignored.end(), result.path);
  result.changed = ignored == (at == result.ignored.end());
  if (ignored && result.changed) {
    BPD_TRY(check(result.path, result.ignored, env));
    result.ignored.push_back(result.path);
    std::sort(result.ignored.begin(), result.ignored.end());
  } else if (!ignored && result.changed) {
    result.ignored.erase(at);
  }
  const auto above =
      std::find_if(result.ignored.begin(), result.ignored.end(),
                   [&](const fs::path& place) { return is_inside(result.path, place); });
  if (!ignored && above != result.ignored.end()) {
    return fail(ErrorCode::invalid_argument,
                text_of(result.path) + " is ignored because all of " + text_of(*above) + " is.",
                "End that for this folder, or give the database a schedule of its own.");
  }
  if (!result.changed) return result;
  BPD_TRY(env.files.make_folders(env.places.config, kPrivateFolder));
  BPD_TRY(env.files.write_atomically(file_of(env.places), encode(result.ignored), kPrivateFile));
  return result;
}

}  // namespace core
