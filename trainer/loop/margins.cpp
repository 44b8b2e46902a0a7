#include "trainer/loop/margins.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/softmax.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>

#include "base/errors.h"
#include "base/file_ops.h"
#include "base/text.h"
#include "comm/agree.h"
#include "trainer/models/blocks/sent.h"
#include "trainer/models/inputs.h"

namespace sft {
namespace {

constexpr size_t kMostOnDevice = 64;  // batches

struct Draw {
  int64_t draw = 0, sample = 0;
  RowMargin margin;
};

// [B, 4]: margin, probability, label, likeliest other label; the label is −1 where a row has none.
at::Tensor judged(const at::Tensor& logits_BK, const at::Tensor& labels_B) {
  const at::Tensor scores_BK = logits_BK.to(at::kDouble), labels_B1 = labels_B.clamp_min(0).unsqueeze(1);
  const auto [largest_B1, likely_B1] =
      scores_BK.scatter(1, labels_B1, -std::numeric_limits<double>::infinity()).max(1, /*keepdim=*/true);
  return at::cat({scores_BK.gather(1, labels_B1) - largest_B1, at::softmax(scores_BK, 1).gather(1, labels_B1),
                  labels_B.unsqueeze(1).to(at::kDouble), likely_B1.to(at::kDouble)},
                 1);
}

}  // namespace

void Margins::add(const at::Tensor& logits_BK, const Batch& batch) {
  const at::NoGradGuard no_graph;
  const at::Tensor labels_B = sent(view_of(batch, "labels"), logits_BK.options().dtype(at::kLong));
  given_.push_back(judged(logits_BK.detach(), labels_B));
  for (size_t b = 0; b < batch.ids.size(); ++b) draws_.emplace_back(batch.draws[b], batch.ids[b]);
  if (given_.size() >= kMostOnDevice) settle();
}

void Margins::settle() {
  if (given_.empty()) return;
  const at::Tensor all = at::cat(given_).cpu().contiguous();
  settled_.insert(settled_.end(), all.data_ptr<double>(), all.data_ptr<double>() + all.numel());
  given_.clear();
}

void Margins::gather(Communicator& control) {
  settle();
  std::vector<Draw> mine;
  for (size_t i = 0; i < draws_.size(); ++i) {
    const double* of = &settled_[4 * i];
    if (of[2] >= 0 && std::isfinite(of[0]) && std::isfinite(of[1]))
      mine.push_back({draws_[i].first,
                      draws_[i].second,
                      {static_cast<float>(of[0]), static_cast<float>(of[1]), static_cast<int32_t>(of[2]),
                       static_cast<int32_t>(of[3])}});
  }
  draws_.clear();
  settled_.clear();
  const std::vector<std::string> parts =
      gather_all(control, {reinterpret_cast<const char*>(mine.data()), mine.size() * sizeof(Draw)});
  if (control.rank() != 0) return;
  std::vector<Draw> all;
  for (const std::string& part : parts) {
    const size_t before = all.size();
    all.resize(before + part.size() / sizeof(Draw));
    std::memcpy(static_cast<void*>(all.data() + before), part.data(), part.size());
  }
  std::ranges::sort(all, {}, &Draw::draw);
  for (const Draw& draw : all) {
    const auto epoch = static_cast<size_t>(draw.draw / num_samples_);
    if (epoch >= epochs_.size()) epochs_.resize(epoch + 1, std::vector<RowMargin>(static_cast<size_t>(num_samples_)));
    epochs_[epoch][static_cast<size_t>(draw.sample)] = draw.margin;
  }
}

std::vector<RowMargin> Margins::of(int64_t sample) const {
  std::vector<RowMargin> all;
  for (const auto& epoch : epochs_) all.push_back(epoch[static_cast<size_t>(sample)]);
  return all;
}

std::string Margins::to_bytes() const {
  std::string bytes(reinterpret_cast<const char*>(&num_samples_), sizeof num_samples_);
  for (const auto& epoch : epochs_)
    bytes.append(reinterpret_cast<const char*>(epoch.data()), epoch.size() * sizeof(RowMargin));
  return bytes;
}

void Margins::restore(const std::string& checkpoint_directory) {
  epochs_.clear();
  const std::string path = checkpoint_directory + "/" + kMarginsFile;
  if (!std::filesystem::is_regular_file(path)) return;
  const std::string bytes = read_file(path);
  int64_t samples = 0;
  if (bytes.size() >= sizeof samples) std::memcpy(&samples, bytes.data(), sizeof samples);
  const size_t epoch_bytes = static_cast<size_t>(num_samples_) * sizeof(RowMargin);
  if (samples != num_samples_ || (bytes.size() - sizeof samples) % epoch_bytes != 0)
    throw DataError(concat(path, ": is of ", samples, " training rows, and there are ", num_samples_,
                           "; set train.record_margins = false to go on without it"));
  for (size_t at = sizeof samples; at < bytes.size(); at += epoch_bytes)
    std::memcpy(static_cast<void*>(epochs_.emplace_back(static_cast<size_t>(num_samples_)).data()), bytes.data() + at,
                epoch_bytes);
}

}  // namespace sft
