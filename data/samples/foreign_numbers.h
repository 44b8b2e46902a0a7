// A matrix of real numbers in a file that others wrote, [rows, width], read row by row.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "data/hdf5/elements.h"
#include "data/hdf5/guard.h"
#include "data/samples/packed.h"

namespace sft {

class ForeignNumbers {
 public:
  ForeignNumbers() = default;  // none
  // DataError naming file and dataset where it is no matrix of floating point numbers with so many rows. `what`: for
  // messages.
  ForeignNumbers(const std::shared_ptr<const GuardedFile>& file, const hdf5::DatasetLayout& dataset, int64_t rows,
                 const std::string& what);

  bool is_there() const { return content_ != nullptr; }
  int64_t width() const { return width_; }
  const hdf5::Bytes& content() const { return *content_; }
  // DataError naming the row where a number is not finite in single precision.
  void append(int64_t row, Packed& out) const;

 private:
  std::unique_ptr<hdf5::Bytes> content_;  // null where there is none
  hdf5::Type type_;
  std::string name_;
  int64_t width_ = 0;
};

}  // namespace sft
