// The [data] section.
#pragma once

#include <cstdint>
#include <string>

#include "base/extra_settings.h"
#include "base/schema.h"
#include "data/images/resize.h"
#include "data/prepare/chat_config.h"
#include "data/prepare/pair_config.h"
#include "data/readers/help_texts.h"

namespace sft {

struct DataConfig {
  StringList train_file;
  StringList validation_file;
  StringList test_file;
  double validation_split = 0.0;
  std::string fold;
  std::string group_column;
  StringList text_column = {"text"};
  std::string text_pair_column;
  std::string label_column = "label";
  std::string label_separator = "|";
  bool normalize_label_probabilities = false;
  std::string teacher_column;
  std::string quoting = "minimal";
  std::string weight_column;
  bool label_all_tokens = false;
  ChatConfig chat;
  PairConfig pairs;
  int64_t max_length = 128;
  ExtraSettings extra;  // that tasks declare
  std::string truncation = "right";
  std::string on_bad_row = "error";
  std::string train_sampling_strategy = "random";
  int64_t max_train_samples = 0;
  int64_t max_eval_samples = 0;
  std::string prepared_dir;
  int64_t image_size = 0;
  std::string interpolation = "auto";
  std::string crop = "none";
  NumberList crop_scale = {0.08, 1.0};
  NumberList crop_ratio = {3.0 / 4, 4.0 / 3};
  int64_t stored_size = 0;
  bool horizontal_flip = false;
  NumberList random_scale;
  bool reduce_labels = false;
  StringList class_names;
  NumberList mean;
  NumberList std;
  std::string image_column;

  static constexpr auto fields() {
    return std::tuple{
        field("train_file", &DataConfig::train_file, kTrainFileHelp, Path{}).changeable(),
        field("validation_file", &DataConfig::validation_file, "rows evaluated during training", Path{}).changeable(),
        field("test_file", &DataConfig::test_file, "rows evaluated once at the end, predictions written", Path{})
            .changeable(),
        field("fold", &DataConfig::fold,
              "\"2/5\": the second of five parts of the training rows is the validation data, and the others train; by "
              "content and seed, in place of validation_split"),
        field("validation_split", &DataConfig::validation_split,
              "share of train rows held out for validation, by content, stratified", in_range(0.0, 0.9)),
        field("group_column", &DataConfig::group_column,
              "rows with an equal value here stay on one side of validation_split"),
        field("text_column", &DataConfig::text_column,
              "column of the text, or a list of columns joined by a space; of tagged words: tokens; of questions: "
              "question"),
        field("text_pair_column", &DataConfig::text_pair_column,
              "column of the second text of a pair; of questions: of their contexts, \"\" is context"),
        field("label_column", &DataConfig::label_column,
              "column of the label, or of the labels or numbers of a row; of tagged words: ner_tags; of questions: "
              "answers"),
        field("label_separator", &DataConfig::label_separator,
              "stands between the labels or numbers of a row, where they are text and not a JSON list"),
        field("normalize_label_probabilities", &DataConfig::normalize_label_probabilities,
              "divide the probabilities of a row's label_column by their sum, where that is not 1"),
        field("teacher_column", &DataConfig::teacher_column,
              "column of a teacher's logits, one a label in the order of the labels (train.distill_weight)"),
        field(
            "quoting", &DataConfig::quoting,
            "of .csv and .tsv: minimal, a cell that begins with a quote ends with one; none, quotes are letters, as in "
            "GLUE's files",
            one_of("minimal", "none")),
        field("weight_column", &DataConfig::weight_column,
              "column of the row's weight in the loss, or of its share of draws under weighted sampling"),
        field("label_all_tokens", &DataConfig::label_all_tokens,
              "token classification trains on all tokens of a word, not on its first alone"),
        splice(&DataConfig::chat),
        splice(&DataConfig::pairs),
        field("max_length", &DataConfig::max_length, "tokens kept of a row, special tokens included",
              at_least(int64_t{2}))
            .alias("max_seq_length"),
        splice(&DataConfig::extra),
        field("truncation", &DataConfig::truncation,
              "where a longer row is cut; of language models and pairs also drop, which leaves it out, and of language "
              "models split, which makes pieces of a text",
              one_of("right", "left", "error", "drop", "split")),
        field("on_bad_row", &DataConfig::on_bad_row, "what a malformed row does", one_of("error", "skip")).changeable(),
        field("train_sampling_strategy", &DataConfig::train_sampling_strategy,
              "order of training rows; balanced: every class equally often, weighted: by weight_column",
              one_of("random", "sequential", "group_by_length", "balanced", "weighted")),
        field("max_train_samples", &DataConfig::max_train_samples, "use only the first rows; 0: all",
              at_least(int64_t{0})),
        field("max_eval_samples", &DataConfig::max_eval_samples, "use only the first rows; 0: all",
              at_least(int64_t{0}))
            .changeable(),
        field("prepared_dir", &DataConfig::prepared_dir,
              "where tokenized shards are kept; \"\": .prepared beside output_dir", Path{})
            .changeable(),
        field("image_size", &DataConfig::image_size, "pixels of a side that images are brought to; 0: kept",
              at_least(int64_t{0})),
        field("interpolation", &DataConfig::interpolation,
              "between pixels where images are resized; auto: as the model's preprocessor_config.json says, else "
              "bilinear",
              one_of("auto", "bilinear", "bicubic")),
        field("crop", &DataConfig::crop,
              "none: resized to a square; center: the shorter side resized, the middle kept; random: center, and each "
              "training draw shifted by up to an eighth of the side over black; random_resized: center, and each "
              "training draw sees a window of its own, resized",
              one_of("none", "center", "random", "random_resized")),
        field("crop_scale", &DataConfig::crop_scale,
              "of crop = \"random_resized\": the least and the largest share of an image's area in a window",
              above(0.0)),
        field("crop_ratio", &DataConfig::crop_ratio,
              "of crop = \"random_resized\": the least and the largest width / height of a window", above(0.0)),
        field("stored_size", &DataConfig::stored_size,
              "of crop = \"random_resized\" and of random_scale: pixels of a side at which prepare keeps training "
              "images; "
              "0: 8/7 of image_size, of random_scale image_size",
              at_least(int64_t{0})),
        field("horizontal_flip", &DataConfig::horizontal_flip, "every second training draw is mirrored"),
        field("random_scale", &DataConfig::random_scale,
              "of masks: each training draw is resized by a factor between these two, as [0.5, 2.0], and a window of "
              "the "
              "images' size is seen; []: not",
              above(0.0)),
        field("reduce_labels", &DataConfig::reduce_labels,
              "of masks: 0 stands for no class, and class i for i - 1, as ADE20K's are trained"),
        field("class_names", &DataConfig::class_names,
              "of masks: the names of the classes 0, 1, …; []: the lines of classes.txt beside the images, else the "
              "model's or LABEL_0, LABEL_1, …"),
        field("mean", &DataConfig::mean,
              "of red, green and blue, or of grey alone, between 0 and 1, taken from pixels before the model sees "
              "them; []: as the model "
              "says"),
        field("std", &DataConfig::std, "pixels are divided by it behind that; []: as the model says", above(0.0)),
        field("image_column", &DataConfig::image_column,
              "dataset of an HDF5 file that holds the pixels, \"\": pixels, images, x or data; or column of rows that "
              "name "
              "or hold images, \"\": image, img, file_name or path")};
  }
};

// Whether a part of the training rows is held out as validation data.
inline bool holds_out(const DataConfig& config) { return config.validation_split > 0 || !config.fold.empty(); }

inline Interpolation interpolation_of(const DataConfig& config) {
  return config.interpolation == "bicubic" ? Interpolation::bicubic : Interpolation::bilinear;
}

}  // namespace sft
