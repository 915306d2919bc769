// Which of the programs that have a database open are others.
#include "core/platform/open_files.h"

#include <unistd.h>

namespace core {

std::vector<Opener> other_openers_of(const fs::path& database, const FileSystem& files) {
  std::vector<Opener> openers = openers_of(database, files);
  std::erase_if(openers, [](const Opener& opener) { return opener.process_id == ::getpid(); });
  return openers;
}

}  // namespace core
