#include "core/base/patience.h"

#include <map>

namespace core {
namespace {

// Never destroyed: a thread may come back from its question while the program ends.
struct Asked {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::map<std::string, bool> places;  // true: it hangs
};
Asked& asked() {
  static auto* places = new Asked;
  return *places;
}

}  // namespace

bool begin_to_ask(const std::string& place, std::chrono::steady_clock::time_point deadline,
                  const std::stop_token& stop) {
  Asked& all = asked();
  std::unique_lock lock(all.mutex);
  const auto free_or_hanging = [&] {
    const auto found = all.places.find(place);
    return found == all.places.end() || found->second;
  };
  if (!all.changed.wait_until(lock, stop, deadline, free_or_hanging)) return false;
  return all.places.emplace(place, false).second;
}

void end_asking(const std::string& place) {
  const std::lock_guard lock(asked().mutex);
  asked().places.erase(place);
  asked().changed.notify_all();
}

void note_hanging(const std::string& place) {
  const std::lock_guard lock(asked().mutex);
  const auto found = asked().places.find(place);
  if (found != asked().places.end()) found->second = true;
  asked().changed.notify_all();
}

}  // namespace core
