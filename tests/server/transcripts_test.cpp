// Plays tests/transcripts/*.txt against the demo server. Lines: `# comment`, `> message to the
// server`, `< message from it`; `>>` moves the clock by so many seconds. What differs from run to
// run stands as <requestState> and <taskId>, also in what is sent. With the environment variable
// BPD_UPDATE_TRANSCRIPTS set, the `<` lines are written anew from what came.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <thread>

#include "support/catch.h"
#include "support/demo_server.h"

namespace {

using server::Json;
namespace fs = std::filesystem;

constexpr auto kQuiet = std::chrono::milliseconds(150);

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

// Sends the `>` lines and gives back the whole transcript as it went.
std::string play(const std::string& transcript, bool update) {
  test::DemoServer server;
  Names names;
  std::size_t seen = 0;
  std::ostringstream played;
  const auto take = [&](std::size_t count) {
    const auto lines = server.client->wait_for(
        seen + count, count == 0 || update ? kQuiet : std::chrono::seconds(10));
    for (; seen < lines.size(); ++seen) {
      find_names(Json::parse(lines[seen]), names);
      played << "< " << with_names(lines[seen], names) << "\n";
    }
  };
  std::istringstream in(transcript);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].starts_with("<")) continue;
    played << lines[i] << "\n";
    if (lines[i].starts_with(">> "))
      server.clock.advance(std::chrono::seconds(std::stoi(lines[i].substr(3))));
    if (!lines[i].starts_with("> ")) continue;
    server.send(with_values(lines[i].substr(2), names));
    std::size_t expected = 0;
    while (i + 1 + expected < lines.size() && lines[i + 1 + expected].starts_with("<")) ++expected;
    take(update ? 1000 : expected);
  }
  if (!update) take(0);
  return played.str();
}

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
    const std::string played = play(text, update);
    if (update) {
      std::ofstream(path) << played;
    } else {
      CHECK(played == text);
    }
  }
}
