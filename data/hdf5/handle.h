// Owners of HDF5 identifiers, and the check of what the C API returns.
#pragma once

#include <hdf5.h>

#include <string>
#include <utility>

namespace sft::hdf5 {

// Closes what it holds. `Close` is H5Fclose, H5Dclose, …
template <herr_t (*Close)(hid_t)>
class Handle {
 public:
  explicit Handle(hid_t id) : id_(id) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, H5I_INVALID_HID)) {}
  Handle& operator=(Handle&&) = delete;
  ~Handle() {
    if (id_ >= 0) Close(id_);
  }
  hid_t get() const { return id_; }
  explicit operator bool() const { return id_ >= 0; }

  // Closes now, to see whether it went well: closing a file is when HDF5 writes much of it.
  bool close() { return Close(std::exchange(id_, H5I_INVALID_HID)) >= 0; }

 private:
  hid_t id_;
};

using File = Handle<H5Fclose>;
using Group = Handle<H5Gclose>;
using Object = Handle<H5Oclose>;
using DatasetId = Handle<H5Dclose>;
using AttributeId = Handle<H5Aclose>;
using TypeId = Handle<H5Tclose>;
using Space = Handle<H5Sclose>;
using Properties = Handle<H5Pclose>;

}  // namespace sft::hdf5
