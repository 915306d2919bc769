// The name of a file as SQLite hands it to a VFS.
#pragma once

#include <cstddef>
#include <string>

namespace core {

// SQLite looks before the name for where the database's own begins, and behind it for parameters of
// a URI: zero bytes on both sides say that there is no more. To live as long as the file is open.
// https://www.sqlite.org/c3ref/create_filename.html
class VfsName {
 public:
  explicit VfsName(const std::string& name)
      : text_(std::string(kZeros, '\0') + name + std::string(kZeros, '\0')) {}
  const char* get() const { return text_.data() + kZeros; }

 private:
  static constexpr std::size_t kZeros = 4;
  std::string text_;
};

}  // namespace core
