// Commands: what they get, what is heard of them, and how they end.
#include <thread>

#include "core/base/env.h"
#include "core/base/paths.h"
#include "support/catch.h"
#include "support/temp_folder.h"

using core::Command;
using core::ErrorCode;
using std::chrono::milliseconds;

namespace {

// tests/support/programs/probe.cpp
Command probe(std::vector<std::string> words) {
  words.insert(words.begin(), core::text_of(core::path_of(BPD_TEST_PROBE)));
  Command command;
  command.argv = std::move(words);
  return command;
}

}  // namespace

TEST_CASE("A command gets its arguments as they are, its input and its environment") {
  Command command =
      probe({"words", "a b", "$HOME", "'", "\"", "\\", "a\\\"b\\", "%PATH%", "", "*"});
  command.input = "in\n";
  command.extra_environment["EXTRA"] = "value with = and spaces";
  const auto result = core::system_commands().run(command, {});
  REQUIRE(result);
  CHECK(result->exit_code == 3);
  CHECK(result->output == "in\nvalue with = and spaces");
  CHECK(result->error_output == "a b|$HOME|'|\"|\\|a\\\"b\\|%PATH%||*|");
  CHECK_FALSE(result->timed_out);
}

TEST_CASE("Output above the bound is dropped, and the command still ends") {
  Command command = probe({"fill", "300000"});
  command.max_output_bytes = 1000;
  const auto result = core::system_commands().run(command, {});
  REQUIRE(result);
  CHECK(result->output == std::string(1000, 'x'));
  CHECK(result->error_output == "end\n");
  CHECK(result->exit_code == 0);
}

TEST_CASE("Input that a command does not read does no harm") {
  Command command = probe({"sleep", "0"});
  command.input = std::string(1 << 20, 'i');
  CHECK(core::system_commands().run(command, {})->exit_code == 0);
}

TEST_CASE("What a command says is heard as it comes, and its input stays open until a stop") {
  std::stop_source stop;
  std::string heard;
  Command command = probe({"hold", "x"});
  command.holds_input = true;
  command.on_error_output = [&](std::string_view said) {
    heard += said;
    stop.request_stop();
  };
  const auto result = core::system_commands().run(command, stop.get_token());
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::cancelled);
  CHECK(heard.starts_with("holding"));
}

TEST_CASE("Without input that is held a command meets its end at once") {
  const auto result = core::system_commands().run(probe({"hold", "x"}), {});
  REQUIRE(result);
  CHECK(result->exit_code == 4);
}

TEST_CASE("A stop ends a command") {
  std::stop_source stop;
  const std::jthread stopper([&] {
    core::system_clock().sleep_for(milliseconds{50}, {});
    stop.request_stop();
  });
  const auto result = core::system_commands().run(probe({"sleep", "300000"}), stop.get_token());
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::cancelled);
}

TEST_CASE("A command past its timeout ends, with its children") {
  const test::TempFolder folder;
  const auto beats = folder / "beats";
  Command command = probe({"parent", core::text_of(beats)});
  command.timeout = milliseconds{1'500};
  const auto result = core::system_commands().run(command, {});
  REQUIRE(result);
  CHECK(result->timed_out);
#ifdef _WIN32
  CHECK(result->exit_code == 128 + 9);
#else
  CHECK(result->exit_code == 128 + 15);
#endif
  // The child may need a moment to end.
  const auto beaten = [&] {
    std::error_code error;
    const auto bytes = std::filesystem::file_size(beats, error);
    return error ? 0 : bytes;
  };
  std::uintmax_t before = 0;
  for (int attempt = 0; attempt < 20 && beaten() != before; ++attempt) {
    before = beaten();
    core::system_clock().sleep_for(milliseconds{500}, {});
  }
  CHECK(before > 0);
  CHECK(beaten() == before);
}

TEST_CASE("A command that leaves something in the background is over when it ends itself") {
  const auto started = std::chrono::steady_clock::now();
  const auto result = core::system_commands().run(probe({"leave", "9000"}), {});
  REQUIRE(result);
  CHECK(result->output.starts_with("started"));
  CHECK(std::chrono::steady_clock::now() - started < std::chrono::seconds{8});
}
