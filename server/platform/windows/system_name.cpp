#include "server/platform/system_name.h"

#include "server/platform/windows/waiting.h"

namespace server {
namespace {

// What GetVersionEx tells depends on the manifest, this does not.
OSVERSIONINFOW version() {
  OSVERSIONINFOW about{};
  about.dwOSVersionInfoSize = sizeof about;
  using Ask = LONG(WINAPI*)(OSVERSIONINFOW*);
  const HMODULE ntdll = ::GetModuleHandleW(L"ntdll.dll");
  const auto ask = ntdll == nullptr ? nullptr
                                    : reinterpret_cast<Ask>(reinterpret_cast<void*>(
                                          ::GetProcAddress(ntdll, "RtlGetVersion")));
  if (ask != nullptr) (void)ask(&about);
  return about;
}

std::string machine() {
  SYSTEM_INFO about{};
  ::GetNativeSystemInfo(&about);
  switch (about.wProcessorArchitecture) {
    case PROCESSOR_ARCHITECTURE_AMD64:
      return "x86_64";
    case PROCESSOR_ARCHITECTURE_ARM64:
      return "arm64";
    default:
      return "processor " + std::to_string(about.wProcessorArchitecture);
  }
}

// Whoever reads a report must know what it does not speak of.
std::string wine() {
  const HMODULE ntdll = ::GetModuleHandleW(L"ntdll.dll");
  return ntdll != nullptr && ::GetProcAddress(ntdll, "wine_get_version") != nullptr
             ? ", played by Wine"
             : "";
}

}  // namespace

std::string system_name() {
  const OSVERSIONINFOW about = version();
  return "Windows " + std::to_string(about.dwMajorVersion) + "." +
         std::to_string(about.dwMinorVersion) + "." + std::to_string(about.dwBuildNumber) + " " +
         machine() + wine();
}

}  // namespace server
