#include "trainer/models/blocks/key_value_cache.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>

#include <cstring>
#include <stdexcept>

namespace sft {
namespace {

// Row i of `from` becomes row rows[i] of `to`. A call of ATen for it would cost more than so few rows.
void put(const at::Tensor& from_any, const at::Tensor& rows_N, at::Tensor& to) {
  const at::Tensor from = from_any.contiguous();
  const auto bytes = static_cast<size_t>(from.size(1)) * static_cast<size_t>(from.element_size());
  const char* const source = static_cast<const char*>(from.const_data_ptr());
  char* const target = static_cast<char*>(to.mutable_data_ptr());
  for (int64_t i = 0; i < rows_N.numel(); ++i)
    std::memcpy(target + static_cast<size_t>(rows_N.const_data_ptr<int64_t>()[i]) * bytes,
                source + static_cast<size_t>(i) * bytes, bytes);
}

}  // namespace

void KeyValueCache::go_on(std::vector<int64_t> slots, std::vector<int64_t> lengths,
                          const std::vector<int64_t>& offsets) {
  begins_.clear();
  ends_.clear();
  std::vector<int64_t> rows;
  for (size_t b = 0; b < slots.size(); ++b) {
    const int64_t begin = slots[b] * capacity_, end = begin + lengths[b] + offsets[b + 1] - offsets[b];
    if (slots[b] >= slots_ || end > begin + capacity_)
      throw std::length_error("a sequence outgrows its slot in the cache of keys and values");
    for (int64_t row = begin + lengths[b]; row < end; ++row) rows.push_back(row);
    begins_.push_back(begin);
    ends_.push_back(end);
  }
  begins_.push_back(slots_ * capacity_);
  rows_N_ = at::tensor(rows, at::kLong);
}

void KeyValueCache::begin(const std::vector<int64_t>& slots, const std::vector<int64_t>& offsets,
                          const std::vector<int64_t>& looked_at) {
  lengths_.resize(static_cast<size_t>(slots_));
  std::vector<int64_t> rows;
  for (size_t b = 0; b < slots.size(); ++b) {
    const int64_t length = offsets[b + 1] - offsets[b];
    if (slots[b] >= slots_ || length > capacity_)
      throw std::length_error("a source is longer than its slot in the cache of keys and values");
    for (int64_t row = 0; row < length; ++row) rows.push_back(slots[b] * capacity_ + row);
    lengths_[static_cast<size_t>(slots[b])] = length;
  }
  begins_.clear();
  ends_.clear();
  for (const int64_t slot : looked_at) {
    begins_.push_back(slot * capacity_);
    ends_.push_back(begins_.back() + lengths_[static_cast<size_t>(slot)]);
  }
  begins_.push_back(slots_ * capacity_);
  rows_N_ = at::tensor(rows, at::kLong);
}

KeyValueCache::Kept KeyValueCache::append(int block, const at::Tensor& k_NC, const at::Tensor& v_NC) {
  if (blocks_.size() <= static_cast<size_t>(block)) blocks_.resize(static_cast<size_t>(block) + 1);
  Block& kept = blocks_[static_cast<size_t>(block)];
  if (!kept.k.defined()) {
    kept.k = at::empty({slots_ * capacity_, k_NC.size(1)}, k_NC.options());
    kept.v = at::empty({slots_ * capacity_, v_NC.size(1)}, v_NC.options());
  }
  if (k_NC.is_cpu()) {
    put(k_NC, rows_N_, kept.k);
    put(v_NC, rows_N_, kept.v);
  } else if (rows_N_.numel() > 0) {
    const at::Tensor rows = rows_N_.to(k_NC.device());
    kept.k.index_copy_(0, rows, k_NC);
    kept.v.index_copy_(0, rows, v_NC);
  }
  return {kept.k, kept.v, &begins_, &ends_};
}

void KeyValueCache::copy(std::span<const SlotCopy> copies) {
  std::vector<int64_t> from, to;
  for (const SlotCopy& one : copies)
    for (int64_t row = one.first; row < one.end; ++row) {
      from.push_back(one.from * capacity_ + row);
      to.push_back(one.to * capacity_ + row);
    }
  if (from.empty()) return;
  const at::Tensor from_N = at::tensor(from, at::kLong), to_N = at::tensor(to, at::kLong);
  for (Block& kept : blocks_)
    for (at::Tensor* rows : {&kept.k, &kept.v})
      if (rows->defined())
        rows->index_copy_(0, to_N.to(rows->device()), rows->index_select(0, from_N.to(rows->device())));
}

}  // namespace sft
