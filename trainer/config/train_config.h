// The [train] section.
#pragma once

#include <cstdint>
#include <string>

#include "base/schema.h"
#include "trainer/tasks/loss_config.h"

namespace sft {

struct TrainConfig {
  double num_train_epochs = 3.0;
  int64_t max_steps = -1;
  std::string max_time;
  int64_t global_batch_size = 32;
  int64_t max_tokens_per_micro_batch = 0;
  int64_t per_device_train_batch_size = 0;
  int64_t gradient_accumulation_steps = 0;
  double max_grad_norm = 1.0;
  LossConfig loss;
  double l1 = 0.0;
  double l2 = 0.0;
  double l2_from_start = 0.0;
  bool gradient_checkpointing = false;
  bool record_margins = false;
  std::string batch_norm = "synchronized";

  static constexpr auto fields() {
    return std::tuple{
        field("num_train_epochs", &TrainConfig::num_train_epochs, "passes over the training rows", above(0.0))
            .alias("num_epochs")
            .changeable(),
        field("max_steps", &TrainConfig::max_steps, "updates, instead of num_train_epochs; -1: off",
              at_least(int64_t{-1}))
            .changeable(),
        field("max_time", &TrainConfig::max_time, "\"3h30m\": checkpoint and exit 75 before it passes").changeable(),
        field("global_batch_size", &TrainConfig::global_batch_size, "rows of one update, over all ranks",
              at_least(int64_t{1}))
            .changeable(),
        field(
            "max_tokens_per_micro_batch", &TrainConfig::max_tokens_per_micro_batch,
            "images count where the data are images; 0: on CPU cores 1024 tokens a thread, at most 8192, or 64 images; "
            "on a GPU 32768, or 512 images",
            at_least(int64_t{0}))
            .changeable(),
        field("per_device_train_batch_size", &TrainConfig::per_device_train_batch_size,
              "with gradient_accumulation_steps, instead of global_batch_size", at_least(int64_t{0}))
            .changeable(),
        field("gradient_accumulation_steps", &TrainConfig::gradient_accumulation_steps,
              "micro-batches of one update on each rank", at_least(int64_t{0}))
            .changeable(),
        field("max_grad_norm", &TrainConfig::max_grad_norm, "gradients are scaled down to this norm; 0: off",
              at_least(0.0)),
        splice(&TrainConfig::loss),
        field("l1", &TrainConfig::l1, "times the sum of |parameter| over what trains, added to the training loss",
              at_least(0.0)),
        field("l2", &TrainConfig::l2, "times the sum of parameter squared over what trains, added to the training loss",
              at_least(0.0)),
        field("l2_from_start", &TrainConfig::l2_from_start,
              "times the sum of (parameter − pretrained parameter) squared over what trains, of a new head its square "
              "(L2-SP), added to the training loss",
              at_least(0.0)),
        field("gradient_checkpointing", &TrainConfig::gradient_checkpointing,
              "recompute activations in the backward pass: less memory, a third more arithmetic")
            .changeable(),
        field("record_margins", &TrainConfig::record_margins,
              "of one label a row: leave margins.jsonl, how far each training row's label was ahead of the others in "
              "each epoch; 16 bytes a row and epoch in checkpoints")
            .changeable(),
        field(
            "batch_norm", &TrainConfig::batch_norm,
            "whose statistics BatchNorm takes: synchronized (all ranks' micro-batches together), local (this rank's), "
            "frozen (the running ones, which stay still)",
            one_of("synchronized", "local", "frozen"))};
  }
};

}  // namespace sft
