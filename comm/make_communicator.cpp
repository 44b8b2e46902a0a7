#include "comm/make_communicator.h"

#include <array>

#include "base/errors.h"
#include "base/text.h"
#include "comm/mpi/mpi.h"
#include "comm/nccl/nccl.h"
#include "comm/solo/solo.h"

namespace sft {
namespace {

struct Backend {
  std::string_view name;
  std::string (*unavailable)(const Placement&);
  std::unique_ptr<Communicator> (*connect)(const Placement&);
};

// The explicit list. "auto" takes the first that is available.
constexpr std::array<Backend, 3> kBackends{{
    {"nccl", nccl::unavailable, nccl::connect},
    {"solo", solo::unavailable, solo::connect},
    {"mpi", mpi::unavailable, [](const Placement& placement) { return mpi::connect(placement); }},
}};

}  // namespace

std::unique_ptr<Communicator> make_communicator(const std::string& backend, const Placement& placement) {
  std::vector<std::string> names{"auto"};
  for (const Backend& candidate : kBackends) {
    const std::string reason = backend == "auto" || backend == candidate.name ? candidate.unavailable(placement) : "";
    if (backend == candidate.name && !reason.empty())
      throw CommError(concat("comm.backend = '", backend, "' cannot be used: ", reason));
    if (backend == candidate.name || (backend == "auto" && reason.empty())) return candidate.connect(placement);
    names.emplace_back(candidate.name);
  }
  if (backend == "threads")
    throw ConfigError("comm.backend = 'threads' is for tests: ranks as threads come from spawn_ranks");
  throw ConfigError(concat("comm.backend = ", in_quotes(backend), " is no backend; there are ", join(names, ", "),
                           did_you_mean(backend, names)));
}

}  // namespace sft
