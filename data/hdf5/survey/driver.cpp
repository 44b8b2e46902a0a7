#include "data/hdf5/survey/driver.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string>

namespace sft::hdf5 {
namespace {

// HDF5 casts between this and its first member.
struct OpenFile {
  H5FD_t base{};
  int descriptor = -1;
  haddr_t end = 0;        // of the file
  haddr_t allocated = 0;  // as the superblock says
};

const OpenFile& opened(const H5FD_t* file) { return *reinterpret_cast<const OpenFile*>(file); }
OpenFile& opened(H5FD_t* file) { return *reinterpret_cast<OpenFile*>(file); }

// The program has one thread. Raw reads are noted here while it points to something.
std::optional<Place>* noted = nullptr;

H5FD_t* open_file(const char* name, unsigned, hid_t, haddr_t) {
  const int descriptor = std::stoi(name);
  struct stat status {};
  if (::fstat(descriptor, &status) < 0) return nullptr;
  return reinterpret_cast<H5FD_t*>(new OpenFile{{}, descriptor, static_cast<haddr_t>(status.st_size), 0});
}

herr_t close_file(H5FD_t* file) {
  delete reinterpret_cast<OpenFile*>(file);
  return 0;
}

herr_t query(const H5FD_t*, unsigned long* flags) {
  *flags = H5FD_FEAT_ACCUMULATE_METADATA;
  return 0;
}

haddr_t allocated_end(const H5FD_t* file, H5FD_mem_t) { return opened(file).allocated; }

herr_t set_allocated_end(H5FD_t* file, H5FD_mem_t, haddr_t end) {
  opened(file).allocated = end;
  return 0;
}

haddr_t file_end(const H5FD_t* file, H5FD_mem_t) { return opened(file).end; }

// What lies beyond the end reads as zeros, as in HDF5's own driver.
herr_t read(H5FD_t* file, H5FD_mem_t type, hid_t, haddr_t offset, size_t size, void* out) {
  if (noted != nullptr && type == H5FD_MEM_DRAW) {
    *noted = Place{offset, size, 0};
    return 0;
  }
  auto* to = static_cast<char*>(out);
  while (size > 0) {
    const ssize_t got = ::pread(opened(file).descriptor, to, size, static_cast<off_t>(offset));
    if (got < 0) return -1;
    if (got == 0) {
      std::fill(to, to + size, '\0');
      return 0;
    }
    to += got;
    offset += static_cast<haddr_t>(got);
    size -= static_cast<size_t>(got);
  }
  return 0;
}

herr_t refuse_write(H5FD_t*, H5FD_mem_t, hid_t, haddr_t, size_t, const void*) { return -1; }

// Newer libraries ask for the version of this structure.
template <class DriverClass>
void set_version(DriverClass& driver) {
  if constexpr (requires { driver.version; }) driver.version = 1;
}

hid_t register_driver() {
  static H5FD_class_t driver = [] {
    H5FD_class_t out{};
    set_version(out);
    out.name = "descriptor";
    out.maxaddr = (haddr_t{1} << 63) - 1;
    out.fc_degree = H5F_CLOSE_WEAK;
    out.open = open_file;
    out.close = close_file;
    out.query = query;
    out.get_eoa = allocated_end;
    out.set_eoa = set_allocated_end;
    out.get_eof = file_end;
    out.read = read;
    out.write = refuse_write;
    const H5FD_mem_t map[H5FD_MEM_NTYPES] = H5FD_FLMAP_DICHOTOMY;
    std::copy(map, map + H5FD_MEM_NTYPES, out.fl_map);
    return out;
  }();
  static const hid_t id = H5FDregister(&driver);
  return id;
}

}  // namespace

File open_descriptor(int descriptor) {
  const Properties access(H5Pcreate(H5P_FILE_ACCESS));
  H5Pset_driver(access.get(), register_driver(), nullptr);
  return File(H5Fopen(std::to_string(descriptor).c_str(), H5F_ACC_RDONLY, access.get()));
}

bool find_chunk(hid_t dataset, const hsize_t* origin, std::optional<Place>& place) {
  place.reset();
  hsize_t bytes = 0;
  if (H5Dget_chunk_storage_size(dataset, origin, &bytes) < 0) return false;
  if (bytes == 0) return true;
  uint32_t skipped_filters = 0;
  char nothing = 0;  // the driver writes nothing there
  noted = &place;
  const herr_t status = H5Dread_chunk(dataset, H5P_DEFAULT, origin, &skipped_filters, &nothing);
  noted = nullptr;
  if (status < 0 || !place || place->bytes != bytes) return false;
  place->skipped_filters = skipped_filters;
  return true;
}

}  // namespace sft::hdf5
