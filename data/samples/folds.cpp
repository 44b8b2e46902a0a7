#include "data/samples/folds.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/crc32c.h"
#include "base/random.h"
#include "base/text.h"

namespace sft {
namespace {

class Chosen final : public Dataset {
 public:
  Chosen(const Dataset& base, std::vector<int64_t> samples)
      : base_(base), samples_(std::move(samples)), info_(base.info()) {
    info_.num_samples = std::ssize(samples_);
    info_.num_rows = samples_.empty() ? 0 : base.row(samples_.back()) + 1;
    info_.fingerprint += concat("-chosen-", crc32c(samples_.data(), samples_.size() * sizeof(int64_t)));
  }

  const DatasetInfo& info() const override { return info_; }
  int64_t length(int64_t i) const override { return base_.length(at(i)); }
  void append(int64_t i, Batch& out) const override { base_.append(at(i), out); }
  void append(int64_t i, size_t column, Packed& out) const override { base_.append(at(i), column, out); }
  float weight(int64_t i) const override { return base_.weight(at(i)); }
  int64_t row(int64_t i) const override { return base_.row(at(i)); }
  void expect(int64_t i, Soon soon) const override { base_.expect(at(i), soon); }
  int64_t bytes_read() const override { return base_.bytes_read(); }

 private:
  int64_t at(int64_t i) const { return samples_[static_cast<size_t>(i)]; }

  const Dataset& base_;
  std::vector<int64_t> samples_;
  DatasetInfo info_;
};

}  // namespace

int64_t fold_of(uint64_t key, int64_t folds) {
  return static_cast<int64_t>(static_cast<unsigned __int128>(key) * static_cast<uint64_t>(folds) >> 64);
}

uint64_t key_of_inputs(const Dataset& dataset, int64_t sample, uint64_t seed) {
  uint64_t key = seed;
  const std::vector<Column>& columns = dataset.schema().columns;
  for (size_t c = 0; c < columns.size(); ++c) {
    if (columns[c].role != Role::input) continue;
    Packed cell(columns[c].number);
    dataset.append(sample, c, cell);
    key = derive_key(key, {reinterpret_cast<const char*>(cell.bytes()), cell.num_bytes()}, c);
  }
  return key;
}

std::unique_ptr<Dataset> chosen_of(const Dataset& base, std::vector<int64_t> samples) {
  return std::make_unique<Chosen>(base, std::move(samples));
}

}  // namespace sft
