// The wish that this process end. A signal sets it (launch/signals.h); it is asked where work can be left whole.
#pragma once

namespace sft {

// Safe in a signal handler. True for the first request, which is the one that counts.
bool request_stop(int signal);

// The signal that asked; 0 where none has. Ranks hear of it at different times: only what they agree on may decide.
int stop_requested();

// The same, and the next request is a first one again: of commands in which a signal ends a part alone.
int take_stop_request();

// An Error with ExitCode::requeue where a stop was requested: for loops that leave nothing half-written behind an
// error. On several ranks, inside together(). Such a loop comes on at each call, which is a beat() (base/progress.h).
void leave_if_asked();

}  // namespace sft
