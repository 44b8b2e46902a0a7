#include "trainer/models/blocks/memory_check.h"

#include "base/errors.h"
#include "base/process.h"
#include "base/text.h"

namespace sft {

void require_memory_for(double parameters, const at::TensorOptions& options, const std::string& sizes) {
  if (!options.device().is_cpu()) return;
  const double bytes = parameters * static_cast<double>(options.dtype().itemsize());
  const auto memory = static_cast<double>(memory_limit_bytes());
  if (bytes > memory)
    throw ConfigError(concat("config.json: ", sizes, " make weights of ", human_bytes(bytes),
                             ", and this process may have ", human_bytes(memory), " of memory"));
}

}  // namespace sft
