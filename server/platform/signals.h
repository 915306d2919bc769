// Signals of the system: those that end a program as an event, so that they can be waited for like
// input.
#pragma once

#include "server/platform/event.h"

namespace server {

// Takes over SIGINT, SIGTERM and SIGHUP (on Windows Ctrl-C, Ctrl-Break, a closed window, the end of
// the session) for the life of the process and ignores SIGPIPE and SIGXFSZ (a peer that has
// gone, or a file that may not grow, shows as a failed write). A second SIGINT ends the process as
// usual. Returns the event that the first signal sets, which lives as long; an error, with the
// three as they were, if the system refuses. Call it once, before threads are started.
core::Expected<const Event*> termination_signals();

// Gives the three back: they end the process at once, as they do where nobody can hear of them.
void die_of_signals();

// Makes the ends of child processes known again, where who started this program ignored SIGCHLD.
void hear_of_children();

}  // namespace server
