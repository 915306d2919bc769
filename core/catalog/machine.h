// Whose a snapshot is: of this installation, of it under an earlier host name, or another's.
#pragma once

#include <string>

#include "core/base/env.h"
#include "core/catalog/manifest.h"

namespace core {

// The id of this installation of the program, 32 hexadecimal digits: random, made once, kept in
// <state>/machine-id, so that snapshots stay one machine's own when its host name changes. Where
// that file is lost or damaged, the id comes back from the snapshots that the history of this user
// names, else it is made anew. Empty where the state folder cannot be written: then host names
// decide, as for manifests without an id. Safe across processes.
std::string machine_id(const Env& env);

// The same without making one: empty where there is none yet. Changes nothing.
std::string known_machine_id(const Env& env);

enum class Whose {
  ours,          // the same id; without an id in the manifest, or here, the same host name
  ours_renamed,  // the same id, another host name
  others,
};
Whose whose_is(const Manifest& manifest, const std::string& host, const std::string& machine);

// For people: empty for `ours`. "It was taken on the host desktop, …"
std::string tell_whose(const Manifest& manifest, const std::string& host,
                       const std::string& machine);

}  // namespace core
