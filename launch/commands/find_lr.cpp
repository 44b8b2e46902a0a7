// Which learning rate? A range test: the table on standard output, a plot for the eye, a page to keep. The run's
// own directory is left alone.
#include <filesystem>
#include <iostream>

#include "base/file_ops.h"
#include "base/log.h"
#include "base/terminal_line.h"
#include "base/text.h"
#include "comm/agree.h"
#include "launch/commands/commands.h"
#include "launch/ownership.h"
#include "launch/run_directory.h"
#include "launch/run_facts.h"
#include "launch/shell_words.h"
#include "trainer/assembly/run_settings.h"
#include "trainer/range_test/page.h"
#include "trainer/range_test/plot.h"
#include "trainer/range_test/range_test.h"
#include "trainer/range_test/view.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

RangeTest test_of(const Arguments& arguments) {
  if (!(arguments.min_rate < arguments.max_rate))
    throw Error(ExitCode::usage,
                concat("--min-lr ", arguments.min_rate, " is not below --max-lr ", arguments.max_rate));
  return {arguments.min_rate, arguments.max_rate, arguments.steps};
}

StringList what_is_read(const Arguments& arguments, const RunConfig& config) {
  StringList files = read_by(config);
  const bool is_run = fs::is_directory(arguments.target);
  files.push_back(is_run ? arguments.target + "/config.toml" : arguments.target);
  return files;
}

// "run.toml" → "run.find-lr.html" where the command was given. Another ending is refused, so that no config is
// overwritten by a slip.
std::string page_of(const Arguments& arguments) {
  if (arguments.output.empty()) return stem_of_run(arguments.target) + ".find-lr.html";
  if (fs::path(arguments.output).extension() != ".html")
    throw Error(ExitCode::usage,
                concat("--output: wanted a path that ends in .html, found ", in_quotes(arguments.output)));
  return arguments.output;
}

RangeFacts facts_of(const Assembly& run, const Arguments& arguments, const RateCurve& curve, RangeEnd end) {
  const RunConfig& config = run.config();
  const char* ending = end == RangeEnd::diverged  ? "the loss diverged"
                       : end == RangeEnd::stopped ? "a signal"
                                                  : "all updates were made";
  return {{"config", arguments.target},
          {"model", config.model.model_name_or_path},
          {"task", config.model.task},
          {"training data", concat(join(config.data.train_file, ", "), " (", run.data.train->size(), " rows)")},
          {"update", concat(run.global_batch_size, " rows, ", config.optim.optim, ", max_grad_norm ",
                            config.train.max_grad_norm)},
          {"rates", concat(rate_text(arguments.min_rate), " to ", rate_text(arguments.max_rate), " in ",
                           arguments.steps, " updates")},
          {"ended by", concat(ending, ", after ", curve.points().size(), " updates with a finite loss")},
          {"ranks", concat(run.world.control.size(), " (", run.world.gradients.backend(), ")")}};
}

constexpr int64_t kFewUpdates = 50;

void print_table(const RateCurve& curve) {
  std::cout << "learning_rate\tloss\tsmoothed\n";
  std::cout.precision(12);
  for (const RateCurve::Point& point : curve.points())
    std::cout << point.rate << '\t' << point.loss << '\t' << point.smoothed << '\n';
  std::cout << std::flush;
}

void print_advice(const RateCurve& curve, const Arguments& arguments) {
  clear_terminal_line();
  if (log::talk() != log::Talk::quiet) std::cerr << '\n' << plot_text(curve) << '\n';
  const std::optional<double> steepest = curve.steepest();
  if (arguments.steps < kFewUpdates)
    log::warn(concat("a test of ", arguments.steps, " updates often suggests too high a rate; --steps 100 is usual"));
  if (!steepest) {
    log::warn("the loss never fell: try a lower --min-lr, or more --steps");
    return;
  }
  log::info(concat("suggested: optim.learning_rate = ", rate_text(*steepest),
                   " (the loss falls fastest there); a tenth of the rate at its lowest point is ",
                   rate_text(*curve.tenth_of_minimum())));
  log::info(concat("sft-dist train ", target_in_shell(arguments), " optim.learning_rate=", rate_text(*steepest)));
}

}  // namespace

ExitCode find_lr(const Arguments& arguments, Job& job) {
  LoadedConfig loaded;
  RangeTest test;
  std::string page;
  together(job.control(), [&] {
    test = test_of(arguments);
    page = page_of(arguments);
    loaded = load_run(arguments.target, arguments.overrides);
    page = output_beside_runs("--output", page, what_is_read(arguments, loaded.config));
  });
  const RunConfig config = loaded.config;
  const bool speaks = job.control().rank() == 0;
  require_agreement(job.control(), [&] { return run_facts(config); });
  job.show_progress(config.log.progress);
  const auto run = assemble(std::move(loaded), job.world(config.device, num_threads(config), config.comm));
  if (speaks)
    log::info(concat("rates from ", rate_text(test.min_rate), " to ", rate_text(test.max_rate), " in ", test.steps,
                     " updates of ", run->global_batch_size, " rows, or until the loss diverges; nothing is saved"));
  RateCurve curve;
  const RangeEnd end = run_range_test(test, *run, curve);
  if (speaks) print_table(curve);
  if (speaks && end == RangeEnd::stopped)
    log::warn(concat("stopped by a signal after ", curve.points().size(), " of ", test.steps,
                     " updates: the higher rates were not tried, and none is suggested"));
  else if (speaks)
    print_advice(curve, arguments);
  together(job.control(), [&] {
    if (!speaks) return;
    write_atomically(real_files(), page, range_page(curve, facts_of(*run, arguments, curve, end)));
    log::info(concat("plot and numbers: ", page));
  });
  return end == RangeEnd::stopped ? ExitCode::requeue : ExitCode::done;
}

}  // namespace sft
