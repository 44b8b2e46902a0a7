#include "trainer/tasks/image_classification/recipe.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/random.h"
#include "base/text.h"
#include "data/images/resize.h"
#include "data/prepare/report.h"
#include "trainer/tasks/recipes/cells.h"
#include "trainer/tasks/recipes/class_names.h"
#include "trainer/tasks/recipes/label_doubts.h"

namespace sft {
namespace {

using nlohmann::json;

constexpr char kHeight[] = "height", kWidth[] = "width";  // facts of a glance
constexpr size_t kPixels = 0, kLabels = 1, kPlace = 2;

// The datasets that [data] chooses for HDF5.
ImageColumns image_columns(const DataConfig& config) {
  const bool usual = config.label_column == DataConfig{}.label_column;
  return {config.image_column, usual ? "" : config.label_column};
}

// Pixels of a side that images are brought to; 0: as they are.
int64_t side_of(const PrepareRequest& request, const DataConfig& config) {
  if (!request.is_drawn_from || config.crop != "random_resized") return config.image_size;
  return config.stored_size > 0 ? config.stored_size : (config.image_size * 8 + 3) / 7;
}

class ImageClassification final : public Recipe {
 public:
  ImageClassification(const PrepareRequest& request, const DataConfig& config)
      : request_(request),
        config_(config),
        columns_(image_columns(config)),
        keeps_places_(request.keep_notes && !request.labels_required),
        side_(side_of(request, config)),
        height_(side_),
        width_(side_),
        classes_(request) {}

  std::unique_ptr<Input> open(const StringList& paths) const override {
    if (std::ranges::any_of(paths, is_row_file)) return open_pictures_of_rows(paths, request_.labels_required, config_);
    return open_pictures(paths, request_.labels_required, columns_);
  }

  std::vector<WantedColumn> wanted_columns() const override {
    return {{"image_column", columns_.pixels}, {"label_column", columns_.labels}};
  }

  json key() const override {
    json key{{"image_size", side_},
             {"covers", covers()},
             {"columns", {columns_.pixels, columns_.labels}},
             {"notes", keeps_places_},
             {"labels", classes_.key()}};
    if (interpolation_of(config_) != Interpolation::bilinear) key["interpolation"] = config_.interpolation;
    return key;
  }

  bool wants_glance() const override { return side_ == 0; }

  bool glance(const Row& row, Census& into) const override {
    if (into.knows(kHeight)) return true;
    const Image image = row.picture->decoded().image;
    into.tell(kHeight, std::to_string(image.height));
    into.tell(kWidth, std::to_string(image.width));
    return true;
  }

  void expect(const Census& told) override {
    if (!told.knows(kHeight)) return;  // no good image
    height_ = std::stoll(told.told(kHeight));
    width_ = std::stoll(told.told(kWidth));
  }

  bool wants_survey() const override { return classes_.are_open(); }
  void survey(const Row& row, Census& into) const override { into.labels.add(label_of(row)); }

  void settle(const Census& all) override {
    const auto& found = all.labels.labels();
    const bool are_ids = std::ranges::all_of(found, [](const auto& label) { return label.second; });
    if (are_ids && found.size() != classes_.names().size()) classes_.forget();
    classes_.settle(all.labels, 2, "images", "");
  }

  // By content: equal pictures stay on one side.
  Group group_of(const Row& row, uint64_t seed) const override {
    return {derive_key(seed, row.picture->bytes()), request_.labels_required ? label_of(row).text : ""};
  }

  ShardInfo shard() const override {
    ShardInfo info;
    info.schema.columns = {
        {.name = "pixels", .number = Number::uint8, .shape = {height_, width_, kChannels}},
        {.name = "labels", .number = Number::int64, .bound = std::ssize(classes_.names()), .role = Role::target}};
    if (keeps_places_)
      info.schema.columns.push_back(
          {.name = kPlaceColumn, .number = Number::uint8, .axis = "byte", .role = Role::note});
    info.kind = "image";
    info.task = "image_classification";
    info.label_names = classes_.names();
    return info;
  }

  void describe(PrepareReport& report) const override {
    report.rows_are = concat("images of ", height_, " × ", width_);
    report.label_names = classes_.names();
    if (classes_.are_open()) report.warnings = doubts_of_labels(classes_.names());
    if (request_.labels_required) report.label_counts.resize(report.label_names.size());
  }

  void make(std::span<const Row> rows, SampleSink& out) const override {
    Sample sample(shard().schema);
    for (const Row& row : rows) {
      Decoded decoded;
      try {
        decoded = row.picture->decoded();
        decoded.image = fitted(std::move(decoded.image), row);
      } catch (const BadRow& error) {
        out.refuse(error);
        continue;
      }
      const int64_t label = request_.labels_required ? classes_.id_of(row, label_of(row)) : 0;
      out.begin(row);
      sample.cells[kPixels].set(decoded.image.pixels);
      sample.cells[kLabels].set(label);
      if (const std::string place = row.place(); keeps_places_)
        sample.cells[kPlace].set(std::vector<uint8_t>(place.begin(), place.end()));
      out.append(sample);
      if (request_.labels_required) count_label(out.report(), label);
      if (!decoded.was.empty()) count_note(out.report(), concat(decoded.was, " images made RGB"));
    }
  }

 private:
  bool covers() const { return config_.crop != "none"; }

  Label label_of(const Row& row) const {
    Label label;
    read_cell(row, {"label_column", "label"}, [&](const Cell& cell) { read_label(cell, label); });
    return label;
  }

  Image fitted(Image image, const Row& row) const {
    if (side_ == 0 && (image.height != height_ || image.width != width_))
      throw BadRow(concat(row.place(), ": is ", image.height, " × ", image.width, ", and the first image is ", height_,
                          " × ", width_, "; set data.image_size to bring all to one size"));
    if (side_ == 0) return image;
    const Interpolation how = interpolation_of(config_);
    return covers() ? covering(image, side_, how) : resized(image, side_, side_, how);
  }

  const PrepareRequest request_;
  const DataConfig& config_;
  ImageColumns columns_;
  bool keeps_places_;
  int64_t side_;
  int64_t height_, width_;  // of every picture
  ClassNames classes_;
};

}  // namespace

std::unique_ptr<Recipe> image_classification_recipe(const PrepareRequest& request, const DataConfig& config,
                                                    const Tokenizer*) {
  return std::make_unique<ImageClassification>(request, config);
}

}  // namespace sft
