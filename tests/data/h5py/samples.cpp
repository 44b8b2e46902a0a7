// For h5py's side of the test: prints every sample of a dataset as a line of JSON, or writes a shard of
// known samples.
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>

#include "data/samples/dataset.h"
#include "data/samples/shard_writer.h"
#include "tests/support/texts.h"

namespace {

void print(const std::vector<std::string>& paths) {
  const auto dataset = sft::open_dataset(paths);
  for (int64_t i = 0; i < dataset->size(); ++i) {
    const sft::Text example = sft::text_of(*dataset, i);
    std::cout << nlohmann::json{{"tokens", example.tokens}, {"segments", example.segments}, {"label", example.label},
                                {"values", example.values}, {"weight", example.weight},     {"row", dataset->row(i)}}
              << "\n";
  }
}

// Sample i has tokens 100 i, 100 i + 1, …, 1 + i % 5 of them; segments alternate; its label is i % 2; it was made of
// row i / 2.
void write(const std::string& path, int64_t count) {
  sft::ShardInfo info;
  info.max_length = 5;
  info.schema = sft::text_schema(sft::label_column(2), 60'000, /*segments=*/true);
  info.label_names = {"no", "größe"};
  info.has_weights = true;
  sft::ShardWriter writer(path, info, sft::real_files());
  for (int64_t i = 0; i < count; ++i) {
    sft::Text example;
    for (int64_t t = 0; t <= i % 5; ++t) {
      example.tokens.push_back(static_cast<int32_t>(100 * i + t));
      example.segments.push_back(static_cast<uint8_t>(t % 2));
    }
    example.label = i % 2;
    example.weight = 0.25f * static_cast<float>(i);
    sft::Sample sample = sft::sample_of(info.schema, example);
    sample.row = i / 2;
    writer.append(sample);
  }
  writer.finish();
}

}  // namespace

int main(int count, char** arguments) {
  const std::vector<std::string> words(arguments + 1, arguments + count);
  if (words.size() == 3 && words[0] == "write") {
    write(words[1], std::atoll(words[2].c_str()));
  } else {
    print(words);
  }
}
