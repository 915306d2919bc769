// Base64.
#include "core/base/base64.h"

#include "support/catch.h"

TEST_CASE("Encodings are those of the standard") {
  // RFC 4648, section 10.
  CHECK(core::base64("") == "");
  CHECK(core::base64("f") == "Zg==");
  CHECK(core::base64("foobar") == "Zm9vYmFy");
  CHECK(core::base64url("\xfb\xff") == "-_8");
  CHECK(core::from_base64("Zg==") == "f");
}

TEST_CASE("Base64 is read strictly") {
  for (const char* text :
       {"Zg", "Zg=", "Zg===", "Zh==", "Z-==", "Zg==\n", " Zg=", "====", "A==="}) {
    INFO(text);
    CHECK_FALSE(core::from_base64(text));
  }
  CHECK_FALSE(core::from_base64url("Zg=="));
  CHECK_FALSE(core::from_base64url("Z"));
  CHECK_FALSE(core::from_base64url("Zh"));
}
