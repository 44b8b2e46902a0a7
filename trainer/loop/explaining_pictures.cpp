#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.h"
#include "data/images/heat_map.h"
#include "data/images/mask.h"
#include "trainer/learner/pictures_in_cells.h"
#include "trainer/loop/explaining.h"
#include "trainer/loop/told_row.h"
#include "trainer/tasks/recipes/picture_notes.h"

namespace sft {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

ordered_json in_rows(const std::vector<double>& scores, const Cells& cells) {
  ordered_json rows = ordered_json::array();
  for (auto from = scores.begin(); from != scores.end(); from += cells.columns())
    rows.push_back(std::vector<double>(from, from + cells.columns()));
  return rows;
}

ordered_json strongest_cell(const std::vector<double>& scores, const Cells& cells) {
  const auto cell = std::ranges::max_element(scores) - scores.begin();
  const int64_t top = cell / cells.columns() * cells.side, left = cell % cells.columns() * cells.side;
  return {{"left", left},
          {"top", top},
          {"width", std::min(cells.side, cells.width - left)},
          {"height", std::min(cells.side, cells.height - top)},
          {"score", scores[static_cast<size_t>(cell)]}};
}

// Sample b as the model sees it.
Image seen_in(const Batch& batch, size_t b, const Cells& cells) {
  const std::span<const uint8_t> pixels = batch.at("pixels").as<uint8_t>();
  const auto size = static_cast<size_t>(cells.height * cells.width * kChannels);
  const auto first = pixels.begin() + static_cast<std::ptrdiff_t>(b * size);
  return {cells.height, cells.width, {first, first + static_cast<std::ptrdiff_t>(size)}};
}

class ExplainingPictures final : public Explaining {
 public:
  ExplainingPictures(Learner& learner, std::string way, std::string directory, FileOps& files)
      : learner_(learner), way_(std::move(way)), directory_(std::move(directory)), files_(files) {
    explained_task(learner);
    if (!directory_.empty()) files_.make_directory(directory_);
  }

  void explain(const Batch& batch, std::vector<std::string>& predictions) override {
    PicturesInCells pictures(learner_, batch);
    const std::vector<Attribution> told = attribute(way_, pictures);
    const Cells& cells = pictures.cells();
    for (size_t b = 0; b < predictions.size(); ++b) {
      const std::vector<double>& scores = told[b].scores;
      ordered_json explanation{{"cell_pixels", cells.side},
                               {"strongest", strongest_cell(scores, cells)},
                               {"scores", in_rows(scores, cells)}};
      if (!directory_.empty()) {
        const std::string path = path_of(batch, b);
        write_atomically(files_, path, encode_image(heat_map(seen_in(batch, b, cells), scores, cells.side)));
        explanation["heat_map"] = path;
      }
      add_explanation(predictions[b], way_, explanation, told[b]);
    }
  }

 private:
  // "maps/cat-12.png" of row 11, counted from 0: no two rows have one name.
  std::string path_of(const Batch& batch, size_t b) const {
    const std::string place = place_in(batch, b);
    const std::string name = is_image_file(place) ? fs::path(place).stem().string() : "image";
    return concat(directory_, "/", name, "-", batch.rows[b] + 1, ".png");
  }

  Learner& learner_;
  std::string way_, directory_;
  FileOps& files_;
};

}  // namespace

std::unique_ptr<Explaining> explain_pictures(Learner& learner, const std::string& way, const std::string& directory,
                                             FileOps& files) {
  return std::make_unique<ExplainingPictures>(learner, way, directory, files);
}

}  // namespace sft
