// The recipe by which a task makes samples of raw rows. prepare_shards() tells the story and asks the recipe which
// columns to read, which rows to look at before the first sample is made, and for samples. A recipe knows no ranks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "data/prepare/census.h"
#include "data/prepare/input.h"
#include "data/prepare/prepare.h"
#include "data/readers/row.h"
#include "data/samples/sample.h"
#include "data/samples/shard_writer.h"

namespace sft {

// Rows that belong together have one key, so that validation_split leaves them on one side; of each stratum, its share
// of keys is held out.
struct Group {
  uint64_t key = 0;
  std::string stratum = {};  // "": all rows are one
  bool is_unnamed = false;   // groups are named in a column, and there is none in this row
};

// The receiver of a piece's samples. A recipe adds to its report the counts that only the recipe knows.
class SampleSink {
 public:
  virtual ~SampleSink() = default;

  // The samples that are appended next are made of `row`: none, one or many. Rows are begun in their order.
  virtual void begin(const Row& row) = 0;
  virtual void append(Sample& sample) = 0;  // its `row` is set here

  // Leaves a row out that was not begun: it is counted, or the error thrown, as data.on_bad_row says.
  virtual void refuse(const BadRow& error) = 0;

  virtual PrepareReport& report() = 0;
};

class Recipe {
 public:
  virtual ~Recipe() = default;

  virtual std::unique_ptr<Input> open(const StringList& files) const = 0;
  virtual std::vector<WantedColumn> wanted_columns() const = 0;

  // Every setting that the samples depend on, beside the content of the files and the split.
  virtual nlohmann::json key() const = 0;

  // A glance, for recipes that learn from the first rows how to read all: each piece is read up to the row at which
  // glance() returns true. Malformed rows are passed over. expect() gets the facts of all pieces.
  virtual bool wants_glance() const { return false; }
  virtual bool glance(const Row& /*row*/, Census& /*into*/) const { return true; }
  virtual void expect(const Census& /*told*/) {}

  // A survey, for recipes that must know all rows before the first sample is made, as for names of labels. BadRow where
  // make() would refuse the row for its cells. settle() gets the census of all ranks; DataError where no samples can be
  // made of these rows.
  virtual bool wants_survey() const { return false; }
  virtual void survey(const Row& /*row*/, Census& /*into*/) const {}
  virtual void settle(const Census& /*all*/) {}

  // The functions below are called after settle(). BadRow as by survey().
  virtual Group group_of(const Row& row, uint64_t seed) const = 0;

  // Schema, names, kind and task; sources and command are the caller's.
  virtual ShardInfo shard() const = 0;

  // Fills in the facts of the whole split, beside the counts of make().
  virtual void describe(PrepareReport& report) const = 0;

  // Judges the counts of all rows: DataError, or warnings in the report.
  virtual void judge(PrepareReport& /*report*/) const {}

  virtual size_t rows_at_once() const { return 1; }  // at most, that make() wants
  virtual void make(std::span<const Row> rows, SampleSink& out) const = 0;
};

}  // namespace sft
