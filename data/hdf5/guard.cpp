#include "data/hdf5/guard.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

#include "base/errors.h"
#include "base/lfs_pointer.h"
#include "base/text.h"
#include "data/hdf5/filters.h"
#include "data/hdf5/survey_process.h"

namespace sft {
namespace {

using hdf5::Chunk;
using hdf5::DatasetLayout;
using hdf5::Storage;

constexpr int64_t kMostDeclaredBytes = int64_t{4} << 40;
constexpr int64_t kMostChunkBytes = int64_t{256} << 20;
constexpr int64_t kMostExpansion = 1000;
constexpr int64_t kAlwaysAllowedBytes = int64_t{1} << 20;  // nobody is hurt by a small file that expands much

constexpr unsigned char kSignature[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1A, '\n'};

// Both factors at or above 0. INT64_MAX where it is more.
int64_t product(int64_t a, int64_t b) {
  int64_t result = 0;
  return __builtin_mul_overflow(a, b, &result) ? INT64_MAX : result;
}

class Check {
 public:
  Check(const GuardedFile& file, const DatasetLayout& dataset) : file_(file), dataset_(dataset) {}

  void run() const {
    const int64_t declared = product(hdf5::num_elements(dataset_.shape), dataset_.type.bytes);
    require(declared <= kMostDeclaredBytes,
            concat("declares ", human(declared), ", and at most ", human(kMostDeclaredBytes), " is read"));
    require(dataset_.stored_bytes <= file_.bytes,
            concat("stores ", human(dataset_.stored_bytes), " in a file of ", human(file_.bytes)));
    require(declared <= kAlwaysAllowedBytes || declared / kMostExpansion <= dataset_.stored_bytes,
            concat("declares ", human(declared), " and stores ", human(dataset_.stored_bytes), ", over ",
                   kMostExpansion, " times less"));
    switch (dataset_.storage) {
      case Storage::contiguous:
        return contiguous(declared);
      case Storage::compact:
        return;  // its bytes are in the layout
      case Storage::chunked:
        return chunked();
    }
  }

 private:
  void contiguous(int64_t declared) const {
    if (declared == 0) return;
    // Variable-length and the like take other sizes in a file than in memory; their content is never read.
    if (dataset_.type.kind == hdf5::Class::other) return;
    require(dataset_.offset >= 0, "was declared and never written");
    require(dataset_.stored_bytes == declared,
            concat("its shape needs ", human(declared), ", and ", human(dataset_.stored_bytes), " is stored"));
    require_inside(dataset_.offset, declared, "its content");
  }

  void chunked() const {
    const auto& sizes = dataset_.chunk_shape;
    for (const int64_t size : sizes) require(size > 0, "a side of its chunks is 0");
    require(product(hdf5::num_elements(sizes), dataset_.type.bytes) <= kMostChunkBytes,
            concat("its chunks are larger than ", human(kMostChunkBytes)));
    for (const hdf5::Filter& filter : dataset_.filters)
      require(hdf5::is_known_filter(filter), concat("uses the filter ", hdf5::filter_name(filter.id),
                                                    "; only deflate (gzip), shuffle and fletcher32 are read"));
    int64_t stored = 0;
    std::set<std::vector<int64_t>> origins;
    for (const Chunk& chunk : dataset_.chunks) {
      require_inside(chunk.offset, chunk.bytes, "a chunk");
      stored += chunk.bytes;  // each at most the file's size, and there are few
      require(stored <= file_.bytes, "its chunks together are larger than the file");
      for (size_t d = 0; d < sizes.size(); ++d)
        require(chunk.origin[d] >= 0 && chunk.origin[d] < dataset_.shape[d] && chunk.origin[d] % sizes[d] == 0,
                "a chunk lies outside its shape");
      require(origins.insert(chunk.origin).second, "a chunk is there twice");
    }
  }

  void require_inside(int64_t offset, int64_t bytes, const char* what) const {
    require(offset >= 0 && bytes >= 0 && offset <= file_.bytes && bytes <= file_.bytes - offset,
            concat(what, " (", bytes, " bytes at ", offset, ") lies beyond the end of the file, ", file_.bytes,
                   "; it was cut short"));
  }

  void require(bool good, const std::string& why) const {
    if (!good) throw DataError(concat(file_.name_of(dataset_.name), ": ", why));
  }

  static std::string human(int64_t bytes) { return human_bytes(static_cast<double>(bytes)); }

  const GuardedFile& file_;
  const DatasetLayout& dataset_;
};

void require_regular(GuardedFile& file) {
  struct stat status {};
  if (file.descriptor.get() < 0 || ::fstat(file.descriptor.get(), &status) < 0)
    throw ConfigError(concat("cannot read ", in_quotes(file.path, 400), ": ", std::strerror(errno)));
  if (!S_ISREG(status.st_mode)) throw ConfigError(concat(in_quotes(file.path, 400), " is not a file"));
  refuse_lfs_pointer(file.descriptor.get(), file.path);
  file.bytes = status.st_size;
}

void require_signature(const GuardedFile& file) {
  unsigned char start[sizeof kSignature] = {};
  const ssize_t got = ::pread(file.descriptor.get(), start, sizeof start, 0);
  if (got == sizeof start && std::equal(start, start + sizeof start, kSignature)) return;
  throw DataError(concat(in_quotes(file.path, 400), " is not an HDF5 file: ",
                         got <= 0 ? "it is empty"
                                  : concat("it begins with ", in_quotes(std::string_view(reinterpret_cast<char*>(start),
                                                                                         static_cast<size_t>(got))))));
}

}  // namespace

std::string GuardedFile::name_of(const std::string& dataset) const {
  return concat(in_quotes(path, 400), ", dataset ", in_quotes(dataset));
}

const DatasetLayout& GuardedFile::dataset(const std::string& name) const {
  if (const DatasetLayout* found = layout.dataset(name)) return *found;
  std::vector<std::string> names;
  for (const DatasetLayout& there : layout.datasets) names.push_back(there.name);
  throw DataError(concat(in_quotes(path, 400), ": there is no dataset ", in_quotes(name), did_you_mean(name, names),
                         "; found: ", names.empty() ? "none" : in_quotes(join(names, ", "), 400)));
}

std::shared_ptr<const GuardedFile> open_guarded(const std::string& path) {
  // A FIFO must not block.
  return open_guarded(Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)), path);
}

std::shared_ptr<const GuardedFile> open_guarded(Descriptor descriptor, const std::string& path) {
  auto file = std::make_shared<GuardedFile>();
  file->path = path;
  file->descriptor = std::move(descriptor);
  require_regular(*file);
  require_signature(*file);
  file->layout = hdf5::survey_in_process(file->descriptor.get(), path);
  for (const DatasetLayout& dataset : file->layout.datasets) Check(*file, dataset).run();
  return file;
}

}  // namespace sft
