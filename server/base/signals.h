// Termination signals as a readable descriptor, so that they can be waited for like input.
#pragma once

namespace server {

// Takes over SIGINT, SIGTERM and SIGHUP for the life of the process and ignores SIGPIPE (a peer
// that has gone shows as a failed write). A second SIGINT ends the process as usual.
// Returns a descriptor that becomes readable, and stays so, with the first signal; -1 if the
// system refuses. Call it once, before threads are started.
int termination_signals();

// Gives the three back: they end the process at once, as they do where nobody can hear of them.
void die_of_signals();

// Makes the ends of child processes known again, where who started this program ignored SIGCHLD.
void hear_of_children();

}  // namespace server
