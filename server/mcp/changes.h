// How any part of a server says that something changed, without knowing who listens.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>

namespace server {

struct Change {
  enum class Kind { tools_list, prompts_list, resources_list, resource };
  Kind kind = Kind::resource;
  std::string uri;  // with Kind::resource
};

// Thread-safe. Listeners run on the announcing thread and must return at once.
class Changes {
 public:
  void announce(const Change& change);
  // Whether anybody would hear of one.
  bool is_heard();
  int listen(std::function<void(const Change&)> listener);
  // After it returns the listener does not run any more.
  void forget(int listener);

 private:
  std::mutex mutex_;
  int next_ = 1;
  std::map<int, std::function<void(const Change&)>> listeners_;
};

}  // namespace server
