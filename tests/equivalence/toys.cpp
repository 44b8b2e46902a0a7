#include "equivalence/toys.h"

#include "comm/observed.h"

namespace sft::equivalence {
namespace {

// The sum of weights over ranks becomes each rank's own weight times their number: so do means of means divide.
class OwnWeight : public Observed {
 public:
  explicit OwnWeight(std::unique_ptr<Communicator> inner) : Observed(std::move(inner)) {}

  void all_reduce(Buffer values, Reduction how) override {
    if (values.element == Element::f64 && values.count == 2 && how == Reduction::sum)  // with the tokens
      *static_cast<double*>(values.data) *= size();
    else
      Observed::all_reduce(values, how);
  }

 protected:
  void begin(const Operation&) override {}
  void end(const Operation&) noexcept override {}
  std::unique_ptr<Communicator> observe(std::unique_ptr<Communicator> part) override { return part; }
};

// Looks at the whole batch and takes nothing of it.
class OnLooker : public Loader {
 public:
  explicit OnLooker(std::unique_ptr<Loader> all) : all_(std::move(all)) {}
  Share next() override {
    Share share = all_->next();
    share.parts.assign(1, Part{});
    return share;
  }
  void seek(const Cursor& cursor) override { all_->seek(cursor); }
  int64_t batches_per_epoch() const override { return all_->batches_per_epoch(); }

 private:
  std::unique_ptr<Loader> all_;
};

// The first samples again behind the last.
class Padded : public Dataset {
 public:
  Padded(std::unique_ptr<Dataset> inner, int64_t multiple_of) : inner_(std::move(inner)), info_(inner_->info()) {
    info_.num_samples = info_.num_rows = (info_.num_samples + multiple_of - 1) / multiple_of * multiple_of;
  }
  const DatasetInfo& info() const override { return info_; }
  int64_t length(int64_t i) const override { return inner_->length(i % inner_->size()); }
  void append(int64_t i, Batch& out) const override { inner_->append(i % inner_->size(), out); }
  void append(int64_t i, size_t column, Packed& out) const override { inner_->append(i % inner_->size(), column, out); }
  float weight(int64_t i) const override { return inner_->weight(i % inner_->size()); }
  int64_t row(int64_t i) const override { return i; }
  int64_t bytes_read() const override { return inner_->bytes_read(); }

 private:
  std::unique_ptr<Dataset> inner_;
  DatasetInfo info_;
};

}  // namespace

std::unique_ptr<Communicator> control_of(Toy toy, std::unique_ptr<Communicator> control) {
  if (toy != Toy::averages_means) return control;
  return std::make_unique<OwnWeight>(std::move(control));
}

std::unique_ptr<Dataset> held_out_of(Toy toy, std::unique_ptr<Dataset> samples, int ranks) {
  if (toy != Toy::evaluates_padding) return samples;
  return std::make_unique<Padded>(std::move(samples), ranks);
}

std::unique_ptr<Loader> loader_of(Toy toy, Shard shard, const std::function<std::unique_ptr<Loader>(Shard)>& make) {
  if (toy != Toy::reads_on_one_rank) return make(shard);
  std::unique_ptr<Loader> all = make({0, 1});
  return shard.index == 0 ? std::move(all) : std::make_unique<OnLooker>(std::move(all));
}

}  // namespace sft::equivalence
