#include "core/platform/ownership.h"

#include <memory>

#include "core/base/paths.h"
#include "core/platform/folder.h"
#include "core/platform/windows/system.h"

namespace core {
namespace {

struct FreeDescriptor {
  void operator()(void* memory) const noexcept { ::LocalFree(memory); }
};
using SecurityDescriptor = std::unique_ptr<void, FreeDescriptor>;

// What a file is opened for here neither reads it nor keeps anybody from it.
Descriptor open_security(const fs::path& path, DWORD access) {
  return owned(::CreateFileW(system_path(path).c_str(), access | FILE_READ_ATTRIBUTES, kShareAll,
                             nullptr, OPEN_EXISTING,
                             FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT, nullptr));
}

// Nothing for what is not a file of one name: somebody put it there, and would have us open another
// file to others.
Descriptor open_own(const fs::path& path) {
  Descriptor file = open_security(path, READ_CONTROL | WRITE_DAC);
  BY_HANDLE_FILE_INFORMATION info{};
  const bool ours = file && ::GetFileInformationByHandle(handle_of(file), &info) &&
                    (info.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) == 0 &&
                    info.nNumberOfLinks <= 1 && !is_link(handle_of(file));
  return ours ? std::move(file) : Descriptor();
}

// False with the last error.
bool copy_rights(HANDLE like, HANDLE file) {
  PACL rights = nullptr;
  void* descriptor = nullptr;
  DWORD error = ::GetSecurityInfo(like, SE_FILE_OBJECT, DACL_SECURITY_INFORMATION, nullptr, nullptr,
                                  &rights, nullptr, &descriptor);
  const SecurityDescriptor owner(descriptor);
  SECURITY_DESCRIPTOR_CONTROL control = 0;
  DWORD revision = 0;
  if (error == ERROR_SUCCESS) {
    ::GetSecurityDescriptorControl(descriptor, &control, &revision);
    // What it has of its folder it is to go on having of it.
    const SECURITY_INFORMATION inherits = (control & SE_DACL_PROTECTED) != 0
                                              ? PROTECTED_DACL_SECURITY_INFORMATION
                                              : UNPROTECTED_DACL_SECURITY_INFORMATION;
    error = ::SetSecurityInfo(file, SE_FILE_OBJECT, DACL_SECURITY_INFORMATION | inherits, nullptr,
                              nullptr, rights, nullptr);
  }
  ::SetLastError(error);
  return error == ERROR_SUCCESS;
}

}  // namespace

// The owner stays who restored it: only what may be done with the file matters on Windows.
std::vector<std::string> take_after(const fs::path& file, const fs::path& like) {
  const Descriptor wanted = open_security(like, READ_CONTROL);
  if (!wanted || is_link(handle_of(wanted))) return {};
  const Descriptor own = open_own(file);
  if (own && copy_rights(handle_of(wanted), handle_of(own))) return {};
  return {"Who may use " + text_of(like) +
          " could not be kept: it is readable to the user who restored it alone."};
}

std::vector<std::string> take_after_folder(const fs::path& file, const fs::path& target) {
  const auto warning = told_of_owner(file, target);
  return warning ? std::vector{*warning} : std::vector<std::string>();
}

// A folder's owner is no sign of who uses what lies in it: installers and administrators make them.
std::optional<std::string> told_of_owner(const fs::path&, const fs::path&) {
  return std::nullopt;
}

std::optional<std::string> open_to_others(const fs::path& file, const FileSystem&) {
  const Descriptor opened = open_security(file, 0);
  DWORD flags = 0;
  if (!opened || !::GetVolumeInformationByHandleW(handle_of(opened), nullptr, 0, nullptr, nullptr,
                                                  &flags, nullptr, 0)) {
    return std::nullopt;
  }
  if ((flags & FILE_PERSISTENT_ACLS) != 0) return std::nullopt;
  return "The file system of " + text_of(file.parent_path()) +
         " does not keep permissions: others on this machine may be able to read the snapshots "
         "there.";
}

}  // namespace core
