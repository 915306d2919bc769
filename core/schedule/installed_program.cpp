// Keeps the scheduled copy of the program.
#include "core/schedule/installed_program.h"

#include "core/base/call.h"
#include "core/base/json.h"
#include "core/base/paths.h"

namespace core {

namespace {

constexpr std::uint64_t kMaxRecordBytes = 64 * 1024;
constexpr std::string_view kProgramName = "backup-plugin-db";

fs::path record_path(const fs::path& data) {
  return data / "program.json";
}

// Only the command line program knows `run`; its siblings (backup-plugin-db-http) lie beside it.
fs::path program_to_copy(const Places& places, const FileSystem& files) {
  const fs::path sibling = places.program.parent_path() /
                           (std::string(kProgramName) + text_of(places.program.extension()));
  const auto info = files.info(sibling);
  return info && info->kind == FileInfo::Kind::file ? sibling : places.program;
}

Expected<std::optional<std::string>> read_if_there(const fs::path& path, std::uint64_t max_bytes,
                                                   const FileSystem& files) {
  auto text = files.read(path, max_bytes);
  if (text) return std::optional<std::string>(std::move(*text));
  if (text.error().code == ErrorCode::not_found) return std::optional<std::string>();
  return fail(text.error());
}

Expected<> put_back(const fs::path& path, const std::optional<std::string>& text,
                    std::uint32_t mode, FileSystem& files) {
  if (text) return files.write_atomically(path, *text, mode);
  auto removed = files.remove(path);
  if (!removed && removed.error().code == ErrorCode::not_found) return {};
  return removed;
}

std::string encode_record(const fs::path& copied_from, const Env& env) {
  const Json json{{"version", BPD_VERSION},
                  {"copied_from", text_of(copied_from)},
                  {"copied_at", format_instant(env.clock.now())},
                  {"config", text_of(env.places.config)},
                  {"state", text_of(env.places.state)},
                  {"data", text_of(env.places.data)}};
  return json_file_text(json);
}

}  // namespace

fs::path scheduled_program(const Places& places) {
  return places.data / "bin" /
         (std::string(kProgramName) +
          (places.program.extension() == ".exe" ? std::string(".exe") : std::string()));
}

Expected<ProgramRecord> read_program_record(const fs::path& data, const FileSystem& files) {
  BPD_TRY_AS(text, files.read(record_path(data), kMaxRecordBytes));
  try {
    const Json json = json_of(*text);
    ProgramRecord record;
    record.version = json.at("version").get<std::string>();
    record.copied_from = json.at("copied_from").get<std::string>();
    record.copied_at = parse_instant(json.at("copied_at").get<std::string>()).value_or(Instant{});
    record.config = path_of(json.at("config").get<std::string>());
    record.state = path_of(json.at("state").get<std::string>());
    record.data = path_of(json.at("data").get<std::string>());
    return record;
  } catch (const std::exception& exception) {
    return fail(ErrorCode::damaged,
                "'" + text_of(record_path(data)) + "' cannot be used: " + exception.what() + ".",
                "Run " + say(Action::install_schedule) + " again: it writes the file anew.");
  }
}

Places places_of_scheduled_run(const Places& places, const FileSystem& files) {
  Places found = places;
  const fs::path data = places.program.parent_path().parent_path();
  const auto record = read_program_record(data, files);
  if (!record) return found;
  Places recorded = places;
  recorded.data = record->data;
  const auto copy = files.canonical(scheduled_program(recorded));
  const auto running = files.canonical(places.program);
  if (!copy || !running || *copy != *running) return found;
  found.config = record->config;
  found.state = record->state;
  found.data = record->data;
  return found;
}

Expected<FormerProgram> update_scheduled_program(const Env& env) {
  const fs::path copy = scheduled_program(env.places);
  const fs::path original = program_to_copy(env.places, env.files);
  FormerProgram former;
  BPD_TRY_AS(record, read_if_there(record_path(env.places.data), kMaxRecordBytes, env.files));
  former.record = std::move(*record);
  BPD_TRY_AS(present, read_if_there(copy, kMaxProgramBytes, env.files));
  former.program = std::move(*present);
  BPD_TRY(env.files.make_folders(copy.parent_path(), 0755));

  const auto original_info = env.files.info(original);
  const auto copy_info = env.files.info(copy);
  const bool is_the_copy = original_info && copy_info && original_info->id == copy_info->id;
  if (!is_the_copy) {
    BPD_TRY_AS(program, env.files.read(original, kMaxProgramBytes));
    if (former.program != *program) {
      BPD_TRY(env.files.write_atomically(copy, *program, 0755));
    }
  }
  // The record may hold newer folders even where the program is the same.
  if (!is_the_copy || !former.record) {
    const auto text = encode_record(original, env);
    if (auto written = env.files.write_atomically(record_path(env.places.data), text, 0644);
        !written) {
      (void)put_back(copy, former.program, 0755, env.files);  // the first error is the one to tell
      return fail(written.error());
    }
  }
  return former;
}

Expected<> restore_scheduled_program(const FormerProgram& former, const Env& env) {
  auto program = put_back(scheduled_program(env.places), former.program, 0755, env.files);
  auto record = put_back(record_path(env.places.data), former.record, 0644, env.files);
  return program ? record : program;
}

Expected<> remove_scheduled_program(const Env& env) {
  BPD_TRY(restore_scheduled_program({}, env));
  // Other files of ours or the user's may keep these folders in use; then they stay.
  (void)env.files.remove_empty_folder(scheduled_program(env.places).parent_path());
  (void)env.files.remove_empty_folder(env.places.data);
  return {};
}

}  // namespace core
