// HDF5 prints no errors of its own on this thread while one of these lives.
#pragma once

#include <hdf5.h>

namespace sft::hdf5 {

class Silence {
 public:
  Silence() {
    H5Eget_auto2(H5E_DEFAULT, &print_, &to_);
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  }
  ~Silence() { H5Eset_auto2(H5E_DEFAULT, print_, to_); }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;

 private:
  H5E_auto2_t print_ = nullptr;
  void* to_ = nullptr;
};

}  // namespace sft::hdf5
