// The model goes to as few files as its size asks for. Ranks that write none of it write more of the
// optimizer's buffers: water filling to one level of bytes a rank.
#include "trainer/checkpoint/slices.h"

#include <algorithm>
#include <cstdio>
#include <numeric>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/checkpoint/dtype.h"

namespace sft {
namespace {

constexpr int64_t kAlignment = 64;  // cuts fall between elements, and on cache lines of the buffer

int64_t aligned(int64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

int64_t bytes_of(const std::vector<TensorRef>& tensors) {
  return std::accumulate(tensors.begin(), tensors.end(), int64_t{0},
                         [](int64_t sum, const TensorRef& tensor) { return sum + tensor.bytes; });
}

int64_t bytes_of(const FilePlan& file) {
  return std::accumulate(file.cuts.begin(), file.cuts.end(), int64_t{0},
                         [](int64_t sum, const Cut& cut) { return sum + cut.bytes; });
}

std::string numbered(const char* stem, size_t index, size_t count) {
  char name[64];
  std::snprintf(name, sizeof name, "%s-%05zu-of-%05zu.safetensors", stem, index + 1, count);
  return name;
}

// Runs of whole tensors in their order; a tensor belongs to the file in whose share its middle falls.
std::vector<FilePlan> plan_model(const std::vector<TensorRef>& model, int world, int64_t file_bytes) {
  if (model.empty()) return {};
  const int64_t total = bytes_of(model);
  const int64_t count = std::clamp<int64_t>(total / file_bytes, 1, world);
  std::vector<FilePlan> files(static_cast<size_t>(count));
  int64_t position = 0;
  for (size_t k = 0; k < model.size(); ++k) {
    const int64_t middle = position + model[k].bytes / 2;
    const auto file = total == 0 ? 0 : static_cast<int64_t>(static_cast<__int128>(middle) * count / total);
    files[static_cast<size_t>(std::min(file, count - 1))].cuts.push_back({k, 0, model[k].bytes});
    position += model[k].bytes;
  }
  std::erase_if(files, [](const FilePlan& file) { return file.cuts.empty(); });
  for (size_t k = 0; k < files.size(); ++k) {
    files[k].name = files.size() == 1 ? "model.safetensors" : numbered("model", k, files.size());
    files[k].writer = static_cast<int>(k);
  }
  return files;
}

// How many of `bytes` each rank takes on top of `loads`, so that the fullest rank is as empty as can be;
// no more ranks than give each `least` bytes.
std::vector<int64_t> fill_up(const std::vector<int64_t>& loads, int64_t bytes, int64_t least) {
  std::vector<size_t> emptiest(loads.size());
  std::iota(emptiest.begin(), emptiest.end(), size_t{0});
  std::ranges::stable_sort(emptiest, {}, [&](size_t rank) { return loads[rank]; });
  const auto most_ranks =
      static_cast<size_t>(std::clamp<int64_t>(bytes / least, 1, static_cast<int64_t>(loads.size())));

  int64_t level = 0, below = 0;
  for (size_t taken = 0; taken < most_ranks; ++taken) {
    const int64_t load = loads[emptiest[taken]];
    if (taken > 0 && load >= level) break;
    below += load;
    const auto ranks = static_cast<int64_t>(taken) + 1;
    level = (bytes + below + ranks - 1) / ranks;
  }
  std::vector<int64_t> shares(loads.size(), 0);
  for (size_t taken = 0; taken < most_ranks; ++taken)
    shares[emptiest[taken]] = std::max<int64_t>(0, level - loads[emptiest[taken]]);
  return shares;
}

// Buffers stand behind each other, each padded to the alignment; rank after rank cuts its share from the front.
std::vector<FilePlan> plan_optimizer(const std::vector<TensorRef>& optimizer, const std::vector<int64_t>& loads,
                                     int64_t slice_bytes) {
  int64_t total = 0;
  for (const TensorRef& buffer : optimizer) total += aligned(buffer.bytes);
  const std::vector<int64_t> shares = fill_up(loads, total, slice_bytes);

  std::vector<FilePlan> files;
  int64_t begin = 0;
  for (size_t rank = 0; rank < shares.size(); ++rank) {
    const int64_t end = std::min(total, begin + aligned(shares[rank]));
    FilePlan file{"", static_cast<int>(rank), false, {}};
    int64_t start = 0;  // of the buffer
    for (size_t k = 0; k < optimizer.size(); ++k) {
      const int64_t first = std::max(begin - start, int64_t{0});
      const int64_t last = std::min(end - start, optimizer[k].bytes);
      if (first < last) file.cuts.push_back({k, first, last - first});
      start += aligned(optimizer[k].bytes);
    }
    if (!file.cuts.empty()) files.push_back(std::move(file));
    begin = end;
  }
  for (size_t k = 0; k < files.size(); ++k) files[k].name = numbered("optimizer", k, files.size());
  return files;
}

// A file a rank that has something.
std::vector<FilePlan> plan_spread(const std::vector<TensorRef>& optimizer, const SpreadRuns& runs) {
  std::vector<FilePlan> files;
  for (size_t rank = 0; rank < runs.size(); ++rank) {
    FilePlan file{"", static_cast<int>(rank), false, {}};
    for (size_t k = 0; k < optimizer.size(); ++k) {
      int64_t start = 0;
      for (const ByteRun& run : runs[rank][k]) {
        file.cuts.push_back({k, run.offset, run.bytes, start});
        start += run.bytes;
      }
    }
    if (!file.cuts.empty()) files.push_back(std::move(file));
  }
  for (size_t k = 0; k < files.size(); ++k) files[k].name = numbered("optimizer", k, files.size());
  return files;
}

void require_covered(const std::vector<TensorRef>& optimizer, const SpreadRuns& runs) {
  for (size_t k = 0; k < optimizer.size(); ++k) {
    std::vector<ByteRun> all;
    for (const auto& of_rank : runs) all.insert(all.end(), of_rank[k].begin(), of_rank[k].end());
    std::ranges::sort(all, {}, &ByteRun::offset);
    int64_t end = 0;
    for (const ByteRun& run : all) end = run.offset == end ? end + run.bytes : -1;
    if (end != optimizer[k].bytes)
      throw Error(ExitCode::internal,
                  concat("the ranks do not have each byte of ", in_quotes(optimizer[k].name), " once"),
                  Reach::everywhere);
  }
}

}  // namespace

std::vector<FilePlan> plan_files(const std::vector<TensorRef>& model, const std::vector<TensorRef>& optimizer,
                                 const SpreadRuns& runs, const CutSizes& sizes) {
  require_covered(optimizer, runs);
  std::vector<FilePlan> files = plan_model(model, static_cast<int>(runs.size()), sizes.model_file_bytes);
  std::ranges::move(plan_spread(optimizer, runs), std::back_inserter(files));
  return files;
}

std::vector<FilePlan> plan_files(const std::vector<TensorRef>& model, const std::vector<TensorRef>& optimizer,
                                 int world, const CutSizes& sizes) {
  std::vector<FilePlan> files = plan_model(model, world, sizes.model_file_bytes);
  std::vector<int64_t> loads(static_cast<size_t>(world), 0);
  for (const FilePlan& file : files) loads[static_cast<size_t>(file.writer)] += bytes_of(file);
  std::vector<FilePlan> optimizer_files = plan_optimizer(optimizer, loads, sizes.optimizer_slice_bytes);
  std::ranges::move(optimizer_files, std::back_inserter(files));
  return files;
}

std::vector<TensorRef> tensors_of(const std::vector<TensorRef>& tensors, const FilePlan& file) {
  std::vector<TensorRef> parts;
  for (const Cut& cut : file.cuts) {
    const TensorRef& tensor = tensors[cut.tensor];
    if (cut.start > 0) {  // behind another run of the same
      parts.back().bytes += cut.bytes;
    } else {
      parts.push_back(tensor);
      TensorRef& part = parts.back();
      part.is_spread = false;
      part.runs.clear();
      if (!tensor.is_spread) part.data = static_cast<std::byte*>(tensor.data) + cut.offset;
      part.bytes = cut.bytes;
    }
    if (TensorRef& part = parts.back(); part.bytes != tensor.bytes)
      part.shape = {part.bytes / bytes_of_dtype(tensor.dtype)};
    else
      part.shape = tensor.shape;
  }
  return parts;
}

}  // namespace sft
