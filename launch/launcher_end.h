// The end of the launcher of this host's ranks where it does not come by itself: mpirun and its daemons wait for hosts
// that they cannot reach any more, for a quarter of an hour.
#pragma once

namespace sft {

// Leaves a process behind that ends this one's parent, if that is a launcher of Open MPI and runs on for so many
// seconds. Called right before the end of this process, from any of its threads.
void end_launcher_after(double seconds);

}  // namespace sft
