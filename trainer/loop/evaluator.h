// Exact evaluation on all ranks: each sample counts once, metrics come from summed counts, never from
// averaged batches.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/shown_work.h"
#include "comm/communicator.h"
#include "data/loading/loader.h"
#include "data/samples/dataset.h"
#include "trainer/learner/learner.h"
#include "trainer/loop/answering.h"
#include "trainer/metrics/surest_mistakes.h"

namespace sft {

struct Evaluation {
  nlohmann::ordered_json metrics;  // "loss", "accuracy", …, without a prefix
  nlohmann::ordered_json details;  // per class, confusion matrix
  int64_t samples = 0;
  double seconds = 0;
  std::vector<double> outputs = {};  // of Settings::outputs: of all samples in order, truths then logits
  bool finite = true;                // false: some outputs of the model are not, and no metric is a number
};

// A prediction of this rank: the sample's index in the dataset and its JSON object.
using PredictionSink = std::function<void(int64_t id, const std::string& json)>;

class Evaluator {
 public:
  // Which of the rows that are judged wrongly are told, in details as "mistakes". Of tasks whose targets are labels.
  struct MistakeSettings {
    size_t most = 0;  // rows; 0: none
    std::vector<std::string> labels = {};
    Squash squash = Squash::softmax;
  };

  struct Settings {
    EvalLoaderConfig loading = {};
    std::vector<std::string> metrics = {};    // names of the metrics that are reported beside the loss; empty: all
    AnswerSettings answers = {};              // generated answers of language models
    MistakeSettings mistakes = {};
    bool outputs = false;                     // evaluations hand out each sample's truths and logits
    bool logits = false;                      // predictions tell them too
    std::function<void()> may_leave = [] {};  // called before each batch and token that is answered; may throw
    // Called with the predictions of a batch, one JSON object a sample, to which it may add members.
    std::function<void(const Batch&, std::vector<std::string>& predictions)> also_tell = {};
  };

  // Borrows all three; `control` joins host values.
  Evaluator(Learner& learner, const Dataset& dataset, Communicator& control, const Settings& settings);

  // Evaluates from the cached activations instead of running the frozen stages.
  void use_cache(std::unique_ptr<ActivationCache> cache) { cache_ = std::move(cache); }

  // Every rank calls; the result is the same on all of them.
  Evaluation run(const PredictionSink& predicted = {});

  // Predictions alone, for rows without labels.
  void predict(const PredictionSink& predicted);

 private:
  // Statistics are added to `into`, unless it is null.
  void observe(const Batch& batch, Statistics* into, const PredictionSink& predicted);
  // Judges the targets of a batch by their truths and logits, as Statistics::outputs has them.
  void judge(const Batch& batch, std::span<const double> outputs);
  // Calls `body` with a loader of each of this rank's parts of the dataset, and shows how much of it is `done`
  // ("evaluated"). Every rank calls.
  void each_part(const char* done, const std::function<void(EvalLoader&, ShownWork&)>& body);

  Learner& learner_;
  const Dataset& dataset_;
  Communicator& control_;
  Settings settings_;
  std::unique_ptr<ActivationCache> cache_;
  std::unique_ptr<Answering> answering_;  // null where nothing is answered
  std::optional<SurestMistakes> mistakes_;  // of this rank; nothing where none are told
};

}  // namespace sft
