// A task with the losses and metrics of plugins beside its own.
#pragma once

#include <memory>

#include "trainer/plugins/plugins.h"
#include "trainer/tasks/blocks/logits_task.h"

namespace sft {

// The task that learns by a loss of a plugin, or by its own where `loss` is null, and tells the metrics of all plugins
// behind its own; the loss that is learned by is among them under its name. `target`: the task's column of targets.
// ConfigError where plugins cannot see what the task learns, a name is one of the task's own, or a loss is not sound.
std::unique_ptr<Task> with_plugins(std::unique_ptr<Task> task, const Column& target, int64_t num_outputs,
                                   std::shared_ptr<const Plugins> plugins, const PluginLoss* loss);

}  // namespace sft
