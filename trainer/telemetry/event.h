// One line of metrics.jsonl: Hugging Face's keys, in the order they are printed. A log target is a
// function of it.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

namespace sft {

struct Event {
  enum class Kind { train, evaluation, summary };
  Kind kind = Kind::train;
  int64_t step = 0;
  int64_t total_steps = 0;
  nlohmann::ordered_json
      values;  // step, epoch, loss, … ; non-finite numbers as the strings "NaN", "Infinity", "-Infinity"
};

using Sink = std::function<void(const Event&)>;

// All are for rank 0 alone. What cannot be written later on is told and lost; the run goes on.

// metrics.jsonl: appends; lines of steps past `resumed_step` (0: a new run), and a torn one, are cut off first.
// StorageError where the file cannot be opened.
Sink make_jsonl(const std::string& path, int64_t resumed_step);

// A new events.out.tfevents.* in `directory`: scalars "train/loss", "eval/accuracy" as Hugging Face names them. In
// files of earlier starts TensorBoard drops what lies past `resumed_step`. `settings` (numbers, bools and texts by
// name) and the end of the run stand on its HParams board, beside the last value of each scalar; those of test rows are
// written at the end.
Sink make_tensorboard(const std::string& directory, int64_t resumed_step = 0,
                      const nlohmann::ordered_json& settings = nlohmann::ordered_json::object());

// style: auto | bar | lines | none. auto: a bar on a terminal, sparse lines elsewhere. On standard error; nothing with
// log::Talk::quiet. While the sink lives, and until another is made, it shows the process's other work too
// (base/shown_work.h).
Sink make_console(const std::string& style);

}  // namespace sft
