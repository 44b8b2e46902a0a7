// The list of tasks.
#include "trainer/tasks/tasks.h"

#include "trainer/tasks/causal_lm/causal_lm.h"
#include "trainer/tasks/causal_lm/recipe.h"
#include "trainer/tasks/causal_lm/rows/columns.h"
#include "trainer/tasks/image_classification/image_classification.h"
#include "trainer/tasks/image_classification/recipe.h"
#include "trainer/tasks/multi_label/multi_label.h"
#include "trainer/tasks/object_detection/boxes_without_token.h"
#include "trainer/tasks/object_detection/detected_objects.h"
#include "trainer/tasks/object_detection/object_detection.h"
#include "trainer/tasks/object_detection/recipe.h"
#include "trainer/tasks/object_detection/rows/box_columns.h"
#include "trainer/tasks/question_answering/answering_config.h"
#include "trainer/tasks/question_answering/question_answering.h"
#include "trainer/tasks/question_answering/recipe.h"
#include "trainer/tasks/question_answering/rows/window_columns.h"
#include "trainer/tasks/question_answering/rows/window_config.h"
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
const StringList kOfQuestions = {"data.text_column", "data.text_pair_column", "data.max_length"};

// Every key of a section.
template <class Config>
StringList keys_of_section(const std::string& section) {
  Config config;
  StringList keys;
  for (const BoundField& field : bind_fields(config, section)) keys.push_back(field.key());
  return keys;
}

const StringList kOfAnswers = joined({"eval.generate", "eval.max_generate_samples", "eval.bleu_tokenize"},
                                     keys_of_section<GenerateConfig>("generate"));
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

// Texts with one label, a set of labels or numbers: one task, whose rows differ in what is learned.
TaskKind classified_texts(const char* problem_type, Column target, decltype(TaskKind::make) make) {
  return {.name = "text_classification",
          .problem_type = problem_type,
          .target = std::move(target),
          .class_ending = "ForSequenceClassification",
          .takes = Takes::texts,
          .text_column = "text",
          .label_column = "label",
          .keys = kOfSamples,
          .pipeline_tag = "text-classification",
          .recipe = text_classification_recipe,
          .make = make,
          .peft = {"SEQ_CLS", {"classifier", "score"}}};
}

const TaskKind kTasks[] = {
    classified_texts(kOneLabel, label_column(0), made<make_text_classification>),
    classified_texts(kLabelSet, label_set_column(0), made<make_multi_label>),
    classified_texts(kRealNumbers, values_column(0), made<make_regression>),
    {.name = "token_classification",
     .problem_type = "",
     .target = token_labels_column(0),
     .class_ending = "ForTokenClassification",
     .takes = Takes::texts,
     .text_column = "tokens",
     .label_column = "ner_tags",
     .keys = kOfWords,
     .pipeline_tag = "token-classification",
     .recipe = token_classification_recipe,
     .make = made<make_token_classification>,
     .peft = {"TOKEN_CLS", {"classifier", "score"}}},
    {.name = "question_answering",
     .problem_type = "",
     .target = span_column(0),
     .class_ending = "ForQuestionAnswering",
     .takes = Takes::texts,
     .text_column = "question",
     .label_column = "answers",
     .keys = kOfQuestions,
     .pipeline_tag = "question-answering",
     .recipe = question_answering_recipe,
     .make = made<make_question_answering>,
     .forms = {{"--squad", "of questions: also write {id: answer} to this file, which SQuAD's evaluation script reads",
                write_squad}},
     .data = extra_settings<WindowConfig>(),
     .eval = extra_settings<AnsweringConfig>(),
     .ranked = "n_best",
     .peft = {"QUESTION_ANS", {"qa_outputs"}}},
    {.name = "causal_lm",
     .problem_type = "",
     .target = causal::spans_column(0),
     .class_ending = "ForCausalLM",
     .takes = Takes::texts,
     .text_column = "text",
     .label_column = "label",
     .keys = kOfChats,
     .pipeline_tag = "text-generation",
     .recipe = causal_lm_recipe,
     .make = made<make_causal_lm>,
     .truncations = {"drop", "right", "left", "error", "split"},
     .max_length = 2048,
     .stop_tokens = causal_lm_stop_tokens,
     .peft = {"CAUSAL_LM"}},
    {.name = "seq2seq_lm",
     .problem_type = "",
     .target = seq2seq::target_tokens_column(0),
     .class_ending = "ForConditionalGeneration",
     .takes = Takes::texts,
     .text_column = "text",
     .label_column = "label",
     .keys = kOfPairs,
     .pipeline_tag = "text2text-generation",
     .recipe = seq2seq_lm_recipe,
     .make = made<make_seq2seq_lm>,
     .truncations = {"drop", "right", "error"},
     .max_length = 512,
     .stop_tokens = seq2seq_lm_stop_tokens,
     .peft = {"SEQ_2_SEQ_LM"}},
    {.name = "image_classification",
     .problem_type = kOneLabel,
     .target = label_column(0),
     .class_ending = "ForImageClassification",
     .takes = Takes::pictures,
     .text_column = "text",
     .label_column = "label",
     .keys = kOfPictures,
     .pipeline_tag = "image-classification",
     .recipe = image_classification_recipe,
     .make = made<make_image_classification>},
    {.name = "semantic_segmentation",
     .problem_type = "",
     .target = mask_column(),
     .class_ending = "ForSemanticSegmentation",
     .takes = Takes::pictures,
     .text_column = "text",
     .label_column = "mask",
     .keys = kOfMasks,
     .pipeline_tag = "image-segmentation",
     .recipe = semantic_segmentation_recipe,
     .make = made<make_semantic_segmentation>,
     .forms = {{"--masks", "of masks: also write a PNG with a palette for each image into this new directory",
                write_masks},
               {"--overlays", "of masks: also write each image with its mask laid over it into this new directory",
                write_overlays}},
     .drawing = draw_overlays},
    {.name = "object_detection",
     .problem_type = "",
     .target = boxes_column(),
     .class_ending = "ForObjectDetection",
     .takes = Takes::pictures,
     .text_column = "text",
     .label_column = kBoxes,
     .keys = kOfBoxes,
     .pipeline_tag = "object-detection",
     .recipe = object_detection_recipe,
     .make = made<make_object_detection>,
     .forms = {{"--boxes", "of objects: also write each image with the boxes drawn on it into this new directory",
                write_drawn_boxes}},
     .drawing = draw_boxes,
     .ranked = "objects",
     .look_at = tell_boxes_without_token},
};

}  // namespace

std::span<const TaskKind> tasks() { return kTasks; }

}  // namespace sft
