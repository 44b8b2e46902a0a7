// Environments of jobs as launchers make them, and the devices that follow.
#include "launch/choose_device.h"

#include <gtest/gtest.h>

#include "base/errors.h"

namespace sft {
namespace {

using Ranks = std::vector<SeenDevices>;
using Uuids = std::vector<std::string>;

// "0 1", or the error's words.
std::string verdict(const std::string& wanted, const Ranks& ranks) {
  std::string text;
  try {
    const std::vector<int> chosen = choose_devices(wanted, ranks);
    if (chosen.empty()) return "cpu";
    for (const int device : chosen) text += (text.empty() ? "" : " ") + std::to_string(device);
  } catch (const DeviceError& error) {
    return error.what();
  }
  return text;
}

SeenDevices none(const std::string& host, int local, const std::string& reason = "there is no NVIDIA driver") {
  return {host, local, {}, reason};
}

const Uuids kFour{"A0", "A1", "A2", "A3"}, kOther{"B0", "B1", "B2", "B3"};

struct Case {
  const char* about;
  const char* wanted;
  Ranks ranks;
  const char* expected;  // the choice, or a part of the error
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"one rank, no GPU", "auto", {none("a", 0)}, "cpu"},
      {"no GPU anywhere", "auto", {none("a", 0), none("a", 1), none("b", 0)}, "cpu"},
      {"a GPU, and the CPU wanted", "cpu", {{"a", 0, kFour, ""}}, "cpu"},
      {"the CPU wanted among mixed hosts", "cpu", {{"a", 0, kFour, ""}, none("b", 0)}, "cpu"},
      {"one rank, one GPU", "auto", {{"a", 0, {"A0"}, ""}}, "0"},
      {"one rank, four GPUs", "cuda", {{"a", 0, kFour, ""}}, "0"},
      {"mpirun: all see all",
       "auto",
       {{"a", 0, kFour, ""}, {"a", 1, kFour, ""}, {"a", 2, kFour, ""}, {"a", 3, kFour, ""}},
       "0 1 2 3"},
      {"fewer ranks than GPUs", "auto", {{"a", 0, kFour, ""}, {"a", 1, kFour, ""}}, "0 1"},
      {"two hosts, all see all",
       "auto",
       {{"a", 0, kFour, ""}, {"a", 1, kFour, ""}, {"b", 0, kOther, ""}, {"b", 1, kOther, ""}},
       "0 1 0 1"},
      {"ranks dealt out by turns",
       "auto",
       {{"a", 0, kFour, ""}, {"b", 0, kOther, ""}, {"a", 1, kFour, ""}, {"b", 1, kOther, ""}},
       "0 0 1 1"},
      {"srun --gpus-per-task=1", "auto", {{"a", 0, {"A0"}, ""}, {"a", 1, {"A1"}, ""}, {"a", 2, {"A2"}, ""}}, "0 0 0"},
      {"the same on two hosts", "cuda", {{"a", 0, {"A0"}, ""}, {"a", 1, {"A1"}, ""}, {"b", 0, {"B0"}, ""}}, "0 0 0"},
      {"two GPUs a task, others each", "auto", {{"a", 0, {"A0", "A1"}, ""}, {"a", 1, {"A2", "A3"}, ""}}, "0 1"},
      {"a common CUDA_VISIBLE_DEVICES of two", "auto", {{"a", 0, {"A2", "A3"}, ""}, {"a", 1, {"A2", "A3"}, ""}}, "0 1"},
      {"instances of one card", "auto", {{"a", 0, {"MIG-1"}, ""}, {"a", 1, {"MIG-2"}, ""}}, "0 0"},
      {"containers of one machine, a GPU each", "auto", {{"a", 0, {"A0"}, ""}, {"b", 0, {"A1"}, ""}}, "0 0"},
      {"containers of one machine that share its GPU",
       "auto",
       {{"a", 0, {"A0"}, ""}, {"b", 0, {"A0"}, ""}},
       "rank 1 on b and rank 0 on a would share the GPU A0"},
      {"a host with fewer GPUs than the other",
       "auto",
       {{"a", 0, {"A0", "A1"}, ""}, {"a", 1, {"A0", "A1"}, ""}, {"b", 0, {"B0"}, ""}, {"b", 1, {"B0"}, ""}},
       "rank 2 on b: 2 ranks see the same 1 GPU;"},
      {"more ranks than GPUs",
       "auto",
       {{"a", 0, {"A0"}, ""}, {"a", 1, {"A0"}, ""}},
       "rank 0 on a: 2 ranks see the same 1 GPU;"},
      {"more ranks than GPUs on the second host",
       "cuda",
       {{"a", 0, {"A0"}, ""}, {"b", 0, {"B0"}, ""}, {"b", 1, {"B0"}, ""}},
       "rank 1 on b: 2 ranks see the same 1 GPU;"},
      {"two ranks share one of the GPUs",
       "auto",
       {{"a", 0, {"A0"}, ""}, {"a", 1, {"A0", "A0"}, ""}},
       "rank 1 on a and rank 0 on a would share the GPU A0"},
      {"a host without a driver",
       "auto",
       {{"a", 0, kFour, ""}, {"a", 1, kFour, ""}, none("b", 0)},
       "rank 2 on b can use no GPU: there is no NVIDIA driver; 2 of 3 ranks can"},
      {"one rank without its GPU",
       "cuda",
       {{"a", 0, {"A0"}, ""}, none("a", 1, "CUDA_VISIBLE_DEVICES is empty")},
       "rank 1 on a can use no GPU: CUDA_VISIBLE_DEVICES is empty"},
      {"GPUs wanted and none there",
       "cuda",
       {none("a", 0), none("a", 1)},
       "rank 0 on a can use no GPU: there is no NVIDIA driver;"},
  };
  return all;
}

TEST(ChooseDevices, FollowFromWhatAllRanksSee) {
  for (const Case& one : cases()) {
    const std::string found = verdict(one.wanted, one.ranks);
    EXPECT_EQ(found.substr(0, std::string(one.expected).size()), one.expected) << one.about << ": " << found;
  }
}

}  // namespace
}  // namespace sft
