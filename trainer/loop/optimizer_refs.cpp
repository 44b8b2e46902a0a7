#include "trainer/loop/optimizer_refs.h"

namespace sft {
namespace {

std::vector<ByteRun> runs_of(const std::vector<Slice>& slices, int64_t element_bytes) {
  std::vector<ByteRun> runs;
  for (const Slice& slice : slices) {
    const ByteRun run{slice.offset * element_bytes, slice.size * element_bytes};
    if (!runs.empty() && runs.back().offset + runs.back().bytes == run.offset)
      runs.back().bytes += run.bytes;
    else
      runs.push_back(run);
  }
  return runs;
}

}  // namespace

HostTensors optimizer_in_host(const Update& update) {
  HostTensors state(update.optimizer->state());
  const int64_t size = update.arena->size();
  const auto element_bytes = static_cast<int64_t>(update.arena->values().element_size());
  for (TensorRef& buffer : state.refs()) {
    buffer.shape = {size};
    buffer.bytes = size * element_bytes;
    buffer.is_spread = update.gradients->is_spread();
    if (buffer.is_spread) buffer.runs = runs_of(update.optimizer->owned(), element_bytes);
  }
  return state;
}

}  // namespace sft
