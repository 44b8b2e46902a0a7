// What the safetensors reader takes, and all that it must refuse.
#include "trainer/checkpoint/safetensors.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/errors.h"
#include "base/temporary_directory.h"
#include "trainer/checkpoint/sample_training.h"

namespace sft {
namespace {

std::string file_of(const std::string& header, size_t data_bytes) {
  const uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + header + std::string(data_bytes, 'x');
}

std::string message_of_file(const std::string& path) {
  try {
    SafetensorsFile file(path);
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

TEST(Safetensors, GivesBackEveryTensorItWrote) {
  const TemporaryDirectory directory;
  const SampleTraining training(3);
  const auto& tensors = training.content().model;
  const uint32_t crc = write_safetensors(real_files(), directory.path("a.safetensors"), tensors, {{"format", "pt"}});
  EXPECT_NE(crc, 0u);

  const SafetensorsFile file(directory.path("a.safetensors"));
  EXPECT_EQ(file.metadata(), (std::map<std::string, std::string>{{"format", "pt"}}));
  ASSERT_EQ(file.tensors().size(), tensors.size());
  for (const TensorRef& expected : tensors) {
    const TensorRef* found = file.find(expected.name);
    ASSERT_NE(found, nullptr) << expected.name;
    EXPECT_EQ(found->dtype, expected.dtype);
    EXPECT_EQ(found->shape, expected.shape);
    ASSERT_EQ(found->bytes, expected.bytes);
    if (expected.bytes == 0) continue;
    EXPECT_EQ(std::memcmp(found->data, expected.data, static_cast<size_t>(expected.bytes)), 0) << expected.name;
    EXPECT_EQ(reinterpret_cast<uintptr_t>(found->data) % static_cast<uintptr_t>(bytes_of_dtype(found->dtype)), 0u)
        << expected.name;
  }
  EXPECT_EQ(file.find("layer"), nullptr);
}

TEST(Safetensors, NeverWritesOverAFile) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("a.safetensors", "precious");
  EXPECT_THROW(write_safetensors(real_files(), path, SampleTraining(1).content().model, {}), StorageError);
  EXPECT_EQ(read_file(path), "precious");
}

TEST(Safetensors, RefusesToWriteWhatItCouldNotRead) {
  float value = 0;
  const TensorRef good{"a", "F32", {1}, &value, 4};
  TensorRef short_of_bytes = good;
  short_of_bytes.shape = {2};
  EXPECT_THROW(safetensors_header({good, good}, {}), Error);
  EXPECT_THROW(safetensors_header({short_of_bytes}, {}), Error);
}

TEST(Safetensors, TakesAnyOrderOfEntriesAndPaddedHeaders) {
  const TemporaryDirectory directory;
  const std::string header =
      R"({"b":{"dtype":"U8","shape":[2],"data_offsets":[4,6]},"__metadata__":{"k":"v"},)"
      R"("a":{"data_offsets":[0,4],"shape":[],"dtype":"F32"},"c":{"dtype":"F16","shape":[0],"data_offsets":[6,6]}}   )";
  const SafetensorsFile file(directory.file("a.safetensors", file_of(header, 6)));
  ASSERT_EQ(file.tensors().size(), 3u);
  EXPECT_EQ(file.tensors()[0].name, "a");
  EXPECT_EQ(file.find("b")->bytes, 2);
  EXPECT_EQ(file.metadata().at("k"), "v");
}

struct Hostile {
  const char* what;
  const char* header;
  size_t data_bytes;
  const char* told;  // part of the message
};

class HostileHeader : public testing::TestWithParam<Hostile> {};

TEST_P(HostileHeader, IsRefusedByNameOfFile) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("hostile.safetensors", file_of(GetParam().header, GetParam().data_bytes));
  const std::string message = message_of_file(path);
  EXPECT_NE(message.find(path), std::string::npos) << message;
  EXPECT_NE(message.find(GetParam().told), std::string::npos) << message;
}

#define A_F32 R"("a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]})"
INSTANTIATE_TEST_SUITE_P(
    Safetensors, HostileHeader,
    testing::Values(
        Hostile{"empty", "", 0, "'{'"}, Hostile{"leading_space", " {}", 0, "'{'"},
        Hostile{"cut", R"({"a":)", 4, "not valid JSON"}, Hostile{"garbage_behind", "{} {}", 0, "not valid JSON"},
        Hostile{"same_name", "{" A_F32 "," A_F32 "}", 4, "stands twice"},
        Hostile{"same_name_escaped", "{" A_F32 R"(,"\u0061":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 8,
                "stands twice"},
        Hostile{"same_field", R"({"a":{"dtype":"F32","dtype":"F16","shape":[1],"data_offsets":[0,4]}})", 4,
                "stands twice"},
        Hostile{"same_metadata", R"({"__metadata__":{"k":"1","k":"2"}})", 0, "stands twice"},
        Hostile{"two_metadata", R"({"__metadata__":{},"__metadata__":{}})", 0, "stands twice"},
        Hostile{"metadata_number", R"({"__metadata__":{"k":1}})", 0, "number"},
        Hostile{"unknown_field", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"code":"x"}})", 4,
                "not part of the format"},
        Hostile{"missing_field", R"({"a":{"dtype":"F32","shape":[1]}})", 4, "missing"},
        Hostile{"unknown_dtype", R"({"a":{"dtype":"F33","shape":[1],"data_offsets":[0,4]}})", 4, "dtype"},
        Hostile{"negative", R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4, "negative"},
        Hostile{"fraction", R"({"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}})", 4, "plain integer"},
        Hostile{"exponent", R"({"a":{"dtype":"F32","shape":[1e0],"data_offsets":[0,4]}})", 4, "plain integer"},
        Hostile{"text_number", R"({"a":{"dtype":"F32","shape":["1"],"data_offsets":[0,4]}})", 4, "string"},
        Hostile{"beyond_int64", R"({"a":{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,4]}})", 4,
                "2^63"},
        Hostile{"product_overflows", R"({"a":{"dtype":"F32","shape":[4611686018427387904,4,4],"data_offsets":[0,0]}})",
                0, "do not fit"},
        Hostile{"shape_too_large", R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4, "do not fit"},
        Hostile{"too_many_dimensions",
                R"({"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}})", 4, "16"},
        Hostile{"one_offset", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4]}})", 4, "two numbers"},
        Hostile{"offsets_reversed", R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[4,0]}})", 4, "begin at 0"},
        Hostile{"overlap", "{" A_F32 R"(,"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}})", 6, "begin at 4"},
        Hostile{"hole", "{" A_F32 R"(,"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}})", 12, "begin at 4"},
        Hostile{"beyond_the_end", R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 4, "cut short"},
        Hostile{"bytes_left_over", "{" A_F32 "}", 5, "belong to none"},
        Hostile{"nested", R"({"a":{"dtype":{"dtype":"F32"},"shape":[1],"data_offsets":[0,4]}})", 4, "object"},
        Hostile{"list_of_lists", R"({"a":{"dtype":"F32","shape":[[1]],"data_offsets":[0,4]}})", 4, "list"},
        Hostile{"root_list", R"({"a":[1]})", 4, "list"}, Hostile{"null", R"({"a":null})", 4, "null"},
        Hostile{"boolean", R"({"a":true})", 4, "boolean"}),
    [](const auto& hostile) { return hostile.param.what; });
#undef A_F32

TEST(Safetensors, RefusesAFileCutAtAnyByte) {
  const TemporaryDirectory directory;
  write_safetensors(real_files(), directory.path("whole"), SampleTraining(5).content().model, {});
  const std::string whole = read_file(directory.path("whole"));
  for (size_t length = 0; length < whole.size(); ++length)
    ASSERT_NE(message_of_file(directory.file("cut", whole.substr(0, length))), "") << length;
}

// Whatever a byte of the header becomes, the answer is a file or a DataError, within the file's bounds.
TEST(Safetensors, SurvivesAnyByteOfTheHeader) {
  const TemporaryDirectory directory;
  float values[3] = {1, 2, 3};
  write_safetensors(real_files(), directory.path("whole"), {{"a", "F32", {1, 3}, values, 12}}, {{"format", "pt"}});
  const std::string whole = read_file(directory.path("whole"));
  for (size_t place = 0; place < whole.size() - 12; ++place)
    for (const char byte : {'\0', '"', '}', ']', '9', '-', '\\', '\xff'}) {
      std::string altered = whole;
      altered[place] = byte;
      const std::string path = directory.file("altered", altered);
      try {
        const SafetensorsFile file(path);
        for (const TensorRef& tensor : file.tensors()) ASSERT_LE(tensor.bytes, 12);
      } catch (const DataError&) {
      }
    }
}

TEST(Safetensors, TellsAMissingFileFromABadOne) {
  const TemporaryDirectory directory;
  EXPECT_THROW(SafetensorsFile(directory.path("none.safetensors")), ConfigError);
  EXPECT_THROW(SafetensorsFile(directory.path()), ConfigError);
  EXPECT_NE(message_of_file(directory.file("claims", std::string(7, '\xff') + '\x7f' + "{}")), "");
}

}  // namespace
}  // namespace sft
