// Settings of losses and scores, which the tasks read: [train] and [eval] list them among their own.
#pragma once

#include <map>
#include <string>

#include "base/extra_settings.h"
#include "base/schema.h"
#include "trainer/metrics/generation/generation_scores.h"
#include "trainer/tasks/generate_config.h"

namespace sft {

// Above 0 and at most 1.
constexpr Rule positive_share() {
  Rule rule = in_range(0.0, 1.0);
  rule.least_excluded = true;
  return rule;
}

struct LossConfig {
  std::string kind = "auto";  // auto: the task's
  double focal_gamma = 2.0;
  double gce_q = 0.7;
  double sce_alpha = 0.1;
  double sce_beta = 1.0;
  double bootstrap_beta = 0.95;
  double huber_delta = 1.0;
  double label_smoothing_factor = 0.0;
  WordOrNumbers class_weights = {};
  WordOrNumbers pos_weight = {};
  double logit_adjustment = 0.0;
  std::string logit_adjustment_at = "loss";
  WordOrNumbers label_priors = {"counted", {}};
  double distill_weight = 0.0;
  double distill_temperature = 2.0;

  static constexpr auto fields() {
    return std::tuple{
        field("loss", &LossConfig::kind,
              "auto (cross_entropy for labels, bce for sets of labels, mse for numbers), cross_entropy, focal, gce, "
              "sce, bootstrap, bce, mse, mae, huber, or a loss of plugins"),
        field("focal_gamma", &LossConfig::focal_gamma,
              "of loss = \"focal\": how much rows that are right already are turned down; 0: cross_entropy",
              at_least(0.0)),
        field("gce_q", &LossConfig::gce_q,
              "of loss = \"gce\": from cross_entropy, near 0, to the mean absolute error, 1, which wrong labels move "
              "less",
              positive_share()),
        field("sce_alpha", &LossConfig::sce_alpha, "of loss = \"sce\": times the cross-entropy", at_least(0.0)),
        field("sce_beta", &LossConfig::sce_beta,
              "of loss = \"sce\": times the reverse cross-entropy, in which log 0 is -4", at_least(0.0)),
        field("bootstrap_beta", &LossConfig::bootstrap_beta,
              "of loss = \"bootstrap\": share of the target that the label has; the model's own probabilities have the "
              "rest; 1: cross_entropy",
              positive_share()),
        field("huber_delta", &LossConfig::huber_delta, "of loss = \"huber\": the error beyond which it is linear",
              above(0.0)),
        field("label_smoothing_factor", &LossConfig::label_smoothing_factor,
              "share of each target spread over all classes", at_least(0.0).below(1.0)),
        field("class_weights", &LossConfig::class_weights,
              "none, balanced (scikit-learn's) or { name = weight }; a class not named weighs 1",
              at_least(0.0).or_one_of("none", "balanced")),
        field("pos_weight", &LossConfig::pos_weight,
              "of sets of labels: none, balanced (rows without / rows with the label) or { name = weight }",
              at_least(0.0).or_one_of("none", "balanced")),
        field("logit_adjustment", &LossConfig::logit_adjustment,
              "of one label a row and of sets: times the log of the label priors (of sets their log-odds); 0: off",
              at_least(0.0)),
        field("logit_adjustment_at", &LossConfig::logit_adjustment_at,
              "loss: added to the logits that are trained; export: taken from the bias of the model that is left",
              one_of("loss", "export")),
        field("label_priors", &LossConfig::label_priors,
              "of logit_adjustment: counted, the shares of the training rows, or { name = share } for all labels",
              in_range(0.0, 1.0).or_one_of("counted")),
        field("distill_weight", &LossConfig::distill_weight,
              "share of the loss that a teacher's logits have (data.teacher_column); the labels have the rest",
              in_range(0.0, 1.0)),
        field("distill_temperature", &LossConfig::distill_temperature,
              "logits of teacher and student are divided by it before they are compared", above(0.0))};
  }
};

// The words of train.loss that need no plugin, for checks: a plugin's are known once it is loaded.
StringList built_losses();

struct ScoreConfig {
  StringList metrics = {};
  double threshold = 0.5;
  std::map<std::string, double> thresholds = {};  // by label, where a model's files say so; no setting
  std::string tune_thresholds = "no";
  bool temperature_scaling = false;
  ExtraSettings extra = {};  // that tasks declare
  AnswerConfig answers = {};
  GenerationScoreConfig generation = {};

  static constexpr auto fields() {
    return std::tuple{
        field("metrics", &ScoreConfig::metrics,
              "what is told beside the loss; []: all of the task's, and of more than two labels roc_auc and "
              "average_precision only where they are named"),
        field("threshold", &ScoreConfig::threshold,
              "of sets of labels and of detected objects: those above this probability are given",
              in_range(0.0, 1.0)),
        field("tune_thresholds", &ScoreConfig::tune_thresholds,
              "of sets of labels and of two classes: once trained, the threshold of each label that scores best on the "
              "validation rows, for model/",
              one_of("no", "f1", "balanced_accuracy")),
        field("temperature_scaling", &ScoreConfig::temperature_scaling,
              "of labels: once trained, divide the logits of model/ by the number that gives the validation rows the "
              "least loss"),
        splice(&ScoreConfig::extra),
        splice(&ScoreConfig::answers),
        splice(&ScoreConfig::generation)};
  }
};

}  // namespace sft
