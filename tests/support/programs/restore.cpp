// Restores SNAPSHOT in place of TARGET again and again, saying "+" before each, until it is killed:
// what a test of crashes needs. STATE is a folder for locks and history.
#include "core/restore/restore.h"

#include <chrono>
#include <cstdio>

#include "support/fake_env.h"

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  core::Places places = test::places_in(argv[3]);
  const core::Env env{core::system_clock(), core::system_files(), core::system_commands(), places};
  core::NoProgress progress;
  const core::RestoreRequest request{
      .snapshot = argv[1], .target = argv[2], .in_place = true, .confirmed = true};
  while (true) {
    std::fputs("+", stdout);
    std::fflush(stdout);
    const auto restored = core::restore_snapshot(request, env, progress, {});
    if (!restored && restored.error().code == core::ErrorCode::conflict) {
      // A quick disk: this second has no name left for another safety copy.
      env.clock.sleep_for(std::chrono::milliseconds{100}, {});
    } else if (!restored) {
      std::fprintf(stderr, "%s\n", restored.error().message.c_str());
      return 1;
    }
  }
}
