#include "tools/prompts.h"

#include <string>

namespace tools {

using server::Json;

namespace {

server::PromptResult from_user(std::string description, std::string text) {
  return {.description = std::move(description),
          .messages = Json::array(
              {{{"role", "user"}, {"content", {{"type", "text"}, {"text", std::move(text)}}}}})};
}

std::string argument(const Json& arguments, const char* name, std::string otherwise) {
  const auto found = arguments.find(name);
  if (found == arguments.end() || !found->is_string() || found->get<std::string>().empty()) {
    return otherwise;
  }
  return found->get<std::string>();
}

server::Prompt set_up_backups() {
  server::Prompt prompt;
  prompt.entry = {
      {"name", "set_up_backups"},
      {"title", "Set up nightly backups"},
      {"description", "Find every plugin database, schedule a nightly snapshot of each, prove it"},
      {"arguments", Json::array({{{"name", "destination"},
                                  {"description", "Existing folder for the snapshots"},
                                  {"required", false}},
                                 {{"name", "time"},
                                  {"description", "Local time of day, HH:MM; default 04:07"},
                                  {"required", false}}})}};
  prompt.handler = [](const Json& arguments, server::CallContext&) -> server::PromptOutcome {
    const auto destination = argument(arguments, "destination", "");
    const auto time = argument(arguments, "time", "04:07");
    return from_user(
        "Sets up a nightly snapshot of every plugin database",
        "Set up nightly backups of my plugins' SQLite databases.\n"
        "1. Call discover_databases. Tell me which databases there are, and which no schedule "
        "covers. The project databases matter as much as the global one.\n" +
            (destination.empty()
                 ? std::string("2. Ask me which existing folder the snapshots shall go to. A cloud "
                               "folder is fine for snapshots. Never pick one yourself.\n")
                 : "2. The snapshots go to " + destination + ".\n") +
            "3. For each database that is not covered call install_schedule with its source, that "
            "destination and time " +
            time +
            ". Give databases of one file name different labels.\n"
            "4. Call verify_snapshot for each new snapshot.\n"
            "5. Call backup_status and tell me in a few plain sentences what is covered, when the "
            "next run is, and what I still have to do myself.");
  };
  return prompt;
}

server::Prompt restore_drill() {
  server::Prompt prompt;
  prompt.entry = {
      {"name", "restore_drill"},
      {"title", "Prove that a snapshot can be restored"},
      {"description", "Restore the newest snapshot to a scratch file and read it back"},
      {"arguments",
       Json::array({{{"name", "source"},
                     {"description", "Database file; default ~/.claude/orchestrator/global.db"},
                     {"required", false}}})}};
  prompt.handler = [](const Json& arguments, server::CallContext&) -> server::PromptOutcome {
    const auto source = argument(arguments, "source", "~/.claude/orchestrator/global.db");
    return from_user(
        "Restores a snapshot to a scratch file and reads it back",
        "Do a restore drill; do not touch the live database.\n"
        "1. Call list_snapshots with source " +
            source +
            " and take the newest.\n"
            "2. Call verify_snapshot on it with level full.\n"
            "3. Call restore_snapshot on it with a new file in a scratch folder as target.\n"
            "4. Read a few rows back from the restored file, and compare its row counts with "
            "rows.then of restore_snapshot.\n"
            "5. Tell me the result in plain words, and remove the scratch file when I agree.");
  };
  return prompt;
}

}  // namespace

std::vector<server::Prompt> all_prompts() {
  return {set_up_backups(), restore_drill()};
}

}  // namespace tools
