// The digest by libcrypto's own SHA-256 functions.
//
// They are marked deprecated in favour of EVP, whose first use loads and initialises a provider:
// about 1 ms, a tenth of a whole one-shot snapshot. The functions are the same assembly underneath.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include <algorithm>

#include "core/base/prefetch.h"
#include "core/platform/sha256.h"

namespace core {
namespace {

// At each new page of memory SHA-256 waits: over a gigabyte, a third of its time. So we ask for the
// bytes kPrefetchBytes ahead, a piece at a time.
constexpr std::size_t kPieceBytes = 512, kPrefetchBytes = 2048;

}  // namespace

struct Sha256::State {
  SHA256_CTX context;
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  SHA256_Init(&state_->context);
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(const void* data, std::size_t bytes) {
  const auto* from = static_cast<const unsigned char*>(data);
  while (bytes > 0) {
    const std::size_t piece = std::min(bytes, kPieceBytes);
    if (bytes > kPrefetchBytes)
      prefetch(from + kPrefetchBytes, std::min(piece, bytes - kPrefetchBytes));
    SHA256_Update(&state_->context, from, piece);
    from += piece;
    bytes -= piece;
  }
}

std::array<unsigned char, 32> Sha256::finish_raw() {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256_Final(digest.data(), &state_->context);
  return digest;
}

}  // namespace core
