// Signatures, comparisons and random bytes.
#include "core/platform/secrets.h"

#include "core/platform/sha256.h"
#include "support/catch.h"

TEST_CASE("Digests and signatures are those of the standards") {
  // FIPS 180-4; RFC 4231, test case 2, as the digest of its 32 bytes.
  CHECK(core::sha256_of("abc") ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  const std::string expected(
      "\x5b\xdc\xc1\x46\xbf\x60\x75\x4e\x6a\x04\x24\x26\x08\x95\x75\xc7"
      "\x5a\x00\x3f\x08\x9d\x27\x39\x83\x9d\xec\x58\xb9\x64\xec\x38\x43",
      32);
  CHECK(core::hmac_sha256("Jefe", "what do ya want for nothing?") == expected);
}

TEST_CASE("Secrets are equal in all their bytes or not at all") {
  CHECK(core::equal_in_constant_time("", ""));
  CHECK(core::equal_in_constant_time("secret", "secret"));
  CHECK_FALSE(core::equal_in_constant_time("secret", "secreT"));
  CHECK_FALSE(core::equal_in_constant_time("secret", "secre"));
  CHECK_FALSE(core::equal_in_constant_time("", "secret"));
}

TEST_CASE("Random bytes come in the number that was asked for, and never twice") {
  CHECK(core::random_bytes(0).empty());
  CHECK(core::random_bytes(256).size() == 256);
  CHECK(core::random_bytes(32) != core::random_bytes(32));
}
