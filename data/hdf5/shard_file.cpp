#include "data/hdf5/shard_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/errors.h"
#include "base/text.h"
#include "data/hdf5/descriptor.h"
#include "data/hdf5/format.h"

namespace sft {
namespace {

using Range = std::pair<int64_t, int64_t>;  // begin, end

// The file that HDF5 has laid out.
class Layout {
 public:
  explicit Layout(const std::string& path) : path_(path), file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    struct stat status {};
    if (::fstat(file_.get(), &status) < 0) fail(errno);
    bytes_ = status.st_size;
  }
  int64_t bytes() const { return bytes_; }

  std::vector<char> read(int64_t offset, int64_t size) const {
    std::vector<char> content(static_cast<size_t>(size));
    for (size_t done = 0; done < content.size();) {
      const ssize_t got =
          ::pread(file_.get(), content.data() + done, content.size() - done, offset + static_cast<int64_t>(done));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) fail(got < 0 ? errno : EIO);
      done += static_cast<size_t>(got);
    }
    return content;
  }

 private:
  [[noreturn]] void fail(int number) const {
    throw StorageError(concat("cannot read back ", in_quotes(path_, 400), ": ", std::strerror(number)));
  }
  std::string path_;
  Descriptor file_;
  int64_t bytes_ = 0;
};

// The file to be, closed also on the way out of a failure.
class Output {
 public:
  Output(FileOps& files, const std::string& path, int64_t bytes)
      : files_(files), path_(path), descriptor_(files.create(path, bytes)) {}
  ~Output() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  int descriptor() const { return descriptor_; }
  void write(const void* data, size_t size, int64_t offset) {
    if (size > 0) files_.write(descriptor_, data, size, offset, path_);
  }
  void finish() {
    files_.sync(descriptor_, path_);
    files_.close(std::exchange(descriptor_, -1), path_);
  }

 private:
  FileOps& files_;
  std::string path_;
  int descriptor_;
};

// HDF5 decides in a file of holes where everything lies; then all bytes, its own and ours, go through FileOps, so
// that no failure of the disk is missed.
void write(const std::string& temporary, const std::string& layout_path, const std::vector<ShardColumn*>& columns,
           const PlannedAttributes& attributes, FileOps& files) {
  std::vector<uint32_t> checksums;
  std::vector<PlannedDataset> planned;
  for (ShardColumn* column : columns) {
    const std::vector<uint32_t>& blocks = column->content.finish();
    checksums.insert(checksums.end(), blocks.begin(), blocks.end());
    planned.push_back(
        {column->name, column->element, column->content.bytes() / stored_bytes(column->element), 0, column->entry});
  }
  planned.push_back({format::kChecksums, StoredElement::uint32, static_cast<int64_t>(checksums.size()), 0, {}});
  lay_out(layout_path, planned, attributes);
  const Layout layout(layout_path);

  Output output(files, temporary, layout.bytes());
  std::vector<Range> content;
  for (size_t i = 0; i < planned.size(); ++i) {
    const PlannedDataset& dataset = planned[i];
    if (dataset.count == 0) continue;
    content.push_back({dataset.offset, dataset.offset + dataset.count * stored_bytes(dataset.element)});
    if (i < columns.size()) {
      columns[i]->content.copy_to(output.descriptor(), dataset.offset, temporary);
    } else {
      output.write(checksums.data(), checksums.size() * sizeof(uint32_t), dataset.offset);
    }
  }
  std::sort(content.begin(), content.end());
  content.push_back({layout.bytes(), layout.bytes()});
  int64_t done = 0;
  for (const auto& [begin, end] : content) {  // what HDF5 wrote lies between
    const std::vector<char> metadata = layout.read(done, begin - done);
    output.write(metadata.data(), metadata.size(), done);
    done = end;
  }
  output.finish();
}

}  // namespace

std::string directory_of(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

void write_shard_file(const std::string& path, const std::vector<ShardColumn*>& columns,
                      const PlannedAttributes& attributes, FileOps& files) {
  const std::string temporary = path + ".tmp", layout = path + ".layout.tmp";
  const auto discard = [&] {
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    std::filesystem::remove(layout, ignored);
  };
  discard();  // what a process that was killed has left
  try {
    write(temporary, layout, columns, attributes, files);
    files.rename(temporary, path);
  } catch (...) {
    discard();
    throw;
  }
  discard();
  files.sync_directory(directory_of(path));
}

}  // namespace sft
