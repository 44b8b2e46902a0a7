#include "trainer/tasks/loss_config.h"

namespace sft {

StringList built_losses() {
  return {"auto", "cross_entropy", "focal", "gce", "sce", "bootstrap", "bce", "mse", "mae", "huber"};
}

}  // namespace sft
