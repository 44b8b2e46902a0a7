// Files that change under a mapping.
#include "base/mapped_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <thread>
#include <vector>

#include "base/errors.h"
#include "base/temporary_directory.h"

namespace sft {
namespace {

class MappedFileTest : public testing::Test {
 protected:
  std::unique_ptr<MappedFile> map(const std::string& name, int64_t offset, int64_t bytes) {
    const int descriptor = ::open(directory_.path(name).c_str(), O_RDONLY);
    auto mapped = std::make_unique<MappedFile>(descriptor, offset, bytes, name);
    ::close(descriptor);
    return mapped;
  }
  void write(const std::string& name, int64_t bytes) {
    std::ofstream(directory_.path(name)) << std::string(static_cast<size_t>(bytes), 'x');
  }
  void cut(const std::string& name) { std::filesystem::resize_file(directory_.path(name), 0); }
  std::string complaint() {
    try {
      require_mapped_files_whole();
    } catch (const DataError& error) {
      return error.what();
    }
    return "";
  }

  TemporaryDirectory directory_;
};

TEST_F(MappedFileTest, ShowBytesFromAnyOffset) {
  std::ofstream(directory_.path("a")) << std::string(9000, 'x') << "here";
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(map("a", 9000, 4)->data()), 4), "here");
  EXPECT_EQ(complaint(), "");
}

TEST_F(MappedFileTest, NameTheFileThatWasCutShortUnderAReader) {
  write("whole", 20000);
  write("cut", 20000);
  const auto whole = map("whole", 0, 20000);
  auto mapped = map("cut", 0, 20000);
  cut("cut");
  EXPECT_EQ(complaint(), "") << "nobody has touched it";
  std::vector<std::thread> readers;
  for (int k = 0; k < 4; ++k)
    readers.emplace_back([&] {
      for (int64_t at = 0; at < 20000; ++at) EXPECT_EQ(mapped->data()[at], std::byte{0});
    });
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(complaint(), "cut: the file was cut short, or its disk failed, while it was in use");
  EXPECT_EQ(whole->data()[12345], std::byte{'x'});
  mapped.reset();
  EXPECT_EQ(complaint(), "") << "nobody depends on it any more";
}

TEST_F(MappedFileTest, LeaveOtherBusErrorsToWhoHandledThemBefore) {
  write("whole", 100);
  const auto mapped = map("whole", 0, 100);
  EXPECT_EXIT(::raise(SIGBUS), testing::KilledBySignal(SIGBUS), "");
}

TEST_F(MappedFileTest, KnowWhetherSomebodyHasWrittenToThem) {
  write("written", 100);
  write("replaced", 100);
  write("other", 100);
  const MappedFile written(directory_.path("written")), replaced(directory_.path("replaced"));
  EXPECT_TRUE(written.is_unchanged());
  std::fstream file(directory_.path("written"), std::ios::in | std::ios::out);
  file.put('y').flush();
  std::filesystem::last_write_time(directory_.path("written"), std::filesystem::file_time_type::clock::now());
  EXPECT_FALSE(written.is_unchanged());
  std::filesystem::rename(directory_.path("other"), directory_.path("replaced"));
  EXPECT_TRUE(replaced.is_unchanged()) << "what is mapped is there as it was";
}

}  // namespace
}  // namespace sft
