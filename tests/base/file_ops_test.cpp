#include "base/file_ops.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/errors.h"
#include "base/file_error.h"
#include "tests/base/temporary_directory.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

// What `act` throws, "" where it throws nothing.
template <class Failure, class Act>
std::string failure(Act act) {
  try {
    act();
  } catch (const Failure& error) {
    return error.what();
  }
  return "";
}

// Fails the Nth operation, as a full disk would.
class FailingFiles : public FileOps {
 public:
  explicit FailingFiles(int passing) : passing_(passing) {}
  int create(const std::string& path, int64_t bytes) override { return pass(path), FileOps::create(path, bytes); }
  void write(int descriptor, const void* data, size_t size, int64_t offset, const std::string& path) override {
    pass(path);
    FileOps::write(descriptor, data, size, offset, path);
  }
  void sync(int descriptor, const std::string& path) override { pass(path), FileOps::sync(descriptor, path); }
  void close(int descriptor, const std::string& path) override {
    FileOps::close(descriptor, path);
    pass(path);
  }
  void rename(const std::string& from, const std::string& to) override { pass(from), FileOps::rename(from, to); }
  void sync_directory(const std::string& path) override { pass(path), FileOps::sync_directory(path); }

 private:
  void pass(const std::string& path) {
    if (passing_-- == 0) throw StorageError("cannot write " + path);
  }
  int passing_;
};

TEST(FileOps, WritesAtAnyOffsetAndReservesWithoutGrowing) {
  const TemporaryDirectory directory;
  const std::string path = directory.path("data");
  FileOps& files = real_files();
  const int descriptor = files.create(path, 1 << 20);
  files.write(descriptor, "world", 5, 6, path);
  files.write(descriptor, "hello ", 6, 0, path);
  files.sync(descriptor, path);
  files.close(descriptor, path);
  files.sync_directory(directory.path());
  EXPECT_EQ(read_file(path), "hello world");
}

TEST(FileOps, NeverOpensWhatIsThereNotEvenThroughALink) {
  const TemporaryDirectory directory;
  directory.file("old", "kept");
  fs::create_symlink(directory.path("target"), directory.path("link"));
  for (const char* name : {"old", "link"})
    EXPECT_NE(failure<StorageError>([&] { real_files().create(directory.path(name)); }).find("File exists"),
              std::string::npos);
  EXPECT_EQ(read_file(directory.path("old")), "kept");
  EXPECT_FALSE(fs::exists(directory.path("target")));
}

TEST(FileOps, NamesOperationPathAndReason) {
  const TemporaryDirectory directory;
  const std::string file = directory.file("file", "");
  EXPECT_EQ(failure<StorageError>([&] { real_files().make_directory(file + "/below"); }),
            "cannot make directory '" + file + "/below': Not a directory");
  EXPECT_EQ(failure<StorageError>([&] { real_files().rename(directory.path("a"), directory.path("b")); }),
            "cannot rename '" + directory.path("a") + "' to '" + directory.path("b") + "': No such file or directory");
  EXPECT_EQ(failure<StorageError>([&] { real_files().sync_directory(directory.path("a")); }),
            "cannot open directory '" + directory.path("a") + "': No such file or directory");
  EXPECT_EQ(failure<StorageError>([&] { real_files().write(-1, "x", 1, 0, "there"); }),
            "cannot write 'there': Bad file descriptor");
  EXPECT_EQ(failure<ConfigError>([&] { read_file(directory.path("a")); }),
            "cannot read '" + directory.path("a") + "': No such file or directory");
  EXPECT_EQ(failure<ConfigError>([&] { read_file(directory.path()); }),
            "cannot read '" + directory.path() + "': Is a directory");
}

// A file-size limit makes the kernel write a part first and refuse the rest, as a full disk does.
TEST(FileOps, ReportsAWriteThatCouldNotBeFinished) {
  const TemporaryDirectory directory;
  const std::string path = directory.path("data");
  const int descriptor = real_files().create(path);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{1000, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  const std::string content(3000, 'x');
  const std::string message =
      failure<StorageError>([&] { real_files().write(descriptor, content.data(), content.size(), 0, path); });
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, handler);
  real_files().close(descriptor, path);
  EXPECT_EQ(message, "cannot write '" + path + "': File too large");
  EXPECT_EQ(fs::file_size(path), 1000u);
}

TEST(FileOps, MakesParentsRemovesTreesAndCountsFreeSpace) {
  const TemporaryDirectory directory;
  real_files().make_directory(directory.path("a/b/c"));
  real_files().make_directory(directory.path("a/b/c"));
  directory.file("a/b/c/file", "x");
  real_files().remove_all(directory.path("a"));
  real_files().remove_all(directory.path("a"));
  EXPECT_FALSE(fs::exists(directory.path("a")));
  EXPECT_GT(real_files().free_bytes(directory.path()), 0);
}

TEST(WriteAtomically, LeavesTheOldContentOrTheNewWhicheverOperationFails) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("state", "old");
  for (int passing = 0; passing < 5; ++passing) {
    FailingFiles files(passing);
    EXPECT_THROW(write_atomically(files, path, "new"), StorageError) << passing;
    EXPECT_EQ(read_file(path), "old") << passing;
  }
  FailingFiles last(5);  // the directory's sync: renamed, but perhaps not durably
  EXPECT_THROW(write_atomically(last, path, "new"), StorageError);
  EXPECT_EQ(read_file(path), "new");
  FailingFiles none(6);
  write_atomically(none, path, "newest");
  EXPECT_EQ(read_file(path), "newest");
  EXPECT_EQ(std::distance(fs::directory_iterator(directory.path()), {}), 1) << "no temporary file stays";
}

TEST(FileError, TellsWhoseFaultItIs) {
  const auto code = [](std::errc reason) {
    return told(fs::filesystem_error("", "path", std::make_error_code(reason))).code();
  };
  EXPECT_EQ(code(std::errc::filename_too_long), ExitCode::config);
  EXPECT_EQ(code(std::errc::no_space_on_device), ExitCode::cannot_write);
  EXPECT_EQ(code(std::errc::not_enough_memory), ExitCode::out_of_memory);
}

TEST(ReadFile, ReadsWholeFilesOfAnySizeAndThoseWithoutOne) {
  const TemporaryDirectory directory;
  std::string content;
  for (int i = 0; i < 100000; ++i) content += static_cast<char>(i * 31);
  for (const size_t size : {size_t{0}, size_t{1}, size_t{4095}, size_t{4096}, size_t{4097}, content.size()})
    EXPECT_EQ(read_file(directory.file("data", content.substr(0, size))), content.substr(0, size)) << size;
  EXPECT_FALSE(read_file("/proc/self/status").empty()) << "says that it has 0 bytes";
}

}  // namespace
}  // namespace sft
