// Pictures with boxes in a directory of their own, prepared for detection.
#pragma once

#include <string>
#include <vector>

#include "base/file_ops.h"
#include "data/images/mask.h"
#include "data/readers/image_source.h"
#include "data/rows_fixture.h"
#include "data/samples/dataset.h"
#include "support/ranks.h"
#include "trainer/tasks/object_detection/recipe.h"
#include "trainer/tasks/object_detection/rows/box_columns.h"

namespace sft {

class BoxesTest : public RowsTest {
 protected:
  void SetUp() override {
    RowsTest::SetUp();
    request_.task = "object_detection";
    config_.image_size = 32;
  }

  // A PNG of one colour.
  std::string picture(const std::string& name, int64_t height, int64_t width, uint8_t grey = 200) {
    std::filesystem::create_directories((directory_ / name).parent_path());
    return write(name,
                 encode_image({height, width, std::vector<uint8_t>(static_cast<size_t>(height * width * 3), grey)}));
  }

  std::string file(const std::string& name, const std::string& content) {
    std::filesystem::create_directories((directory_ / name).parent_path());
    return write(name, content);
  }

  PrepareReport prepare(const std::string& path, int ranks = 1) {
    request_.files = {(directory_ / path).string()};
    std::vector<PrepareReport> reports(static_cast<size_t>(ranks));
    const auto on = [&](const Peers& peers) {
      const auto recipe = object_detection_recipe(request_, config_, nullptr);
      reports[static_cast<size_t>(peers.self.index)] = prepare_shards(request_, config_, *recipe, peers);
    };
    ranks == 1 ? on(alone()) : on_ranks(ranks, on);
    return reports[0];
  }

  std::string error(const std::string& path) {
    return error_in([&] { prepare(path); });
  }

  Batch samples(const PrepareReport& report) {
    const auto dataset = open_dataset(report.shards);
    Batch all(dataset->schema());
    for (int64_t i = 0; i < dataset->size(); ++i) dataset->append(i, all);
    return all;
  }
};

template <class T>
std::vector<T> numbers(const Batch& batch, const char* column) {
  const std::span<const T> found = batch.at(column).as<T>();
  return {found.begin(), found.end()};
}

}  // namespace sft
