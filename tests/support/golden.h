// Golden texts: what the program rendered when a person last looked at it and found it good.
#pragma once

#include <string>

namespace test {

// The text of tests/golden/<name>. With BPD_UPDATE_GOLDEN set in the environment, `actual` is
// written there first; look at the diff before committing it.
std::string golden(const std::string& name, const std::string& actual);

}  // namespace test
