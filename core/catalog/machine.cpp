#include "core/catalog/machine.h"

#include <algorithm>

#include "core/base/hex.h"
#include "core/base/paths.h"
#include "core/catalog/history.h"
#include "core/platform/secrets.h"

namespace core {
namespace {

constexpr std::size_t kIdDigits = 32;
constexpr std::uint64_t kMaxIdFileBytes = 256;
constexpr std::size_t kRunsLookedAt = 20;  // for a snapshot that tells our own id

fs::path id_path(const Places& places) {
  return places.state / "machine-id";
}

bool is_id(const std::string& text) {
  return text.size() == kIdDigits && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

std::string new_id() {
  return hex_of(random_bytes(kIdDigits / 2));
}

// As our last snapshots bear it.
std::string remembered_id(const Env& env) {
  RunFilter filter;
  filter.kind = kSnapshotRun;
  filter.limit = kRunsLookedAt;
  const auto runs = list_runs(filter, env);
  if (!runs) return "";
  for (const RunRecord& run : *runs) {
    if (!run.ok || run.snapshot.empty()) continue;
    const auto manifest = read_manifest(path_of(run.snapshot), env.files);
    if (manifest && is_id(manifest->machine)) return manifest->machine;
  }
  return "";
}

// Of two processes that make it at once, the first one's counts.
void make_id(const Env& env) {
  const fs::path path = id_path(env.places);
  std::string id = remembered_id(env);
  if (id.empty()) id = new_id();
  const fs::path made = path_of(text_of(path) + "." + new_id());
  if (!env.files.make_folders(env.places.state, kPrivateFolder)) return;
  if (!env.files.write_atomically(made, id + "\n", kPrivateFile)) return;
  const bool damaged = env.files.link_info(path).has_value();
  const auto placed = damaged ? env.files.rename(made, path) : env.files.rename_new(made, path);
  if (!placed) (void)env.files.remove(made);
}

}  // namespace

std::string known_machine_id(const Env& env) {
  const auto text = env.files.read(id_path(env.places), kMaxIdFileBytes);
  if (!text) return "";
  const std::string id = text->substr(0, text->find('\n'));
  return is_id(id) ? id : "";
}

std::string machine_id(const Env& env) {
  std::string id = known_machine_id(env);
  if (!id.empty()) return id;
  make_id(env);
  return known_machine_id(env);
}

Whose whose_is(const Manifest& manifest, const std::string& host, const std::string& machine) {
  const bool same_host = manifest.host == manifest_text(host);
  if (manifest.machine.empty() || machine.empty()) return same_host ? Whose::ours : Whose::others;
  if (manifest.machine != machine) return Whose::others;
  return same_host ? Whose::ours : Whose::ours_renamed;
}

std::string tell_whose(const Manifest& manifest, const std::string& host,
                       const std::string& machine) {
  const bool same_host = manifest.host == manifest_text(host);
  switch (whose_is(manifest, host, machine)) {
    case Whose::ours:
      return "";
    case Whose::ours_renamed:
      return "It was taken under the host name " + manifest.host + "; this machine is called " +
             host + " now.";
    case Whose::others:
      break;
  }
  if (same_host) {
    return "It was taken on another machine, or by another user, under the same host name, " +
           host + ".";
  }
  return "It was taken on another machine: on the host " + manifest.host + ", not on this one, " +
         host + ".";
}

}  // namespace core
