// Whose a file is that we made, and who may read it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/env.h"

namespace core {

// On Windows all this is about the list of rights: the owner stays who made the file.

// Permission bits as chmod(1) takes them: 0640.
std::string mode_text(std::uint32_t mode);

// Makes owner, group, permissions, ACL and extended attributes (user.*, the security label) of
// `file` those of `like`. What the system does not let us keep comes back as warnings; then nobody
// gets more rights than with `like`. `file` is a temporary file of ours: one that has a second name
// is left alone. `like` is never opened: it may be a live database. No link is followed: both paths
// must be resolved.
std::vector<std::string> take_after(const fs::path& file, const fs::path& like);

// For a database that was lost: nothing is left that says whose it was, so its folder does. As root
// the file becomes the folder's owner's and group's, mode 0600; anybody else, and root where that
// cannot be, gets told_of_owner's warning for `target`, the name that the file is to get.
std::vector<std::string> take_after_folder(const fs::path& file, const fs::path& target);

// A warning when the folder is of another user than the file in it (and than root, who may read
// everything): the file's mode 0600 keeps that user from opening it. `target`: see above.
std::optional<std::string> told_of_owner(const fs::path& file, const fs::path& target);

// A warning when others on this machine may read what was made for one user alone (mode 0600): the
// file system there keeps no permissions, and no folder above keeps them out.
std::optional<std::string> open_to_others(const fs::path& file, const FileSystem& files);

}  // namespace core
