#include "trainer/loop/row_writer.h"

#include <unistd.h>

#include <cassert>
#include <fstream>
#include <tuple>
#include <vector>

#include "base/errors.h"
#include "base/text.h"
#include "comm/agree.h"
#include "data/loading/loader.h"

namespace sft {
namespace {

constexpr size_t kBufferBytes = 1 << 20;

void append_file(FileOps& files, int descriptor, const std::string& path, int64_t& offset, const std::string& from) {
  std::ifstream in(from, std::ios::binary);
  std::vector<char> block(kBufferBytes);
  while (in.read(block.data(), static_cast<std::streamsize>(block.size())) || in.gcount() > 0) {
    files.write(descriptor, block.data(), static_cast<size_t>(in.gcount()), offset, path);
    offset += in.gcount();
  }
  if (in.bad()) throw StorageError("cannot read back " + from);
}

}  // namespace

RowWriter::RowWriter(std::string path, std::string parts, const Dataset& dataset, RowOf row_of, Communicator& control,
                     FileOps& files)
    : path_(std::move(path)),
      parts_(std::move(parts)),
      control_(control),
      files_(files),
      dataset_(dataset),
      row_of_(std::move(row_of)),
      next_(range_of(dataset, {control.rank(), control.size()}).first) {
  std::tie(row_, end_row_) = rows_of(dataset, {control.rank(), control.size()});
  together(control_, [&] {
    ::unlink(part_of(control_.rank()).c_str());  // of a run that was killed
    part_ = files_.create(part_of(control_.rank()));
  });
}

RowWriter::~RowWriter() {
  if (part_ >= 0) ::close(part_);
  ::unlink(part_of(control_.rank()).c_str());
}

void RowWriter::add(int64_t sample, const std::string& json) {
  assert(sample >= next_);
  waiting_.emplace(sample, json);
  while (!waiting_.empty() && waiting_.begin()->first == next_) {
    while (row_ < dataset_.row(next_)) end_row();
    samples_.push_back(std::move(waiting_.begin()->second));
    waiting_.erase(waiting_.begin());
    ++next_;
  }
  if (buffer_.size() >= kBufferBytes) flush();
}

void RowWriter::end_row() {
  buffer_ += samples_.empty() ? "null" : row_of_(samples_);
  buffer_ += '\n';
  samples_.clear();
  ++row_;
}

void RowWriter::flush() {
  files_.write(part_, buffer_.data(), buffer_.size(), written_, part_of(control_.rank()));
  written_ += static_cast<int64_t>(buffer_.size());
  buffer_.clear();
}

void RowWriter::publish() {
  together(control_, [&] {
    assert(waiting_.empty());
    while (row_ < end_row_) end_row();
    flush();
  });
  together(control_, [&] {
    if (control_.rank() != 0) return;
    const std::string temporary = parts_ + ".whole";
    ::unlink(temporary.c_str());
    const int whole = files_.create(temporary);
    int64_t offset = 0;
    for (int rank = 0; rank < control_.size(); ++rank) append_file(files_, whole, temporary, offset, part_of(rank));
    files_.sync(whole, temporary);
    files_.close(whole, temporary);
    files_.rename(temporary, path_);
  });
}

std::string RowWriter::part_of(int rank) const { return concat(parts_, ".part-", rank); }

}  // namespace sft
