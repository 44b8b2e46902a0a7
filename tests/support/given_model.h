// A backbone for the tests of tasks, which give its features themselves.
#pragma once

#include <ATen/ops/tanh.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "trainer/models/model.h"

namespace sft::testing {

// Its pooler is tanh; its head has no more than dropout in front.
class GivenModel final : public Model {
 public:
  static constexpr int64_t kWidth = 6;

  explicit GivenModel(bool has_pooler = true, double dropout = 0.0) : has_pooler_(has_pooler), dropout_(dropout) {}
  // A decoder of so many words.
  explicit GivenModel(int64_t words) : has_pooler_(false), dropout_(0), words_(words) {}
  std::optional<TextLimits> text_limits() const override {
    return words_ > 0 ? std::optional(TextLimits{.vocab_size = words_}) : std::nullopt;
  }
  int num_blocks() const override { return 4; }
  int64_t width() const override { return kWidth; }
  Parameters parameters() const override { return {}; }
  at::Tensor stage(int, const at::Tensor&, const Inputs&, Mode) override { return {}; }
  at::Tensor features(const at::Tensor&) const override { return {}; }
  bool has_pooler() const override { return has_pooler_; }
  at::Tensor pool(const at::Tensor& first_BC, const RowKeys&) override { return at::tanh(first_BC); }
  HeadShape sequence_head() const override {
    return {.dropout = dropout_, .reads = words_ > 0 ? Reads::last : Reads::first};
  }
  double initializer_range() const override { return 0.02; }
  const nlohmann::json& config() const override { return config_; }
  double flops(int64_t, int64_t) const override { return 0; }
  std::string architecture(const std::string&) const override { return "Given"; }
  std::string prefix() const override { return ""; }
  std::string canonical(const std::string& file_name) const override { return file_name; }

 private:
  bool has_pooler_;
  double dropout_;
  int64_t words_ = 0;
  nlohmann::json config_ = nlohmann::json::object();
};

}  // namespace sft::testing
