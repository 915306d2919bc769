#include "server/cli/page_command.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <stop_token>
#include <string_view>
#include <utility>

#include "core/base/paths.h"
#include "core/platform/run_lock.h"
#include "server/base/exit_codes.h"
#include "server/base/printable.h"
#include "server/cli/shell_speech.h"
#include "server/platform/browser.h"

namespace server {
namespace {

constexpr std::uint64_t kMaxAddressFileBytes = 4096;
// How long a second start waits for the first one's address, and how often it looks.
constexpr std::chrono::milliseconds kAddressPatience{5'000}, kAddressCheck{100};
constexpr std::string_view kBeforeAddress = "url=";

core::fs::path address_file(const AppPage& app, const core::Places& places) {
  return places.state / (app.name + ".html");
}

// Leads a browser on. Nothing in an address of ours needs to be escaped.
std::string address_page(const std::string& url) {
  return "<!doctype html><meta charset=\"utf-8\"><meta name=\"referrer\" content=\"no-referrer\">"
         "<meta http-equiv=\"refresh\" content=\"0;" +
         std::string(kBeforeAddress) + url + "\"><title>backup</title>\n";
}

// Of the server that runs; waits while it begins.
core::Expected<std::string> running_address(const core::fs::path& file, const core::Env& env) {
  for (std::chrono::milliseconds waited{0}; waited < kAddressPatience; waited += kAddressCheck) {
    const auto text = env.files.read(file, kMaxAddressFileBytes);
    const auto begin = text ? text->find(kBeforeAddress) : std::string::npos;
    if (begin != std::string::npos) {
      const auto from = begin + kBeforeAddress.size();
      return text->substr(from, text->find('"', from) - from);
    }
    env.clock.sleep_for(kAddressCheck, {});
  }
  return core::fail(core::ErrorCode::busy, "Another process is just starting the page.",
                    "Try again in a moment.");
}

// What to do where no browser can be opened from here.
std::string elsewhere(const std::string& url, const core::Env& env) {
  if (!env.places.variables.contains("SSH_CONNECTION")) {
    return "No browser can be opened from here: open the address yourself, on this machine.\n";
  }
  const std::string host = "127.0.0.1:";
  const auto begin = url.find(host) + host.size();
  const std::string port = url.substr(begin, url.find('/', begin) - begin);
  return "You came from another machine. In a terminal there:\n  ssh -N -L " + port + ":" + host +
         port + " " + env.places.user + "@" + env.places.host +
         "\nThen open the address in a browser there.\n";
}

void show(const std::string& url, const core::fs::path& file, bool open, const core::Env& env) {
  std::string text = "The page is at\n  " + url + "\n";
  bool opened = false;
  const auto command = browser_command(core::text_of(file), env.places.variables);
  if (open && !command.empty()) {
    core::Command start;
    start.argv = command;
    const auto started = env.commands.run(start, {});
    opened = started && started->exit_code == 0;
  }
  if (open && !opened) text += elsewhere(url, env);
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

bool is_for_the_page(const Tool& tool) {
  const Json* meta = member(tool.entry.json(), "_meta");
  const Json* ui = meta == nullptr ? nullptr : member(*meta, "ui");
  const Json* visibility = ui == nullptr ? nullptr : member(*ui, "visibility");
  return visibility == nullptr ||
         std::find(visibility->begin(), visibility->end(), "app") != visibility->end();
}

int serve_page(const ServerDefinition& whole, bool open, const ProgramParts& parts,
               const core::Env& env) {
  ServerDefinition definition = whole;
  // People read it, who may type also what the page may not call.
  definition.speech = speech_for_shell(whole, parts.name);
  const AppPage app = *definition.app;
  const core::fs::path file = address_file(app, env.places);
  (void)env.files.remove(file);  // of one that was killed
  std::erase_if(definition.tools, [](const Tool& tool) { return !is_for_the_page(tool); });
  HttpSettings settings;
  settings.name = parts.name;
  settings.page = app.html;
  settings.on_ready = [&](const std::string& url, int) -> core::Expected<> {
    BPD_TRY(env.files.make_folders(file.parent_path(), core::kPrivateFolder));
    BPD_TRY(env.files.write_atomically(file, address_page(url), core::kPrivateFile));
    show(url, file, open, env);
    std::fputs("It ends when you press Ctrl-C, or when nobody has used it for half an hour.\n",
               stderr);
    return {};
  };
  Dispatcher dispatcher(definition, env.clock, {});
  const int code = parts.http(settings, dispatcher, env);
  (void)env.files.remove(file);
  return code;
}

}  // namespace

std::vector<OptionPage> page_options() {
  return {{"--no-open", "", "Print the address, and open no browser", {}, false}};
}

int run_page_command(const std::vector<std::string>& words, const ServerDefinition& definition,
                     const ProgramParts& parts, const core::Env& env) {
  const std::string& name = definition.app->name;
  bool open = true;
  for (const std::string& word : words) {
    if (word != "--no-open") {
      return usage_error("Usage: " + parts.name + " " + name + " [--no-open]");
    }
    open = false;
  }
  const auto lock = core::RunLock::acquire("page " + name, "the page " + name,
                                           std::chrono::milliseconds(0), env, {});
  if (lock) return serve_page(definition, open, parts, env);
  if (lock.error().code != core::ErrorCode::busy) return report(lock.error());
  const core::fs::path file = address_file(*definition.app, env.places);
  const auto url = running_address(file, env);
  if (!url) return report(url.error());
  show(*url, file, open, env);
  return kExitDone;
}

}  // namespace server
