#include "core/snapshot/result.h"

#include "core/base/paths.h"
#include "core/catalog/names.h"

namespace core {

Snapshot planned_snapshot(const SnapshotResult& result, VerifyLevel level) {
  Snapshot planned;
  planned.path = result.snapshot;
  if (const auto name = parse_snapshot_name(text_of(result.snapshot.filename()))) {
    planned.stem = name->stem;
    planned.date = name->date;
    planned.time = name->time;
  }
  planned.bytes = result.manifest.bytes;
  planned.manifest = result.manifest;
  planned.manifest->verified = level;
  return planned;
}

}  // namespace core
