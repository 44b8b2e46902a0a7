// Work of rank 0 alone for which the others wait, however long it takes and on whatever host they are.
#pragma once

#include <functional>
#include <string_view>

#include "comm/communicator.h"

namespace sft {

// Every rank calls. Runs `body` on rank 0, on a thread of its own, as the phase `name`; `body` makes no collective.
// Where it fails, every rank throws its error, as together() does. The ranks meet once a second for as long as the work
// gives signs of life (base/progress.h), so no wait is as long as the work. Work that stands still lets the others
// wait, and the watchdog's deadline strikes.
void while_others_wait(Communicator& world, std::string_view name, const std::function<void()>& body);

}  // namespace sft
