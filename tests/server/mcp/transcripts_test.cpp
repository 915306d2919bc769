// Plays tests/transcripts/*.txt against the demo server. Lines: `# comment`, `> message to the
// server`, `< message from it`; `>> 60` moves the clock by so many seconds; `?> ` sends again until
// the answer is the one that follows (what a task does takes its time). What differs from run to
// run stands as <requestState> and <taskId>, also in what is sent. With the environment variable
// BPD_UPDATE_TRANSCRIPTS set, the `<` lines are written anew from what came.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <thread>

#include "core/base/json.h"
#include "support/catch.h"
#include "tests/server/support/demo_server.h"

namespace {

using server::Json;
namespace fs = std::filesystem;

constexpr auto kQuiet = std::chrono::milliseconds(100);
constexpr std::chrono::milliseconds kPatience = std::chrono::seconds(10);

// The newest value of each thing that has no fixed one.
using Names = std::map<std::string, std::string>;

void find_names(const Json& value, Names& names) {
  if (value.is_structured()) {
    for (const auto& [key, member] : value.items()) {
      if ((key == "requestState" || key == "taskId") && member.is_string()) {
        names["<" + key + ">"] = member.get<std::string>();
      }
      find_names(member, names);
    }
  }
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at)) {
    text.replace(at, from.size(), to);
    at += to.size();
  }
  return text;
}

std::string with_names(std::string text, const Names& names) {
  for (const auto& [name, value] : names) text = replaced(text, value, name);
  return text;
}

std::string with_values(std::string text, const Names& names) {
  for (const auto& [name, value] : names) text = replaced(text, name, value);
  return text;
}

// The first line that is not as written; empty: there is none.
std::string first_difference(const std::string& played, const std::string& written) {
  std::istringstream came(played);
  std::istringstream wanted(written);
  for (int number = 1; came && wanted; ++number) {
    std::string is;
    std::string should;
    std::getline(came, is);
    std::getline(wanted, should);
    if (is != should) {
      return "line " + std::to_string(number) + "\nwritten: " + should + "\ncame:    " + is;
    }
  }
  return "";
}

// One playing of a transcript.
class Player {
 public:
  explicit Player(bool update) : update_(update) {}

  // Sends the `>` lines and gives back the whole transcript as it went.
  std::string play(const std::string& transcript) {
    std::istringstream in(transcript);
    for (std::string line; std::getline(in, line);) lines_.push_back(line);
    for (at_ = 0; at_ < lines_.size(); ++at_) {
      const std::string& line = lines_[at_];
      if (line.starts_with("<")) continue;
      played_ += line + "\n";
      if (line.starts_with(">> ")) {
        server_.clock.advance(std::chrono::seconds(std::stoi(line.substr(3))));
      } else if (line.starts_with("?> ")) {
        poll(line.substr(3));
      } else if (line.starts_with("> ")) {
        server_.send(with_values(line.substr(2), names_));
        played_ += take(expected().size());
      }
    }
    return played_ + (update_ ? "" : take(0));
  }

 private:
  std::vector<std::string> expected() const {
    std::vector<std::string> lines;
    for (std::size_t i = at_ + 1; i < lines_.size() && lines_[i].starts_with("<"); ++i) {
      lines.push_back(lines_[i]);
    }
    return lines;
  }

  std::string take(std::size_t count) {
    const bool until_quiet = count == 0 || update_;
    const auto came = server_.client->wait_for(until_quiet ? seen_ + 1000 : seen_ + count,
                                               until_quiet ? kQuiet : kPatience);
    std::string text;
    for (; seen_ < came.size(); ++seen_) {
      find_names(core::json_of(came[seen_]), names_);
      text += "< " + with_names(came[seen_], names_) + "\n";
    }
    return text;
  }

  void poll(const std::string& line) {
    if (update_) std::this_thread::sleep_for(kQuiet);
    const std::string wanted = expected().empty() ? "" : expected().front() + "\n";
    const auto end = std::chrono::steady_clock::now() + kPatience;
    std::string answer;
    do {
      server_.send(with_values(line, names_));
      answer = take(1);
    } while (!update_ && answer != wanted && std::chrono::steady_clock::now() < end);
    played_ += answer;
  }

  const bool update_;
  test::DemoServer server_;
  Names names_;
  std::vector<std::string> lines_;
  std::size_t at_ = 0;
  std::size_t seen_ = 0;
  std::string played_;
};

}  // namespace

TEST_CASE("Every transcript is what the server says") {
  const bool update = std::getenv("BPD_UPDATE_TRANSCRIPTS") != nullptr;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(BPD_SOURCE_DIR "/tests/transcripts")) {
    if (entry.path().extension() == ".txt") files.push_back(entry.path());
  }
  REQUIRE(files.size() >= 2);
  for (const fs::path& path : files) {
    INFO("transcript " << path.filename().string());
    std::ifstream file(path);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const std::string played = Player(update).play(text);
    if (update) {
      std::ofstream(path) << played;
    } else {
      CHECK(first_difference(played, text) == "");
    }
  }
}
