// One snapshot by the library alone, for the benchmark and for profiling: arguments
// `SOURCE DESTINATION none|quick|full digest|nodigest STATE`, its timings as JSON on stdout.
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string_view>

#include "core/snapshot/snapshot.h"

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fputs("usage: bench_snapshot SOURCE DESTINATION none|quick|full digest|nodigest STATE\n",
               stderr);
    return 2;
  }
  core::SnapshotRequest request;
  request.source = argv[1];
  request.destination = argv[2];
  request.verify = core::parse_verify_level(argv[3]).value_or(core::VerifyLevel::quick);
  request.digest = std::string_view(argv[4]) == "digest";
  core::Places places;
  places.home = places.state = argv[5];
  places.host = "bench";
  const core::Env env{core::system_clock(), core::system_files(), core::system_commands(), places};
  core::NoProgress progress;
  const auto result = core::take_snapshot(request, env, progress, {});
  if (!result) {
    std::fprintf(stderr, "%s\n", result.error().message.c_str());
    return 1;
  }
  const core::SnapshotTimings& t = result->timings;
  const nlohmann::json json = {{"copy_ms", t.copy_ms},
                               {"digest_ms", t.digest_ms},
                               {"sync_ms", t.sync_ms},
                               {"verify_ms", t.verify_ms},
                               {"total_ms", t.total_ms},
                               {"bytes", result->manifest.bytes},
                               {"warnings", core::texts_of(result->warnings)}};
  std::puts(json.dump().c_str());
  return 0;
}
