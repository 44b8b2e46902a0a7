// Weights of a Hugging Face directory, in one file or several, and what is said where there are none.
#include <gtest/gtest.h>

#include "base/errors.h"
#include "base/temporary_directory.h"
#include "trainer/checkpoint/safetensors.h"

namespace sft {
namespace {

class WeightFilesTest : public testing::Test {
 protected:
  void write(const std::string& file, const std::string& tensor) {
    write_safetensors(real_files(), directory_.path(file), {{tensor, "F32", {1}, &value_, 4}}, {});
  }
  void write_index(const std::string& weight_map) {
    directory_.file("model.safetensors.index.json", "{\"metadata\": {}, \"weight_map\": " + weight_map + "}");
  }
  template <class Expected>
  std::string refusal() {
    try {
      WeightFiles files(directory_.path());
    } catch (const Expected& error) {
      return error.what();
    }
    return "";
  }

  TemporaryDirectory directory_;
  float value_ = 7;
};

TEST_F(WeightFilesTest, ReadsOneFile) {
  write("model.safetensors", "a");
  const WeightFiles files(directory_.path());
  EXPECT_EQ(files.names(), std::vector<std::string>{"a"});
  EXPECT_EQ(*static_cast<float*>(files.find("a")->data), 7);
  EXPECT_EQ(files.find("b"), nullptr);
}

TEST_F(WeightFilesTest, ReadsTheFilesThatTheIndexNames) {
  write("one.safetensors", "a");
  write("two.safetensors", "b");
  write_index(R"({"b": "two.safetensors", "a": "one.safetensors"})");
  const WeightFiles files(directory_.path());
  EXPECT_EQ(files.names(), (std::vector<std::string>{"a", "b"}));
  EXPECT_NE(files.find("b"), nullptr);
}

TEST_F(WeightFilesTest, RefusesAnIndexThatLeadsOutOrAstray) {
  write("one.safetensors", "a");
  write_index(R"({"a": "../one.safetensors"})");
  EXPECT_NE(refusal<DataError>().find("plain file name"), std::string::npos);
  write_index(R"({"a": "one.safetensors", "b": "one.safetensors"})");
  EXPECT_NE(refusal<DataError>().find("'b'"), std::string::npos);
  write_index(R"({"a": "three.safetensors"})");
  EXPECT_NE(refusal<DataError>().find("three.safetensors"), std::string::npos);
  write_index(R"({"a": "one.safetensors", "a": "one.safetensors"})");
  EXPECT_NE(refusal<DataError>().find("stands twice"), std::string::npos);
  write_index("[]");
  EXPECT_NE(refusal<DataError>().find("weight_map"), std::string::npos);
}

TEST_F(WeightFilesTest, SaysWhatIsMissing) {
  EXPECT_NE(refusal<ConfigError>().find("hf download ORGANISATION/MODEL"), std::string::npos);
  directory_.file("tf_model.h5", "hdf5");  // of transformers, which Keras does not read
  EXPECT_NE(refusal<ConfigError>().find("hf download ORGANISATION/MODEL"), std::string::npos);
  directory_.file("model.h5", "hdf5");
  EXPECT_NE(refusal<ConfigError>().find("only a Keras file; name that file itself"), std::string::npos);
  EXPECT_THROW(WeightFiles(directory_.path("nowhere")), ConfigError);
}

TEST_F(WeightFilesTest, TakesTheFirstThatThereIs) {
  directory_.file("a.pth", "A");
  EXPECT_NE(refusal<DataError>().find("a.pth: not a file of torch.save"), std::string::npos);
  directory_.file("b.pth", "B");
  EXPECT_NE(refusal<ConfigError>().find("leave one there"), std::string::npos);
  directory_.file("pytorch_model.bin.index.json", R"({"weight_map": {"a": "pytorch_model-1.bin"}})");
  EXPECT_NE(refusal<DataError>().find("pytorch_model-1.bin"), std::string::npos);
  directory_.file("pytorch_model.bin", "C");
  EXPECT_NE(refusal<DataError>().find("pytorch_model.bin: not a file of torch.save"), std::string::npos);
  write("model.safetensors", "a");
  EXPECT_EQ(WeightFiles(directory_.path()).names(), std::vector<std::string>{"a"});
}

TEST_F(WeightFilesTest, CallsALargeFileThatWasNotFetchedThat) {
  directory_.file("model.safetensors", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 440473133\n");
  const std::string message = refusal<DataError>();
  EXPECT_NE(message.find("Git LFS pointer"), std::string::npos) << message;
  EXPECT_NE(message.find("git lfs pull"), std::string::npos) << message;
}

}  // namespace
}  // namespace sft
