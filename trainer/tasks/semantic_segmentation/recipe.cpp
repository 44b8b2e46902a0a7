#include "trainer/tasks/semantic_segmentation/recipe.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/random.h"
#include "base/text.h"
#include "data/prepare/report.h"
#include "data/readers/class_lists.h"
#include "trainer/tasks/recipes/picture_notes.h"
#include "trainer/tasks/recipes/picture_size.h"
#include "trainer/tasks/recipes/unseen_classes.h"
#include "trainer/tasks/semantic_segmentation/rows/mask_rows.h"

namespace sft {
namespace {

using nlohmann::json;

// The datasets that [data] chooses for HDF5.
ImageColumns image_columns(const DataConfig& config) {
  const bool usual = config.label_column == DataConfig{}.label_column || config.label_column == "mask";
  return {config.image_column, usual ? "" : config.label_column};
}

StringList known_names(const PrepareRequest& request, const DataConfig& config) {
  if (request.labels_must_be_known || !request.labels_required) return request.label_names;
  return config.class_names.empty() ? listed_classes(request.files.front()) : config.class_names;
}

class SemanticSegmentation final : public Recipe {
 public:
  SemanticSegmentation(const PrepareRequest& request, const DataConfig& config)
      : request_(request),
        config_(config),
        columns_(image_columns(config)),
        size_(request, config),
        names_(known_names(request, config)),
        are_open_(request.labels_required && names_.empty()) {
    if (!are_open_ && request.labels_required) require_several();
  }

  std::unique_ptr<Input> open(const StringList& paths) const override {
    return open_masked_pictures(paths, request_.labels_required, request_.split, columns_);
  }

  std::vector<WantedColumn> wanted_columns() const override {
    return {{"image_column", columns_.pixels}, {"label_column", columns_.labels}};
  }

  json key() const override {
    json key{{"columns", {columns_.pixels, columns_.labels}},
             {"notes", request_.keep_notes},
             {"masks", request_.labels_required},
             {"reduces", config_.reduce_labels},
             {"labels", {names_, request_.label_names}}};
    size_.add_to(key);
    return key;
  }

  bool wants_glance() const override { return size_.wants_glance(); }
  bool glance(const Row& row, Census& into) const override { return size_.glance(row, into); }
  void expect(const Census& told) override { size_.expect(told); }

  bool wants_survey() const override { return are_open_; }
  void survey(const Row& row, Census& into) const override {
    const auto pixels = pixels_by_class(mask_of(row, row.picture->decoded(), config_.reduce_labels, 0).mask);
    for (size_t value = 0; value < kNoClass; ++value)
      if (pixels[value] > 0) into.labels.add({std::to_string(value), true});
  }

  // As many classes as the highest value says.
  void settle(const Census& all) override {
    size_t count = 0;
    for (const auto& [value, is_index] : all.labels.labels()) count = std::max(count, std::stoul(value) + 1);
    names_ = request_.label_names;
    if (names_.size() != count) {
      names_.clear();
      for (size_t id = 0; id < count; ++id) names_.push_back(concat("LABEL_", id));
    }
    require_several();
  }

  // By content: equal pictures stay on one side.
  Group group_of(const Row& row, uint64_t seed) const override { return {derive_key(seed, row.picture->bytes())}; }

  ShardInfo shard() const override {
    ShardInfo info;
    info.schema.columns = {
        {.name = "pixels", .number = Number::uint8, .shape = {size_.height(), size_.width(), kChannels}}};
    if (request_.labels_required) {
      info.schema.columns.push_back(mask_column());
      info.schema.columns.back().shape = {size_.height(), size_.width()};
    }
    if (request_.keep_notes) info.schema.columns.push_back(place_column());
    if (keeps_sizes()) info.schema.columns.push_back(original_size_column());
    info.kind = "image";
    info.task = "semantic_segmentation";
    info.label_names = names_;
    return info;
  }

  void describe(PrepareReport& report) const override {
    report.rows_are = concat("images of ", size_.height(), " × ", size_.width());
    report.label_names = names_;
    report.labels_are_of = "pixels";
    if (request_.labels_required) report.label_counts.resize(names_.size());
  }

  void judge(PrepareReport& report) const override {
    if (request_.labels_required && !request_.labels_must_be_known)
      warn_of_unseen_classes(report,
                             "; a mask's 255 is no class: does it stand for one here, as in masks of 0 and 255? Then "
                             "write the number of the class in its place");
  }

  void make(std::span<const Row> rows, SampleSink& out) const override {
    const Schema schema = shard().schema;
    Sample sample(schema);
    const auto cell = [&](const std::string& column) { return &sample.cells[schema.place(column)]; };
    for (const Row& row : rows) {
      Decoded decoded;
      PlacedMask placed;
      Mask mask;
      try {
        decoded = row.picture->decoded();
        if (request_.labels_required) {
          placed = mask_of(row, decoded, config_.reduce_labels, std::ssize(names_));
          mask = size_.fitted(placed.mask);
        }
        if (keeps_sizes())
          cell(kOriginalSizeColumn)
              ->set(std::vector<int32_t>{static_cast<int32_t>(decoded.image.height),
                                         static_cast<int32_t>(decoded.image.width)});
        decoded.image = size_.fitted(std::move(decoded.image), row);
      } catch (const BadRow& error) {
        out.refuse(error);
        continue;
      }
      out.begin(row);
      cell("pixels")->set(decoded.image.pixels);
      if (request_.labels_required) cell("mask")->set(mask.classes);
      if (const std::string place = row.place(); request_.keep_notes)
        cell(kPlaceColumn)->set(std::vector<uint8_t>(place.begin(), place.end()));
      out.append(sample);
      if (request_.labels_required) count_pixels(mask, out.report());
      if (!placed.note.empty()) count_note(out.report(), placed.note, placed.mask.place);
      if (!decoded.was.empty()) count_note(out.report(), concat(decoded.was, " images made RGB"));
    }
  }

 private:
  // Where a square of the middle is all that is looked at, a prediction is of that square.
  bool keeps_sizes() const { return request_.keep_notes && config_.crop == "none"; }

  void require_several() const {
    if (names_.size() > kNoClass)
      throw DataError(concat(request_.files.front(), ": there are names of ", names_.size(),
                             " classes, and a mask tells ", int{kNoClass}, " at most: 0 to ", kNoClass - 1));
    std::set<std::string> seen;
    for (const std::string& name : names_)
      if (!seen.insert(name).second)
        throw DataError(concat(request_.files.front(), ": two classes are called ", in_quotes(name)));
    if (names_.size() >= 2) return;
    throw DataError(concat(request_.files.front(), ": ", names_.empty() ? "no pixel has a class" : "there is one class",
                           ", and two at least are wanted: the values 0, 1, … of masks, 255 for no class"));
  }

  void count_pixels(const Mask& mask, PrepareReport& report) const {
    const auto pixels = pixels_by_class(mask);
    report.label_counts.resize(names_.size());
    for (size_t id = 0; id < names_.size(); ++id) report.label_counts[id] += pixels[id];
  }

  const PrepareRequest request_;
  const DataConfig& config_;
  ImageColumns columns_;
  PictureSize size_;
  StringList names_;  // of the classes
  bool are_open_;     // the masks tell how many classes there are
};

}  // namespace

std::unique_ptr<Recipe> semantic_segmentation_recipe(const PrepareRequest& request, const DataConfig& config,
                                                     const Tokenizer*) {
  return std::make_unique<SemanticSegmentation>(request, config);
}

}  // namespace sft
