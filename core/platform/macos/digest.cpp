// The digest by CommonCrypto.
#include <CommonCrypto/CommonDigest.h>

#include <algorithm>

#include "core/platform/sha256.h"

namespace core {

struct Sha256::State {
  CC_SHA256_CTX context;
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  CC_SHA256_Init(&state_->context);
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(const void* data, std::size_t bytes) {
  constexpr std::size_t kMaxPiece = 1 << 30;  // it takes a 32-bit length
  const auto* from = static_cast<const unsigned char*>(data);
  while (bytes > 0) {
    const std::size_t piece = std::min(bytes, kMaxPiece);
    CC_SHA256_Update(&state_->context, from, static_cast<CC_LONG>(piece));
    from += piece;
    bytes -= piece;
  }
}

std::array<unsigned char, 32> Sha256::finish_raw() {
  std::array<unsigned char, CC_SHA256_DIGEST_LENGTH> digest{};
  CC_SHA256_Final(digest.data(), &state_->context);
  return digest;
}

}  // namespace core
