// Raw files in a directory of their own, and what is said of them when they are prepared.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "base/errors.h"
#include "base/text.h"
#include "data/prepare/prepare.h"

namespace sft {

class RowsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    directory_ = std::filesystem::temp_directory_path() / concat("sft-rows-", info->name(), "-", ::getpid());
    std::filesystem::create_directories(directory_);
    request_.output_directory = directory_ / "prepared";
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string write(const std::string& name, std::string_view content) {
    const std::string path = directory_ / name;
    std::ofstream(path, std::ios::binary).write(content.data(), static_cast<std::streamsize>(content.size()));
    return path;
  }

  // The exit code and what is said, paths without the directory.
  template <class Body>
  std::string error_in(const Body& body) const {
    try {
      body();
    } catch (const Error& error) {
      std::string message = concat(static_cast<int>(error.code()), ": ", error.what());
      const std::string prefix = directory_.string() + "/";
      for (size_t at; (at = message.find(prefix)) != message.npos;) message.erase(at, prefix.size());
      return message;
    }
    return "nothing was thrown";
  }

  std::filesystem::path directory_;
  PrepareRequest request_;
  DataConfig config_;
};

}  // namespace sft
