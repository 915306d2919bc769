// Nothing is mapped on Windows (MapGuard::kMapsFiles).
#include "core/platform/map_guard.h"

namespace core {

MapGuard::~MapGuard() = default;
void MapGuard::watch(const void*, std::size_t) {}
void MapGuard::stop() {}
bool MapGuard::faulted() const {
  return false;
}
bool MapGuard::touch(const void*, std::size_t, const MapLimits&) {
  return false;
}
void MapGuard::let_go() {}

}  // namespace core
