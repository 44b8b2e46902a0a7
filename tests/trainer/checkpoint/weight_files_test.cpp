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

TEST_F(WeightFilesTest, SaysHowToConvertAPickle) {
  directory_.file("pytorch_model.bin", "pickle");
  const std::string message = refusal<ConfigError>();
  EXPECT_NE(message.find("save_pretrained"), std::string::npos) << message;
  EXPECT_NE(message.find(directory_.path()), std::string::npos) << message;
}

TEST_F(WeightFilesTest, SaysWhatIsMissing) {
  EXPECT_NE(refusal<ConfigError>().find("no weights"), std::string::npos);
  directory_.file("tf_model.h5", "hdf5");
  EXPECT_NE(refusal<ConfigError>().find("Keras .h5, whose import is not built"), std::string::npos);
  EXPECT_THROW(WeightFiles(directory_.path("nowhere")), ConfigError);
}

}  // namespace
}  // namespace sft
