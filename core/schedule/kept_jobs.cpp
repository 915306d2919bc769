#include "core/schedule/kept_jobs.h"

#include <algorithm>
#include <array>
#include <exception>
#include <string_view>
#include <tuple>

#include "core/base/json.h"
#include "core/base/json_limits.h"
#include "core/base/paths.h"
#include "core/base/patience.h"
#include "core/base/utf8.h"
#include "core/catalog/machine.h"
#include "core/catalog/manifest.h"
#include "core/schedule/list.h"
#include "core/schedule/quoting.h"

namespace core {

namespace {

constexpr std::string_view kPrefix = "schedules-", kEnding = ".json";
constexpr std::size_t kIdDigits = 8;
constexpr std::uint64_t kMaxKeptBytes = 1 << 20;
constexpr JsonLimits kKeptLimits{8, 30'000, 30'000};
// What is nobody else's business.
constexpr std::array kSecrets{"on_failure", "ping_url"};

fs::path kept_path(const fs::path& destination, const std::string& machine, const Env& env) {
  const std::string id = machine.empty() ? "" : "-" + machine.substr(0, kIdDigits);
  return destination / (std::string(kPrefix) + slug(env.places.host) + id + std::string(kEnding));
}

// Empty for no jobs.
std::string encode(const KeptJobs& kept) {
  if (kept.jobs.empty()) return "";
  Json json{{"format_version", KeptJobs::kFormatVersion},
            {"host", manifest_text(kept.host)},
            {"machine", kept.machine},
            {"home", manifest_text(text_of(kept.home))},
            {"schedules", Json::array()}};
  for (const BackupJob& job : kept.jobs) {
    Json entry = json_of(encode_job(job));
    for (const char* secret : kSecrets) entry.erase(secret);
    json["schedules"].push_back(std::move(entry));
  }
  return json_file_text(json);
}

Expected<KeptJobs> decode(const fs::path& path, const std::string& text) {
  const auto unusable = [&](ErrorCode code, const std::string& why) {
    return fail(code, "The schedules in " + text_of(path) + " cannot be read: " + why + ".", "");
  };
  if (!is_utf8_without_nul(text)) return unusable(ErrorCode::damaged, "it is not UTF-8 text");
  if (const auto why = beyond_limits(text, kKeptLimits); !why.empty()) {
    return unusable(ErrorCode::damaged, "it is " + why);
  }
  try {
    const Json json = json_of(text);
    if (json.at("format_version").get<int>() > KeptJobs::kFormatVersion) {
      return unusable(ErrorCode::unsupported, "a newer version of this program wrote it");
    }
    KeptJobs kept{json.at("host").get<std::string>(),
                  json.at("machine").get<std::string>(),
                  path_of(json.at("home").get<std::string>()),
                  {}};
    for (Json entry : json.at("schedules")) {
      for (const char* secret : kSecrets) entry.erase(secret);
      BPD_TRY_AS(job, decode_job(entry.at("name").get<std::string>(), json_text(entry)));
      job->snapshot.destination = path.parent_path();
      kept.jobs.push_back(std::move(*job));
    }
    return kept;
  } catch (const std::exception& exception) {
    return unusable(ErrorCode::damaged, exception.what());
  }
}

Expected<> put(const fs::path& path, const std::string& text, FileSystem& files) {
  const auto folder = files.info(path.parent_path());
  if (!folder && folder.error().code == ErrorCode::not_found) return {};
  const auto former = files.read(path, kMaxKeptBytes);
  if (former && *former == text) return {};
  if (!text.empty()) return files.write_atomically(path, text, kPrivateFile);
  if (auto gone = files.remove(path); !gone && gone.error().code != ErrorCode::not_found) {
    return gone;
  }
  return {};
}

// A file from before this machine had an id, beside the one that bears it, would be there for ever.
Expected<> remove_one_without_id(const fs::path& path, const KeptJobs& ours, FileSystem& files) {
  const auto text = files.read(path, kMaxKeptBytes);
  if (!text) return {};
  const auto there = decode(path, *text);
  const bool is_ours = there && there->machine.empty() && there->host == manifest_text(ours.host) &&
                       text_of(there->home) == manifest_text(text_of(ours.home));
  return is_ours ? put(path, "", files) : Expected<>();
}

}  // namespace

bool is_kept_jobs(std::string_view file_name) {
  return file_name.starts_with(kPrefix) && file_name.ends_with(kEnding);
}

Expected<> keep_jobs(const fs::path& destination, const Env& env, std::stop_token stop) {
  const std::string place = text_of(destination);
  KeptJobs kept;
  kept.host = env.places.host;
  kept.home = env.files.canonical(env.places.home).value_or(env.places.home);
  std::vector<UnusableJob> unusable;
  for (BackupJob& job : list_jobs(env.places, env.files, unusable)) {
    if (job.snapshot.destination.lexically_normal() != destination.lexically_normal()) continue;
    kept.jobs.push_back(std::move(job));
  }
  if (!unusable.empty()) return {};
  kept.machine = kept.jobs.empty() ? known_machine_id(env) : machine_id(env);
  auto done = within(kPatience, place, stop,
                     [&files = env.files, kept, path = kept_path(destination, kept.machine, env),
                      without_id = kept_path(destination, "", env)]() -> Expected<> {
                       BPD_TRY(put(path, encode(kept), files));
                       if (path == without_id) return {};
                       return remove_one_without_id(without_id, kept, files);
                     });
  if (done) return *done;
  return fail(ErrorCode::timed_out, "The destination " + place + std::string(kSilentProblem), "");
}

std::vector<KeptJobs> read_kept_jobs(const fs::path& destination, const FileSystem& files,
                                     std::vector<std::string>& warnings) {
  std::vector<KeptJobs> all;
  const auto entries = files.list(destination, kMaxFolderEntries);
  if (!entries) return all;
  for (const DirEntry& entry : *entries) {
    if (entry.kind != FileInfo::Kind::file || !is_kept_jobs(entry.name)) continue;
    if (all.size() == kMaxKeptJobsFiles) break;
    const fs::path path = destination / entry.name;
    const auto text = files.read(path, kMaxKeptBytes);
    auto kept = text ? decode(path, *text) : Expected<KeptJobs>(fail(text.error()));
    if (kept) {
      all.push_back(std::move(*kept));
    } else {
      warnings.push_back(kept.error().message);
    }
  }
  std::sort(all.begin(), all.end(), [](const KeptJobs& a, const KeptJobs& b) {
    return std::tie(a.host, a.machine) < std::tie(b.host, b.machine);
  });
  return all;
}

}  // namespace core
