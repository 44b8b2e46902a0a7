// One line of metrics.jsonl: Hugging Face's keys, in the order they are printed. A log target is a
// function of it.
#pragma once

#include <nlohmann/json.hpp>

#include <functional>
#include <memory>
#include <string>

namespace sft {

struct Event {
  enum class Kind { train, evaluation, summary };
  Kind kind = Kind::train;
  int64_t step = 0;
  int64_t total_steps = 0;
  nlohmann::ordered_json values;  // step, epoch, loss, … ; non-finite numbers as the strings "NaN", "Infinity", "-Infinity"
};

using Sink = std::function<void(const Event&)>;

Sink make_jsonl(const std::string& path, int64_t resumed_step);  // appends; on resume, lines past that step are cut off first
Sink make_tensorboard(const std::string& directory);             // events.out.tfevents.*: scalars "train/loss", "eval/accuracy" as Hugging Face names them

// style: auto | bar | lines | none. auto: a bar on a terminal, sparse lines elsewhere.
Sink make_console(const std::string& style);

}  // namespace sft
