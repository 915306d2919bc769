// How a run knows that a source is still in the state of its last snapshot, and need not be copied.
//
// What is asked is never "may it have changed?" but "is it proved that it has not?". The proof has
// two halves, each of which must hold. The files of the source have the change times that they had
// when the snapshot was taken (of the database, its -wal and its journal; docs/DESIGN.md says when
// such a time proves something). And SQLite reads the same witness (PinnedSource::witness) in them.
// Without a proof the copy is made, and its digest compared with that of the last snapshot.
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/snapshot/snapshot_plan.h"
#include "core/sqlite/pinned_source.h"

namespace core {

// So often the digest decides, whatever else is known. A little less than a day, so that it does
// not move on each time.
inline constexpr std::chrono::minutes kDigestDecidesEvery{23 * 60 + 30};

// The snapshot that stands for its source as long as that does not change: the latest of the
// series, when it is of this source and installation, verified as `wanted` or better, and nothing
// speaks against it. Nothing where `wanted` is none. `machine`: machine_id.
std::optional<Snapshot> standing_snapshot(const std::vector<Snapshot>& series,
                                          const SnapshotPlan& plan, const std::string& machine,
                                          VerifyLevel wanted, const Env& env);

// What one run knows of its source; what the next one is to know lies in `<state>/known`. What
// cannot be kept there costs a copy in that run, and nothing else. The methods are called in their
// order; `series` is as list_series gives it at that moment. plan and env must outlive it.
class UnchangedSource {
 public:
  // To be made before the source is opened: what is written later shows. (SnapshotRequest::quiet:
  // a change time that is younger may be that of a write before and of one after we looked. The
  // system counts these times in ticks of 10 ms at most, but sets them as a write begins.)
  UnchangedSource(const SnapshotPlan& plan, const SnapshotRequest& request, const Env& env);
  // Right after it is pinned: the standing snapshot, where it is proved that the source is in its
  // state.
  std::optional<Snapshot> proved(const PinnedSource& source, const std::vector<Snapshot>& series,
                                 const std::string& machine);
  // Before the first page is copied: from here on a store through a mapping shows, too.
  void before_copy(PinnedSource& source);
  // After the copy was checked, `manifest` being its: whether the standing snapshot has the same
  // digest, and its file still has these bytes, all of which are read. cancelled.
  Expected<> compare(const std::vector<Snapshot>& series, const Manifest& manifest,
                     std::stop_token stop);
  // With the folder's lock held: that snapshot, where it has them and is still the latest. What the
  // check of the copy found is noted in its manifest; `warning` tells where that failed.
  std::optional<Snapshot> still_stands(const std::vector<Snapshot>& series,
                                       const Manifest& manifest, std::string& warning) const;
  // That the digest found the source in the state of the snapshot which now is the latest, and
  // whose manifest this is. Not where the source was written to since this was made.
  void remember(const std::vector<Snapshot>& series, const Manifest& manifest) const;

 private:
  std::optional<Snapshot> standing(const std::vector<Snapshot>& series) const;
  bool is_known(const std::string& proof) const;
  std::string proof_of(const Snapshot& standing) const;
  fs::path place() const;

  const SnapshotPlan& plan_;
  const Env& env_;
  const VerifyLevel wanted_;
  const Instant begun_, quiet_since_;
  std::string machine_;
  std::string times_;  // empty: they prove nothing
  std::string witness_;
  std::optional<Snapshot> same_;  // the standing one, its bytes those of the copy
};

}  // namespace core
