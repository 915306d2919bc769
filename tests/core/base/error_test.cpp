#include "core/base/error.h"

#include <cerrno>
#include <new>
#include <set>
#include <stdexcept>

#include "support/catch.h"

using core::ErrorCode;

TEST_CASE("A failed system call becomes the kind of error a caller can act on") {
  const auto code_of = [](int number) { return core::error_from_errno(number, "x").code; };
  CHECK(code_of(ENOENT) == ErrorCode::not_found);
  CHECK(code_of(EACCES) == ErrorCode::permission_denied);
  CHECK(code_of(EROFS) == ErrorCode::permission_denied);
  CHECK(code_of(ENOSPC) == ErrorCode::no_space);
#ifdef EDQUOT
  CHECK(code_of(EDQUOT) == ErrorCode::no_space);
#endif
  CHECK(code_of(EAGAIN) == ErrorCode::busy);
  CHECK(code_of(ENAMETOOLONG) == ErrorCode::invalid_argument);
  CHECK(code_of(EIO) == ErrorCode::io);
}

TEST_CASE("An error of the system names its object and the system's words") {
  const core::Error error = core::error_from_errno(ENOENT, "cannot open /x/global.db");
  CHECK(error.message == "cannot open /x/global.db: No such file or directory.");
  CHECK_FALSE(error.hint.empty());
}

TEST_CASE("A file that a cloud service did not bring is told from a broken disk") {
  CHECK(core::error_from_errno(EDEADLK, "cannot read /x").hint.find("cloud") != std::string::npos);
  CHECK(core::error_from_errno(EIO, "cannot read /x").hint.find("disk") != std::string::npos);
}

TEST_CASE("Every kind of error has a name of its own") {
  std::set<std::string_view> names;
  for (int code = 0; code <= static_cast<int>(ErrorCode::internal); ++code) {
    names.insert(core::to_string(static_cast<ErrorCode>(code)));
  }
  CHECK(names.size() == static_cast<std::size_t>(ErrorCode::internal) + 1);
  CHECK(names.count("needs_confirmation") == 1);
}

TEST_CASE("Memory that ran out and a fault of ours have different next steps") {
  const core::Error memory = core::error_from_exception(std::bad_alloc(), "x had to give up");
  CHECK(memory.message == "x had to give up: there is not enough memory.");
  CHECK(memory.hint.find("memory") != std::string::npos);

  const core::Error fault =
      core::error_from_exception(std::logic_error("no such part"), "x had to give up");
  CHECK(fault.message == "x had to give up: no such part.");
  CHECK(fault.hint.find("memory") == std::string::npos);
  CHECK(fault.hint.find("report it") != std::string::npos);
  CHECK(fault.code == ErrorCode::internal);
}
