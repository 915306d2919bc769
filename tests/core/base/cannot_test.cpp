#include "core/base/cannot.h"

#include <array>
#include <cerrno>

#include "support/catch.h"

using core::means_cannot;
using core::Operation;

TEST_CASE("An operation that a file system does not know is not one that failed") {
  for (const auto operation : {Operation::set_mode, Operation::link, Operation::rename_new,
                               Operation::rename_over, Operation::sync_folder, Operation::sync_file,
                               Operation::reserve, Operation::lock, Operation::measure}) {
    for (const int number : {EOPNOTSUPP, ENOTSUP, ENOSYS, EINVAL, ENOTTY}) {
      CAPTURE(static_cast<int>(operation), number);
      CHECK(means_cannot(operation, number));
    }
    CHECK_FALSE(means_cannot(operation, ENOSPC));
#ifdef EDQUOT
    CHECK_FALSE(means_cannot(operation, EDQUOT));
#endif
  }
}

TEST_CASE("Some answers mean that an operation cannot be done, of some operations only") {
  CHECK(means_cannot(Operation::set_mode, EPERM));
  CHECK(means_cannot(Operation::link, EIO));
  CHECK(means_cannot(Operation::link, EXDEV));
  CHECK(means_cannot(Operation::link, EMLINK));
  CHECK(means_cannot(Operation::rename_over, EEXIST));
  CHECK(means_cannot(Operation::lock, ENOLCK));
  CHECK_FALSE(means_cannot(Operation::link, EACCES));
  CHECK_FALSE(means_cannot(Operation::link, EROFS));
  CHECK_FALSE(means_cannot(Operation::rename_new, EEXIST));
  CHECK_FALSE(means_cannot(Operation::lock, EWOULDBLOCK));
}

TEST_CASE("A disk that fails is never one that cannot") {
  for (const int number : {EIO, EROFS, EACCES}) {
    CAPTURE(number);
    CHECK_FALSE(means_cannot(Operation::sync_file, number));
    CHECK_FALSE(means_cannot(Operation::sync_folder, number));
    CHECK_FALSE(means_cannot(Operation::rename_over, number));
    CHECK_FALSE(means_cannot(Operation::measure, number));
  }
  CHECK_FALSE(means_cannot(Operation::set_mode, EIO));
  CHECK_FALSE(means_cannot(Operation::reserve, EFBIG));
}
