// What a task makes of raw rows. prepare_shards() tells the story and asks a recipe: what is to be read, which rows
// must be looked at before the first sample is made, and for the samples of rows. A recipe knows no ranks.
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
};

// Where the samples of a piece go. What only a recipe can count it adds to the report.
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

  // All that the samples follow from, beside the content of the files and the split.
  virtual nlohmann::json key() const = 0;

  // Where the first rows tell how all are to be read: each piece is read up to the row at which glance() returns true.
  // Malformed rows are passed over. expect() gets what was told.
  virtual bool wants_glance() const { return false; }
  virtual bool glance(const Row& /*row*/, Census& /*into*/) const { return true; }
  virtual void expect(const Census& /*told*/) {}

  // Where all rows must be known before the first sample is made, as for names of labels. BadRow where make() would
  // refuse the row for what is in its cells. settle() gets the census of all ranks; DataError where it will not do.
  virtual bool wants_survey() const { return false; }
  virtual void survey(const Row& /*row*/, Census& /*into*/) const {}
  virtual void settle(const Census& /*all*/) {}

  // From here on everything is settled. BadRow as by survey().
  virtual Group group_of(const Row& row, uint64_t seed) const = 0;

  // Schema, names, kind and task; sources and command are the caller's.
  virtual ShardInfo shard() const = 0;

  // What the report says of the whole split beside what make() counts.
  virtual void describe(PrepareReport& report) const = 0;

  // What is wrong, or to be told, where all rows are counted: DataError, or warnings in the report.
  virtual void judge(PrepareReport& /*report*/) const {}

  virtual size_t rows_at_once() const { return 1; }  // at most, that make() wants
  virtual void make(std::span<const Row> rows, SampleSink& out) const = 0;
};

}  // namespace sft
