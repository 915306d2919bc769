// Which programs have a database open, by libproc.
#include "core/platform/open_files.h"

#include <libproc.h>
#include <sys/proc_info.h>
#include <unistd.h>

#include <algorithm>

#include "core/base/paths.h"
#include "core/platform/posix/open_files.h"

namespace core {
namespace {

constexpr std::size_t kMaxProcesses = 100'000;
constexpr std::size_t kMaxDescriptors = 100'000;  // of one process

std::vector<pid_t> processes() {
  std::vector<pid_t> ids(kMaxProcesses);
  const int got = ::proc_listallpids(ids.data(), static_cast<int>(ids.size() * sizeof(pid_t)));
  ids.resize(got > 0 ? std::min(ids.size(), static_cast<std::size_t>(got)) : 0);
  return ids;
}

std::vector<proc_fdinfo> descriptors_of(pid_t process) {
  const int wanted = ::proc_pidinfo(process, PROC_PIDLISTFDS, 0, nullptr, 0);
  if (wanted <= 0) return {};  // another user's, or ended meanwhile
  std::vector<proc_fdinfo> found(
      std::min(kMaxDescriptors, static_cast<std::size_t>(wanted) / sizeof(proc_fdinfo)));
  const int got = ::proc_pidinfo(process, PROC_PIDLISTFDS, 0, found.data(),
                                 static_cast<int>(found.size() * sizeof(proc_fdinfo)));
  found.resize(got > 0 ? static_cast<std::size_t>(got) / sizeof(proc_fdinfo) : 0);
  return found;
}

// Calls with the path of each descriptor of one of these files until `visit` is content.
template <class Visit>
bool visit_descriptors(pid_t process, const std::vector<FileId>& ids, const Visit& visit) {
  const auto descriptors = descriptors_of(process);
  return std::any_of(descriptors.begin(), descriptors.end(), [&](const proc_fdinfo& entry) {
    vnode_fdinfowithpath info{};
    if (entry.proc_fdtype != PROX_FDTYPE_VNODE ||
        ::proc_pidfdinfo(process, entry.proc_fd, PROC_PIDFDVNODEPATHINFO, &info, sizeof(info)) <
            static_cast<int>(sizeof(info))) {
      return false;
    }
    const vinfo_stat& status = info.pvip.vip_vi.vi_stat;
    const FileId id{static_cast<std::uint64_t>(static_cast<dev_t>(status.vst_dev)), status.vst_ino};
    return std::find(ids.begin(), ids.end(), id) != ids.end() && visit(info.pvip.vip_path);
  });
}

Opener opener_of(pid_t process) {
  Opener opener{process, ""};
  proc_bsdinfo info{};
  if (::proc_pidinfo(process, PROC_PIDTBSDINFO, 0, &info, sizeof(info)) ==
      static_cast<int>(sizeof(info))) {
    opener.program = info.pbi_name[0] != '\0' ? info.pbi_name : info.pbi_comm;
    if (info.pbi_uid != ::geteuid()) opener.user = name_of_user(info.pbi_uid);
  }
  return opener;
}

}  // namespace

std::vector<Opener> openers_of(const fs::path& database, const FileSystem& files) {
  std::vector<Opener> openers;
  const std::vector<FileId> ids = files_of(database, files);
  if (ids.empty()) return openers;
  for (const pid_t process : processes()) {
    if (visit_descriptors(process, ids, [](const char*) { return true; })) {
      openers.push_back(opener_of(process));
    }
  }
  return openers;
}

std::vector<fs::path> open_names_of(const FileId& file, const FileSystem&) {
  std::vector<fs::path> names;
  for (const pid_t process : processes()) {
    visit_descriptors(process, {file}, [&](const char* path) {
      names.push_back(path_of(path));
      return false;
    });
  }
  return names;
}

}  // namespace core
