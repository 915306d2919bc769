#include "core/restore/safety_copy.h"

#include "core/base/paths.h"
#include "core/platform/sha256.h"
#include "core/snapshot/damaged_copy.h"
#include "core/verify/verify.h"

namespace core {
namespace {

std::string beyond_restoring(const fs::path& path) {
  return text_of(path) + ", and cannot be restored from there. " + recovery_advice(path);
}

}  // namespace

bool describe_safety_copy(const SafetyCopy& copy, const Env& env,
                          std::vector<std::string>& warnings) {
  const std::string what = "The database that was replaced";
  if (const auto info = env.files.info(copy.path); info && info->bytes == 0) {
    warnings.push_back(what + " was empty (0 bytes); it is kept as " + text_of(copy.path) + ".");
    return false;
  }
  if (!copy.facts) {
    warnings.push_back(what +
                       " could not be opened: it is damaged, or encrypted. It is kept as it was, "
                       "as " +
                       beyond_restoring(copy.path));
    return false;
  }
  Manifest manifest = *copy.facts;
  auto digest = sha256_of_file(copy.path, {});
  if (!digest) return true;  // the manifest without it is there already
  manifest.sha256 = *digest;
  VerifyRequest request;
  request.snapshot = copy.path;
  request.level = copy.level;
  request.known_sha256 = *digest;
  request.expected = manifest;
  NoProgress silent;
  const auto report = verify_snapshot(request, env, silent, {});
  if (!report) return true;
  manifest.rows = manifest_rows(report->rows);
  manifest.virtual_rows = manifest_rows(report->virtual_rows);
  manifest.source_findings = report->source_findings;
  if (report->verdict == VerifyReport::Verdict::verified) {
    manifest.verified = report->level;
    manifest.verified_at = env.clock.now();
  }
  (void)write_manifest(copy.path, manifest, env.files);
  if (report->verdict != VerifyReport::Verdict::damaged) return true;
  warnings.push_back(what + " is damaged (" + describe_failures(*report) + "). It is kept as " +
                     beyond_restoring(copy.path));
  return false;
}

}  // namespace core
