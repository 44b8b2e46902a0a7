// What --keep refuses, rather than to lose it.
#include "launch/shaped_predictions.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/errors.h"
#include "base/file_ops.h"
#include "base/text.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

class KeptColumns : public ::testing::Test {
 protected:
  KeptColumns() { fs::create_directories(directory_); }
  ~KeptColumns() override { fs::remove_all(directory_); }

  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(directory_ / name) << text;
    return directory_ / name;
  }

  // What is said of it behind the directory.
  template <class Body>
  std::string told(const Body& body) const {
    try {
      body();
    } catch (const DataError& error) {
      return std::string(error.what()).substr(directory_.string().size() + 1);
    }
    return "";
  }

  fs::path directory_ = fs::temp_directory_path() / concat("sft-kept-", ::getpid());
  const std::string deep_ = concat("{\"a\": ", std::string(40, '['), std::string(40, ']'), ", \"n\": 3}\n");
  const std::string flat_ = "{\"a\": [1], \"n\": 2}\n";
};

constexpr const char* kProblem =
    ": --keep 'a', and the value is nested deeper than 32 levels, or of a kind that is not read (a map, a union)";

TEST_F(KeptColumns, AreLookedAtBeforeAnythingIsComputed) {
  const auto require = [&](const std::string& text, const StringList& keep) {
    return told([&] { require_kept({.keep = keep}, {write("in.jsonl", text)}, Quotes::enclose); });
  };
  EXPECT_EQ(require(deep_, {"a"}), concat("in.jsonl:1", kProblem));
  EXPECT_EQ(require(flat_ + deep_, {"a", "n"}), "");
  EXPECT_EQ(require("", {"a"}), "");
}

TEST_F(KeptColumns, AreNeverLost) {
  const StringList files{write("in.jsonl", flat_ + deep_)};
  const std::string predictions = write("plain.jsonl", "{\"score\": 1}\n{\"score\": 2}\n"),
                    out = directory_ / "out.jsonl";
  const auto keep = [&](const std::string& name) {
    return told(
        [&] { write_shaped(predictions, out, out + ".new", files, Quotes::enclose, {.keep = {name}}, real_files()); });
  };
  EXPECT_EQ(keep("a"), concat("in.jsonl:2", kProblem));
  EXPECT_FALSE(fs::exists(out));
  EXPECT_EQ(keep("score"), "");
  EXPECT_TRUE(fs::exists(out));
}

TEST_F(KeptColumns, HaveOneNameInAllRowsThoseWithoutAPredictionToo) {
  const StringList files{write("in.jsonl", "{\"label\": \"mine\", \"n\": 1}\n{\"label\": \"mine\", \"n\": 2}\n")};
  const std::string predictions = write("plain.jsonl", "null\n{\"label\": \"found\"}\n");
  const std::string out = directory_ / "out.jsonl";
  write_shaped(predictions, out, out + ".new", files, Quotes::enclose, {.keep = {"label", "n"}}, real_files());
  EXPECT_EQ(read_file(out),
            "{\"input_label\":\"mine\",\"n\":1}\n{\"input_label\":\"mine\",\"n\":2,\"label\":\"found\"}\n");
}

}  // namespace
}  // namespace sft
