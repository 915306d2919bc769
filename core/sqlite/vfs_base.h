// What our VFSes share: a name of their own with SQLite, and files that have the system's own files
// behind them in memory. https://www.sqlite.org/vfs.html
#pragma once

#include <sqlite3.h>

#include <cstddef>
#include <string>

namespace core {

// SQLite's default VFS; null where it was built without one.
sqlite3_vfs* system_vfs();

// A VFS registered with SQLite for its lifetime, under a name that no other has. Paths are taken as
// they are: whole, with no link on them looked at. Connections opened through it must be closed
// before it goes.
class RegisteredVfs {
 public:
  struct Methods {
    decltype(sqlite3_vfs::xOpen) open;
    decltype(sqlite3_vfs::xDelete) remove;
    decltype(sqlite3_vfs::xAccess) access;
  };

  // The memory that a file takes: an object of ours and so many of the VFS below.
  struct FileBytes {
    std::size_t own;
    std::size_t inner_files;
  };

  // What is not ours (randomness, sleep, time) is done by `below`, which outlives this. `kind` is
  // part of the name; `data` is what data_of gives.
  RegisteredVfs(const char* kind, sqlite3_vfs* below, FileBytes file, const Methods& methods,
                void* data);
  ~RegisteredVfs();
  RegisteredVfs(const RegisteredVfs&) = delete;
  RegisteredVfs& operator=(const RegisteredVfs&) = delete;

  const char* name() const { return name_.c_str(); }
  sqlite3_vfs* get() { return &vfs_; }
  // SQLITE_OK, or why it is not registered: then nothing can be opened through it.
  int result() const { return result_; }

 private:
  std::string name_;
  sqlite3_vfs vfs_{};
  int result_;
};

template <class Data>
Data& data_of(sqlite3_vfs* vfs) {
  return *static_cast<Data*>(vfs->pAppData);
}

constexpr std::size_t aligned(std::size_t bytes) {
  return (bytes + alignof(std::max_align_t) - 1) / alignof(std::max_align_t) *
         alignof(std::max_align_t);
}

// A file of ours is an Own, which begins with a sqlite3_file; behind it those of the VFS below.
// SQLite owns the memory.
template <class Own>
Own& own_file(sqlite3_file* file) {
  return *reinterpret_cast<Own*>(file);
}
template <class Own>
sqlite3_file* inner_file(sqlite3_file* file) {
  return reinterpret_cast<sqlite3_file*>(reinterpret_cast<char*>(file) + aligned(sizeof(Own)));
}

// A method that is the inner file's: hand_on<Own, &sqlite3_io_methods::xFileSize>.
template <class Own, auto Method, class... Arguments>
auto hand_on(sqlite3_file* file, Arguments... arguments) {
  sqlite3_file* inner = inner_file<Own>(file);
  return (inner->pMethods->*Method)(inner, arguments...);
}

// The name of a file as SQLite hands it to a VFS. It looks before the name for where the database's
// own begins, and behind it for parameters of a URI: zero bytes on both sides say that there is no
// more. To live as long as the file is open. https://www.sqlite.org/c3ref/create_filename.html
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
