// The digest, by the system's library (CNG).
#include <algorithm>
#include <cstdlib>

#include "core/platform/sha256.h"
#include "core/platform/windows/system.h"

namespace core {
namespace {

constexpr std::size_t kPieceBytes = 64 * 1024;  // each call costs

// Opening the provider costs more than a small digest.
BCRYPT_ALG_HANDLE provider() {
  static const BCRYPT_ALG_HANDLE opened = [] {
    BCRYPT_ALG_HANDLE handle = nullptr;
    if (::BCryptOpenAlgorithmProvider(&handle, BCRYPT_SHA256_ALGORITHM, nullptr, 0) != 0) {
      std::abort();  // part of every Windows
    }
    return handle;
  }();
  return opened;
}

// None fails but for want of memory.
void must(NTSTATUS status) {
  if (status != 0) std::abort();
}

}  // namespace

struct Sha256::State {
  State() { must(::BCryptCreateHash(provider(), &hash, nullptr, 0, nullptr, 0, 0)); }
  ~State() { ::BCryptDestroyHash(hash); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  BCRYPT_HASH_HANDLE hash = nullptr;
};

Sha256::Sha256() : state_(std::make_unique<State>()) {}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(const void* data, std::size_t bytes) {
  const auto* from = static_cast<const unsigned char*>(data);
  while (bytes > 0) {
    const std::size_t piece = std::min(bytes, kPieceBytes);
    must(::BCryptHashData(state_->hash, const_cast<unsigned char*>(from), static_cast<ULONG>(piece),
                          0));
    from += piece;
    bytes -= piece;
  }
}

std::array<unsigned char, 32> Sha256::finish_raw() {
  std::array<unsigned char, 32> digest{};
  must(::BCryptFinishHash(state_->hash, digest.data(), static_cast<ULONG>(digest.size()), 0));
  return digest;
}

}  // namespace core
