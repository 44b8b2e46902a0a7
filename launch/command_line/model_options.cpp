// Options of what a trained model is asked.
#include "data/readers/help_texts.h"
#include "launch/command_line/options.h"
#include "trainer/learner/attribution.h"
#include "trainer/tasks/tasks.h"

namespace sft {

void declare_evaluate(CLI::App& app, Arguments& a) {
  CLI::App* evaluate =
      add_command(app, "evaluate", "Exact metrics of a run's model on one of its splits or on another file, as JSON.",
                  "  sft-dist evaluate runs/sections --split test\n"
                  "  mpirun -np 2 sft-dist evaluate runs/sections --checkpoint last --file rows.jsonl > metrics.json");
  evaluate->add_option("RUN", a.target, "run directory, or the config of a run")->required()->type_name("DIR|FILE");
  takes_checkpoint(evaluate, a);
  auto* split =
      evaluate->add_option("--split", a.split, "validation or test; default: validation where the run has one")
          ->check(CLI::IsMember({"validation", "test"}));
  evaluate->add_option("--file", a.file, "labelled rows to evaluate instead of a split")
      ->excludes(split)
      ->type_name("FILE");
}

void declare_predict(CLI::App& app, Arguments& a) {
  CLI::App* predict = add_command(
      app, "predict", "Raw rows in, one prediction a row out, in the same order.",
      "  sft-dist predict runs/sections --input rows.jsonl --output predictions.jsonl\n"
      "  mpirun -np 2 sft-dist predict model/ --input rows.csv --output p.csv --text-column title body\n"
      "  zcat rows.jsonl.gz | sft-dist predict model/ --input - --output - --keep id text --top-k 3 > p.jsonl\n"
      "Of a run, rows are read as it has read them: columns, length, side of the cut, sizes of images. A model "
      "directory\n"
      "tells less; what is assumed of it is said.");
  predict->add_option("MODEL", a.target, "run directory (its model/, else its best checkpoint), or a model directory")
      ->required()
      ->type_name("DIR");
  predict->add_option("--input", a.inputs, kInputHelp)->required()->type_name("FILE");
  predict
      ->add_option("--output", a.output,
                   "file to write: .csv or .tsv with a header, else JSON Lines; -: standard output")
      ->required()
      ->type_name("FILE");
  for (const TaskKind& kind : tasks())
    for (const PredictionsForm& form : kind.forms)
      predict->add_option(form.option, a.forms[form.option], form.help)->type_name("PATH");
  predict
      ->add_option("--text-column", a.text_columns,
                   "column of the text, or several to be joined; default: the run's, else text, of words also tokens")
      ->type_name("NAME");
  predict
      ->add_option("--text-pair-column", a.text_pair_column, "column of the second text of a pair; default: the run's")
      ->type_name("NAME");
  predict->add_option("--image-column", a.image_column, "dataset of the images in an HDF5 file, or column of rows")
      ->type_name("NAME");
  predict->add_option("--keep", a.keep, "columns of the input to put in front of each prediction, as id and text")
      ->type_name("NAME");
  predict->add_option("--top-k", a.top_k, "keep this many of the scores, the best first; 0: all")
      ->type_name("K")
      ->check(CLI::NonNegativeNumber);
  predict->add_flag("--logits", a.logits, "tell too what the scores are made of, one number an output");
  predict
      ->add_option("--explain", a.explain,
                   "of one label a row: tell of each word, or of each cell of a picture, how much it speaks for the "
                   "predicted label, by gradient x input, by integrated gradients, or by hiding one after the other")
      ->type_name("WAY")
      ->check(CLI::IsMember(attribution_ways()));
  predict
      ->add_option("--heat-maps", a.forms["--heat-maps"],
                   "with --explain, of pictures: also write each with its scores laid over it into this new directory")
      ->type_name("DIR");
  predict->add_option("--batch-size", a.batch_size, "rows at once on each rank")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
}

void declare_chat(CLI::App& app, Arguments& a) {
  CLI::App* chat =
      add_command(app, "chat", "Talk with a language model on the terminal; its chat template frames the turns.",
                  "  sft-dist chat runs/debian\n"
                  "  sft-dist chat model/ --system 'You answer in one sentence.' generate.do_sample=true "
                  "generate.temperature=0.7\n"
                  "  echo 'What is the Debian package gzip?' | sft-dist chat runs/debian");
  chat->add_option("MODEL", a.target,
                   "run directory (its model/, else its best checkpoint), or a model directory; keys of [generate] and "
                   "data.chat_template can follow")
      ->required()
      ->type_name("DIR");
  chat->add_option("--system", a.system, "what the model is told first")->type_name("TEXT");
  chat->allow_extras();
}

void declare_export(CLI::App& app, Arguments& a) {
  CLI::App* exporting = add_command(
      app, "export", "A checkpoint's model in Hugging Face layout, or as ONNX, without what only training needs.",
      "  sft-dist export runs/sections --output my-model\n"
      "  sft-dist export runs/sections --checkpoint checkpoint-126 --output my-model\n"
      "  sft-dist export runs/sections --onnx my-onnx-model");
  exporting
      ->add_option("MODEL", a.target,
                   "run directory, a model directory, or that of an adapter, which is merged into its base")
      ->required()
      ->type_name("DIR");
  takes_checkpoint(exporting, a);
  exporting->add_option("--output", a.output, "directory to make in Hugging Face layout")->type_name("DIR");
  exporting
      ->add_option(
          "--onnx", a.forms["--onnx"],
          "directory to make with model.onnx beside config.json and the tokenizer, as optimum and ONNX Runtime "
          "load them; of encoders")
      ->type_name("DIR");
}

}  // namespace sft
