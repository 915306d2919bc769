// The digest, by the SHA-256 functions of libcrypto or CommonCrypto, which have one shape, or by
// Botan, which is small enough to be part of the programs that we release for Linux.
//
// libcrypto's are marked deprecated in favour of EVP, whose first use loads and initialises a
// provider: about 1 ms, a tenth of a whole one-shot snapshot. The functions are the same assembly
// underneath.
#ifdef __APPLE__
#include <CommonCrypto/CommonDigest.h>
#elif defined(BPD_BOTAN)
#include <botan_all.h>
#else
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
#endif

#include <algorithm>

#include "core/base/prefetch.h"
#include "core/platform/sha256.h"

namespace core {
namespace {

#ifdef __APPLE__
using Context = CC_SHA256_CTX;
using Length = CC_LONG;
constexpr auto begin = CC_SHA256_Init;
constexpr auto add = CC_SHA256_Update;
constexpr auto end = CC_SHA256_Final;
#elif defined(BPD_BOTAN)
using Context = Botan::SHA_256;
using Length = std::size_t;
void begin(Context*) {}  // it is made as one that begins
void add(Context* context, const unsigned char* from, Length bytes) {
  context->update(from, bytes);
}
void end(unsigned char* digest, Context* context) {
  context->final(digest);
}
#else
using Context = SHA256_CTX;
using Length = std::size_t;
constexpr auto begin = SHA256_Init;
constexpr auto add = SHA256_Update;
constexpr auto end = SHA256_Final;
#endif

// At each new page of memory SHA-256 waits: over a gigabyte, a third of its time. So we ask for the
// bytes kPrefetchBytes ahead, a piece at a time.
constexpr std::size_t kPieceBytes = 512, kPrefetchBytes = 2048;

}  // namespace

struct Sha256::State {
  Context context;
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  begin(&state_->context);
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
    add(&state_->context, from, static_cast<Length>(piece));
    from += piece;
    bytes -= piece;
  }
}

std::array<unsigned char, 32> Sha256::finish_raw() {
  std::array<unsigned char, 32> digest{};
  end(digest.data(), &state_->context);
  return digest;
}

}  // namespace core
