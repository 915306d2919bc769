// What a server that is limited to folders sees of schedules: those that lie in them at both ends.
#pragma once

#include <stop_token>
#include <string>

#include "core/base/error.h"
#include "core/schedule/job.h"
#include "tools/arguments.h"

namespace tools {

// Whether a schedule with these ends may be shown and touched.
bool allows_schedule(const Setting& setting, const core::fs::path& source,
                     const core::fs::path& destination);
bool allows_schedule(const Setting& setting, const core::BackupJob& job);

// not_found for a schedule that may not be touched, as for one that is not there; the hint names
// those that may. Always fine where there is no limit.
core::Expected<> check_schedule(const std::string& name, const Setting& setting);

// conflict where a schedule that may not be touched, or of which too little is known to say, has
// that name. Always fine where there is no limit.
core::Expected<> check_name_is_free(const std::string& name, const Setting& setting,
                                    std::stop_token stop);

// permission_denied where a call sets on_failure, ping_url or offsite and the client may not.
core::Expected<> check_calls(const Arguments& arguments, const Setting& setting);

}  // namespace tools
