// The digest by libcrypto's own SHA-256 functions.
//
// They are marked deprecated in favour of EVP, whose first use loads and initialises a provider:
// about 1 ms, a tenth of a whole one-shot snapshot. The functions are the same assembly underneath.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "core/platform/sha256.h"

#include <fcntl.h>
#include <openssl/sha.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "core/base/hex.h"
#include "core/base/paths.h"
#include "core/base/prefetch.h"
#include "core/platform/descriptor.h"
#include "core/platform/folder.h"

namespace core {
namespace {

constexpr std::size_t kReadBytes = 256 * 1024;

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

std::string Sha256::finish() {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256_Final(digest.data(), &state_->context);
  return hex_of({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

std::string sha256_of(std::string_view text) {
  Sha256 digest;
  digest.update(text.data(), text.size());
  return digest.finish();
}

Expected<std::string> sha256_of_file(const std::filesystem::path& path, std::stop_token stop,
                                     const std::function<void(std::uint64_t)>& on_bytes) {
  BPD_TRY_AS(folder, Folder::of(path));
  const Descriptor file(::openat(folder->descriptor(), path.filename().c_str(),
                                 O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file) return fail(error_from_errno(errno, "cannot open " + text_of(path)));
#ifdef POSIX_FADV_SEQUENTIAL
  (void)::posix_fadvise(file.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
#endif
  Sha256 digest;
  std::vector<unsigned char> buffer(kReadBytes);
  std::uint64_t done = 0;
  for (;;) {
    if (stop.stop_requested()) {
      return fail(ErrorCode::cancelled, "stopped while hashing " + text_of(path));
    }
    const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
    if (got == 0) return digest.finish();
    if (got < 0) {
      if (errno == EINTR) continue;
      return fail(error_from_errno(errno, "cannot read " + text_of(path)));
    }
    digest.update(buffer.data(), static_cast<std::size_t>(got));
    done += static_cast<std::uint64_t>(got);
    if (on_bytes) on_bytes(done);
  }
}

}  // namespace core
