// write_events DIRECTORY: a run that is interrupted at step 30, resumed from step 20, goes on to 40 and ends.
#include <iostream>

#include "base/errors.h"
#include "trainer/telemetry/event.h"

int main(int count, char** words) {
  using namespace sft;
  if (count != 2) return 2;
  const std::string directory = words[1];
  try {
    const nlohmann::ordered_json settings{
        {"optim.learning_rate", 3e-5}, {"seed", 7}, {"deterministic", false}, {"train.loss", "focal"}};
    for (const int64_t resumed : {0, 20}) {
      const Sink jsonl = make_jsonl(directory + "/metrics.jsonl", resumed),
                 tensorboard = make_tensorboard(directory + "/events", resumed, settings);
      for (int64_t step = resumed + 10; step <= (resumed == 0 ? 30 : 40); step += 10) {
        Event train{Event::Kind::train,
                    step,
                    40,
                    {{"step", step},
                     {"epoch", 0.1 * static_cast<double>(step)},
                     {"loss", 1.0 / static_cast<double>(step + resumed)},
                     {"grad_norm", 2.5},
                     {"sample_ids", {1, 2}}}};
        if (step == 40) train.values["grad_norm"] = "Infinity";
        const Event evaluation{Event::Kind::evaluation,
                               step,
                               40,
                               {{"step", step}, {"eval_loss", "NaN"}, {"eval_accuracy", 0.5}, {"test_f1", 0.25}}};
        for (const Sink& sink : {jsonl, tensorboard}) {
          sink(train);
          sink(evaluation);
        }
      }
      Event summary{Event::Kind::summary, 30, 40, {{"exit_code", 75}, {"test_metrics", nullptr}}};
      if (resumed > 0)
        summary = {Event::Kind::summary, 40, 40, {{"exit_code", 0}, {"test_metrics", {{"accuracy", 0.75}}}}};
      for (const Sink& sink : {jsonl, tensorboard}) sink(summary);
    }
  } catch (const Error& error) {
    std::cerr << error.what() << "\n";
    return static_cast<int>(error.code());
  }
}
