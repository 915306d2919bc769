#include "core/snapshot/unchanged.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "core/base/paths.h"
#include "core/base/side_files.h"
#include "core/catalog/retention.h"
#include "core/catalog/series.h"
#include "core/platform/mounts.h"
#include "core/platform/sha256.h"
#include "core/verify/verify_run.h"

namespace core {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

// The first line of what is remembered; another version would say another.
constexpr std::string_view kFirstLine = "backup-plugin-db known state 1";
constexpr std::size_t kMaxKnownStateBytes = 64 << 10;
constexpr std::size_t kNameDigits = 32;

std::int64_t nanoseconds_of(Instant instant) {
  return std::chrono::duration_cast<nanoseconds>(instant.time_since_epoch()).count();
}

// A whole number of milliseconds is a file system that counts in them, or in seconds.
bool is_coarse(Instant instant) {
  return nanoseconds_of(instant) % nanoseconds(milliseconds(1)).count() == 0;
}

std::string number(std::uint64_t value) {
  return std::to_string(value);
}

// Nothing where it proves nothing.
std::optional<std::string> describe_file(const fs::path& path, Instant quiet_since,
                                         const FileSystem& files) {
  const auto info = files.link_info(path);
  if (!info && info.error().code == ErrorCode::not_found) return "none";
  if (!info || info->kind != FileInfo::Kind::file) return std::nullopt;
  if (is_coarse(info->changed) || info->changed > quiet_since) return std::nullopt;
  return number(info->id.device) + " " + number(info->id.inode) + " " + number(info->bytes) + " " +
         std::to_string(nanoseconds_of(info->modified)) + " " +
         std::to_string(nanoseconds_of(info->changed));
}

// The first line, without its end; takes it away.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

// What the system says of the files of a source; empty where it would prove nothing: a file system
// whose times are not certain or coarse, a time that is too young or lies ahead.
std::string times_of(const fs::path& source, Instant quiet_since, const FileSystem& files) {
  const std::string since = change_times_since(source, files);
  if (since.empty()) return "";
  std::string text = since;
  for (const fs::path& path : {source, wal_of(source), journal_of(source)}) {
    const auto described = describe_file(path, quiet_since, files);
    if (!described) return "";
    text += "\n" + *described;
  }
  return text;
}

}  // namespace

std::optional<Snapshot> standing_snapshot(const std::vector<Snapshot>& series,
                                          const SnapshotPlan& plan, const std::string& machine,
                                          VerifyLevel wanted, const Env& env) {
  if (wanted == VerifyLevel::none || machine.empty()) return std::nullopt;
  const Instant now = env.clock.now();
  auto latest = latest_of(series, now);
  if (!latest || !latest->manifest) return std::nullopt;
  const Manifest& manifest = *latest->manifest;
  const bool ours = manifest.source == manifest_text(text_of(plan.source)) &&
                    manifest.host == manifest_text(plan.host) && manifest.machine == machine &&
                    manifest.label == manifest_text(plan.label);
  if (!ours || manifest.sha256.empty() || manifest.bytes != latest->bytes ||
      manifest.taken_at > now || manifest.verified < wanted) {
    return std::nullopt;
  }
  std::vector<Snapshot> alone{std::move(*latest)};
  if (!mark_damaged(alone, text_of(plan.source), env)) return std::nullopt;
  mark_unusable(alone, env.files);
  if (!alone.front().verified()) return std::nullopt;
  return std::move(alone.front());
}

UnchangedSource::UnchangedSource(const SnapshotPlan& plan, const SnapshotRequest& request,
                                 const Env& env)
    : plan_(plan),
      env_(env),
      wanted_(request.verify),
      begun_(env.clock.now()),
      quiet_since_(begun_ - request.quiet) {
  times_ = times_of(plan.source, quiet_since_, env.files);
}

std::optional<Snapshot> UnchangedSource::standing(const std::vector<Snapshot>& series) const {
  return standing_snapshot(series, plan_, machine_, wanted_, env_);
}

std::optional<Snapshot> UnchangedSource::proved(const PinnedSource& source,
                                                const std::vector<Snapshot>& series,
                                                const std::string& machine) {
  machine_ = machine;
  witness_ = source.witness();
  auto found = standing(series);
  if (!found || !is_known(proof_of(*found))) return std::nullopt;
  return found;
}

bool UnchangedSource::is_known(const std::string& proof) const {
  if (proof.empty()) return false;
  const auto text = env_.files.read(place(), kMaxKnownStateBytes);
  if (!text) return false;
  std::string_view rest = *text;
  if (take_line(rest) != kFirstLine) return false;
  const auto digest_at = parse_instant(take_line(rest));
  if (!digest_at || *digest_at > begun_ || begun_ - *digest_at >= kDigestDecidesEvery) return false;
  return rest == proof;
}

void UnchangedSource::before_copy(PinnedSource& source) {
  if (!times_.empty() && !source.sync()) times_.clear();
}

Expected<> UnchangedSource::compare(const std::vector<Snapshot>& series, const Manifest& manifest,
                                    std::stop_token stop) {
  auto found = standing(series);
  if (!found || found->manifest->sha256 != manifest.sha256 ||
      found->manifest->journal_mode != manifest.journal_mode) {
    return {};
  }
  const auto digest = sha256_of_file(found->path, std::move(stop));
  if (!digest && digest.error().code == ErrorCode::cancelled) return fail(digest.error());
  if (digest && *digest == manifest.sha256) same_ = std::move(found);
  return {};
}

std::optional<Snapshot> UnchangedSource::still_stands(const std::vector<Snapshot>& series,
                                                      const Manifest& manifest,
                                                      std::string& warning) const {
  if (!same_) return std::nullopt;
  auto found = standing(series);
  if (!found || found->path != same_->path || found->modified != same_->modified ||
      found->manifest->sha256 != manifest.sha256) {
    return std::nullopt;
  }
  auto noted = read_manifest(found->path, env_.files);  // whole: lists may leave rows out
  // The level that it tells is never lowered.
  if (!noted || manifest.verified == VerifyLevel::none || manifest.verified < noted->verified) {
    return found;
  }
  noted->verified = manifest.verified;
  noted->verified_at = manifest.verified_at;
  noted->full_check_at = manifest.full_check_at;
  noted->source_findings = manifest.source_findings;
  if (auto written = write_manifest(found->path, *noted, env_.files); !written) {
    warning = "The check of " + text_of(found->path) +
              " is not noted in its manifest: " + written.error().message;
  } else {
    found->manifest = std::move(*noted);
  }
  return found;
}

void UnchangedSource::remember(const std::vector<Snapshot>& series,
                               const Manifest& manifest) const {
  const auto found = standing(series);
  if (!found || found->manifest->sha256 != manifest.sha256) return;
  const std::string proof = proof_of(*found);
  if (proof.empty() || times_of(plan_.source, quiet_since_, env_.files) != times_) return;
  if (!env_.files.make_folders(place().parent_path(), kPrivateFolder)) return;
  (void)env_.files.write_atomically(
      place(), std::string(kFirstLine) + "\n" + format_instant(begun_) + "\n" + proof,
      kPrivateFile);
}

std::string UnchangedSource::proof_of(const Snapshot& standing) const {
  if (times_.empty() || witness_.empty()) return "";
  return times_ + "\n" + witness_ + "\n" + text_of(standing.path) + "\n" +
         standing.manifest->sha256 + " " + standing.manifest->journal_mode + " " +
         number(standing.bytes) + " " + std::to_string(nanoseconds_of(standing.modified)) + "\n";
}

fs::path UnchangedSource::place() const {
  const std::string key =
      text_of(plan_.source) + "\n" + text_of(plan_.folder) + "\n" + plan_.name.stem;
  return env_.places.state / "known" / sha256_of(key).substr(0, kNameDigits);
}

}  // namespace core
