// The day that the chat templates of a run tell.
#pragma once

#include "comm/communicator.h"
#include "trainer/config/run_config.h"

namespace sft {

// Puts a day into an empty data.date of a run on chats, the same on every rank, so that the run keeps it however long
// it takes: the one that the run has had from its first start, or the checkpoint named by resume_from_checkpoint; today
// where it begins. Every rank calls, before data are opened, and rank 0 holds the run directory.
void settle_date(LoadedConfig& loaded, Communicator& control);

}  // namespace sft
