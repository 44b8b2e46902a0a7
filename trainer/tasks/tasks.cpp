// The list of tasks.
#include "trainer/tasks/tasks.h"

#include <algorithm>
#include <set>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/tasks/causal_lm/causal_lm.h"
#include "trainer/tasks/causal_lm/recipe.h"
#include "trainer/tasks/causal_lm/rows/columns.h"
#include "trainer/tasks/image_classification/image_classification.h"
#include "trainer/tasks/image_classification/recipe.h"
#include "trainer/tasks/multi_label/multi_label.h"
#include "trainer/tasks/object_detection/detected_objects.h"
#include "trainer/tasks/object_detection/object_detection.h"
#include "trainer/tasks/object_detection/recipe.h"
#include "trainer/tasks/object_detection/rows/box_columns.h"
#include "trainer/tasks/question_answering/question_answering.h"
#include "trainer/tasks/question_answering/recipe.h"
#include "trainer/tasks/question_answering/rows/window_columns.h"
#include "trainer/tasks/question_answering/squad_file.h"
#include "trainer/tasks/recipes/target.h"
#include "trainer/tasks/recipes/target_column.h"
#include "trainer/tasks/regression/regression.h"
#include "trainer/tasks/semantic_segmentation/predicted_mask.h"
#include "trainer/tasks/semantic_segmentation/recipe.h"
#include "trainer/tasks/semantic_segmentation/rows/mask_rows.h"
#include "trainer/tasks/semantic_segmentation/semantic_segmentation.h"
#include "trainer/tasks/seq2seq_lm/recipe.h"
#include "trainer/tasks/seq2seq_lm/rows/columns.h"
#include "trainer/tasks/seq2seq_lm/seq2seq_lm.h"
#include "trainer/tasks/text_classification/recipe.h"
#include "trainer/tasks/text_classification/text_classification.h"
#include "trainer/tasks/token_classification/recipe.h"
#include "trainer/tasks/token_classification/token_classification.h"

namespace sft {
namespace {

StringList joined(StringList all, const StringList& more) {
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

const StringList kOfTexts = {"data.text_column",  "data.text_pair_column", "data.weight_column",
                             "data.group_column", "data.max_length",       "data.truncation"};
const StringList kOfSamples =
    joined(kOfTexts, {"model.problem_type", "data.normalize_label_probabilities", "data.teacher_column"});
const StringList kOfWords = joined(kOfTexts, {"data.label_all_tokens"});
const StringList kOfQuestions = {"data.text_column",
                                 "data.text_pair_column",
                                 "data.max_length",
                                 "data.doc_stride",
                                 "eval.n_best_size",
                                 "eval.max_answer_length",
                                 "eval.version_2_with_negative",
                                 "eval.null_score_diff_threshold",
                                 "eval.answer_unit"};
// Every key of a section.
template <class Config>
StringList keys_of(const std::string& section) {
  Config config;
  StringList keys;
  for (const BoundField& field : bind_fields(config, section)) keys.push_back(field.key());
  return keys;
}

const StringList kOfAnswers =
    joined({"eval.generate", "eval.max_generate_samples", "eval.bleu_tokenize"}, keys_of<GenerateConfig>("generate"));
const StringList kOfChats = joined(
    kOfAnswers, {"data.text_column", "data.weight_column", "data.group_column", "data.max_length", "data.truncation",
                 "data.train_on", "data.train_on_trailing", "data.add_eos", "data.chat_template", "data.date"});
const StringList kOfPairs =
    joined(kOfAnswers,
           {"data.source_column", "data.target_column", "data.source_lang", "data.target_lang", "data.source_prefix",
            "data.max_target_length", "data.weight_column", "data.group_column", "data.max_length", "data.truncation"});
const StringList kOfPictures = {"data.image_size",
                                "data.interpolation",
                                "data.crop",
                                "data.crop_scale",
                                "data.crop_ratio",
                                "data.stored_size",
                                "data.mean",
                                "data.std",
                                "data.image_column",
                                "train.batch_norm",
                                "data.horizontal_flip",
                                "freeze.freeze_batch_norm_statistics",
                                "model.problem_type"};

const StringList kOfMasks = joined(kOfPictures, {"data.random_scale", "data.reduce_labels", "data.class_names"});
const StringList kOfBoxes = {"data.image_size",   "data.interpolation", "data.mean",         "data.std",
                             "data.image_column", "data.class_names",   "data.random_scale", "data.horizontal_flip",
                             "data.stored_size",  "data.on_bad_box"};

template <auto make>
std::unique_ptr<Task> made(const TaskSettings& settings, const Model& model) {
  return make(settings, model);
}

const TaskKind kTasks[] = {
    {"text_classification", kOneLabel, label_column(0), "ForSequenceClassification", Takes::texts, "text", "label",
     kOfSamples, text_classification_recipe, made<make_text_classification>},
    {"text_classification", kLabelSet, label_set_column(0), "ForSequenceClassification", Takes::texts, "text", "label",
     kOfSamples, text_classification_recipe, made<make_multi_label>},
    {"text_classification", kRealNumbers, values_column(0), "ForSequenceClassification", Takes::texts, "text", "label",
     kOfSamples, text_classification_recipe, made<make_regression>},
    {"token_classification", "", token_labels_column(0), "ForTokenClassification", Takes::texts, "tokens", "ner_tags",
     kOfWords, token_classification_recipe, made<make_token_classification>},
    {.name = "question_answering",
     .problem_type = "",
     .target = span_column(0),
     .class_ending = "ForQuestionAnswering",
     .takes = Takes::texts,
     .text_column = "question",
     .label_column = "answers",
     .keys = kOfQuestions,
     .recipe = question_answering_recipe,
     .make = made<make_question_answering>,
     .forms = {{"--squad", "of questions: also write {id: answer} to this file, which SQuAD's evaluation script reads",
                write_squad}}},
    {"causal_lm",
     "",
     causal::spans_column(0),
     "ForCausalLM",
     Takes::texts,
     "text",
     "label",
     kOfChats,
     causal_lm_recipe,
     made<make_causal_lm>,
     {"drop", "right", "left", "error", "split"},
     2048,
     causal_lm_stop_tokens},
    {"seq2seq_lm",
     "",
     seq2seq::target_tokens_column(0),
     "ForConditionalGeneration",
     Takes::texts,
     "text",
     "label",
     kOfPairs,
     seq2seq_lm_recipe,
     made<make_seq2seq_lm>,
     {"drop", "right", "error"},
     512,
     seq2seq_lm_stop_tokens},
    {"image_classification", kOneLabel, label_column(0), "ForImageClassification", Takes::pictures, "text", "label",
     kOfPictures, image_classification_recipe, made<make_image_classification>},
    {.name = "semantic_segmentation",
     .problem_type = "",
     .target = mask_column(),
     .class_ending = "ForSemanticSegmentation",
     .takes = Takes::pictures,
     .text_column = "text",
     .label_column = "mask",
     .keys = kOfMasks,
     .recipe = semantic_segmentation_recipe,
     .make = made<make_semantic_segmentation>,
     .forms = {{"--masks", "of masks: also write a PNG with a palette for each image into this new directory",
                write_masks},
               {"--overlays", "of masks: also write each image with its mask laid over it into this new directory",
                write_overlays}}},
    {.name = "object_detection",
     .problem_type = "",
     .target = boxes_column(),
     .class_ending = "ForObjectDetection",
     .takes = Takes::pictures,
     .text_column = "text",
     .label_column = kBoxes,
     .keys = kOfBoxes,
     .recipe = object_detection_recipe,
     .make = made<make_object_detection>,
     .forms = {{"--boxes", "of objects: also write each image with the boxes drawn on it into this new directory",
                write_drawn_boxes}}},
};

}  // namespace

std::span<const TaskKind> tasks() { return kTasks; }

StringList keys_of_some_tasks() {
  std::set<std::string> keys;
  for (const TaskKind& kind : kTasks) keys.insert(kind.keys.begin(), kind.keys.end());
  return {keys.begin(), keys.end()};
}

StringList task_names() {
  StringList names;
  for (const TaskKind& kind : kTasks)
    if (names.empty() || names.back() != kind.name) names.emplace_back(kind.name);
  return names;
}

const TaskKind& task_named(const std::string& name) {
  for (const TaskKind& kind : kTasks)
    if (name == kind.name) return kind;
  throw ConfigError(concat("model.task ", in_quotes(name), " is not built", did_you_mean(name, task_names()),
                           "; built: ", join(task_names(), ", ")));
}

const TaskKind& task_of_type(const std::string& name, const std::string& problem_type) {
  const TaskKind& first = task_named(name);
  if (problem_type.empty() || *first.problem_type == '\0') return first;
  for (const TaskKind& kind : kTasks)
    if (name == kind.name && problem_type == kind.problem_type) return kind;
  throw ConfigError(
      concat("model.task ", in_quotes(name), " does not learn targets of the problem type ", in_quotes(problem_type)));
}

const TaskKind& task_of_samples(const std::string& name, const Schema& samples) {
  for (const TaskKind& kind : kTasks)
    if (name == kind.name && has_target(samples, kind.target)) return kind;
  throw ConfigError(
      concat("model.task ", in_quotes(name), " does not learn the targets of samples that have ", describe(samples)));
}

const TaskKind& task_of_class(const std::string& name, Takes takes) {
  // Of older families, and of Marian's.
  const std::string architecture = name.ends_with("LMHeadModel") ? "ForCausalLM"
                                   : name.ends_with("MTModel")   ? "ForConditionalGeneration"
                                                                 : name;
  const auto named = std::ranges::find_if(
      kTasks, [&](const TaskKind& kind) { return kind.takes == takes && architecture.ends_with(kind.class_ending); });
  return named != std::end(kTasks) ? *named : *std::ranges::find(kTasks, takes, &TaskKind::takes);
}

std::unique_ptr<Task> make_task(const std::string& name, const TaskSettings& settings, const Model& model) {
  return task_of_type(name, settings.labels.problem_type).make(settings, model);
}

}  // namespace sft
