#include "trainer/config/other_trainers.h"

#include <algorithm>
#include <ranges>

namespace sft {
namespace {

constexpr OtherNames kNames[] = {
    {"bf16 bf16_full_eval fp16 fp16_full_eval half_precision",
     "model.dtype = \"bfloat16\", what trains stays in float32; float16 is not built"},
    {"tf32", "of matrices model.dtype alone says it; convolutions on a GPU are as cuDNN does them by itself"},
    {"load_in_8bit load_in_4bit quantization_config",
     "quantised weights are not built; lora.r = 16 with model.dtype = \"bfloat16\" trains adapters over narrow "
     "weights"},
    {"model_name pretrained_model_name_or_path base_model base_model_name_or_path", "model.model_name_or_path"},
    {"tokenizer_name config_name processor_name use_fast_tokenizer",
     "model.model_name_or_path: its directory holds the tokenizer and the config too"},
    {"model_revision revision cache_dir token use_auth_token",
     "nothing is downloaded: `hf download NAME` fills the hub's cache, where model.model_name_or_path = \"NAME\" finds "
     "it"},
    {"trust_remote_code", "no code of a model is run; docs list the models that are built"},
    {"model_init_kwargs config_overrides dropout",
     "model.config = { hidden_dropout_prob = 0.1 }: keys of the model's config.json by their names there; of adapters "
     "lora.lora_dropout"},
    {"attn_implementation use_liger_kernel liger_kernel_config torch_compile torch_compile_backend torch_compile_mode "
     "jit_mode_eval",
     "needs no key: the kernels are this program's own"},
    {"use_cache", "needs no key: training keeps no cache, generation always"},
    {"dataset_name dataset_config_name dataset",
     "data.train_file: files on disk; `hf download --repo-type dataset NAME --local-dir DIR` brings them"},
    {"text_column_name text_column_names dataset_text_field", "data.text_column"},
    {"label_column_name label_names", "data.label_column"},
    {"length_column_name remove_unused_columns", "needs no key: columns that are not named are not read"},
    {"max_seq_len model_max_length block_size max_source_length", "data.max_length"},
    {"truncation_mode", "data.truncation = \"right\", \"left\", \"drop\", \"split\" or \"error\""},
    {"packing packing_strategy padding_free eval_packing pad_to_max_length pad_to_multiple_of pad_token group_texts",
     "needs no key: rows are packed without padding and never see each other"},
    {"group_by_length", "data.train_sampling_strategy = \"group_by_length\"; rows are dealt by length without it too"},
    {"shuffle_dataset shuffle_train_dataset", "data.train_sampling_strategy = \"random\" or \"sequential\""},
    {"completion_only_loss assistant_only_loss",
     "data.train_on = \"assistant\"; of rows with a prompt and a completion the completion alone is trained"},
    {"chat_template_path", "data.chat_template"},
    {"eos_token", "data.add_eos for training, generate.eos_token_id for answers; the token is the tokenizer's"},
    {"overwrite_cache", "needs no key: prepared rows are compared with what is asked, and made anew where they differ"},
    {"dataset_num_proc preprocessing_num_workers dataloader_num_workers dataloader_pin_memory "
     "dataloader_persistent_workers dataloader_prefetch_factor dataloader_multiprocessing_context dataloader_in_order "
     "dataloader_drop_last accelerator_config dispatch_batches split_batches dataset_kwargs",
     "needs no key: all ranks prepare the rows once, and read them beside the training; no row is dropped"},
    {"batch_size train_batch_size", "train.global_batch_size, over all ranks"},
    {"per_gpu_train_batch_size micro_batch_size",
     "train.per_device_train_batch_size, or train.global_batch_size over all ranks"},
    {"eval_batch_size per_gpu_eval_batch_size", "eval.per_device_eval_batch_size"},
    {"auto_find_batch_size",
     "train.max_tokens_per_micro_batch bounds the memory; the batch stays what train.global_batch_size says"},
    {"average_tokens_across_devices", "needs no key: a sum over all ranks is divided once"},
    {"activation_checkpointing gradient_checkpointing_kwargs activation_checkpointing_kwargs activation_offloading",
     "train.gradient_checkpointing = true"},
    {"gradient_clip_val clip_grad_norm", "train.max_grad_norm"},
    {"label_smoothing", "train.label_smoothing_factor"},
    {"neftune_noise_alpha router_aux_loss_coef loss_type", "not built; train.loss lists the losses"},
    {"torch_empty_cache_steps skip_memory_metrics include_num_input_tokens_seen include_tokens_per_second",
     "needs no key: tokens and rates are in metrics.jsonl, memory is in summary.json"},
    {"optim_args", "optim.adam_beta1, optim.adam_beta2, optim.adam_epsilon, optim.momentum, optim.nesterov"},
    {"adafactor optim_target_modules", "optim.optim = \"adamw\", \"adam\" or \"sgd\""},
    {"lr_scheduler_kwargs", "scheduler.warmup_steps and scheduler.min_lr_ratio; the others are not built"},
    {"patience", "eval.early_stopping_patience = 3"},
    {"eval_delay eval_on_start", "not built; eval.eval_steps says how often"},
    {"metric_name compute_metrics include_for_metrics batch_eval_metrics",
     "eval.metrics, of those that plugins = [...] brings too"},
    {"compute_loss_func", "train.loss, one that plugins = [...] brings too"},
    {"eval_accumulation_steps prediction_loss_only eval_do_concat_batches eval_use_gather_object",
     "needs no key: evaluation adds exact counts over all ranks; of outputs it keeps the scores that areas under "
     "curves and correlations need"},
    {"callbacks", "hooks.on_evaluation: a command that gets each evaluation's metrics as JSON"},
    {"num_folds k_folds n_splits", "data.fold = \"1/5\", of a sweep all of them"},
    {"predict_with_generate", "eval.generate = true"},
    {"generation_max_length generation_num_beams generation_config", "generate.max_new_tokens and generate.num_beams"},
    {"save_safetensors save_on_each_node enable_jit_checkpoint",
     "needs no key: checkpoints are safetensors, written once, and a signal saves (save.save_on_signal)"},
    {"ignore_data_skip restore_callback_states_from_checkpoint",
     "needs no key: a resumed run goes on with the very next row"},
    {"full_determinism", "deterministic = true"},
    {"data_seed random_seed", "seed: of initialisation, order and dropout"},
    {"use_cpu no_cuda use_mps_device", "device = \"cpu\""},
    {"run_name logging_dir project trackio_space_id trackio_bucket_id trackio_static_space_id",
     "output_dir: everything a run leaves is in it, TensorBoard's events too"},
    {"logging_strategy logging_first_step logging_nan_inf_filter", "log.logging_steps; the others are not built"},
    {"log_level log_level_replica log_on_each_node debug",
     "the options -q and -v of each command; rank 0 speaks, and a rank that has an error"},
    {"disable_tqdm", "log.progress = \"none\""},
    {"push_to_hub hub_model_id hub_token hub_private_repo hub_strategy hub_always_push hub_revision "
     "push_to_hub_model_id",
     "nothing is sent anywhere: `hf upload NAME RUN_DIR/model` sends what a run leaves"},
    {"do_train do_eval do_predict",
     "the command says what is done: train, evaluate, predict; a run evaluates where there is data.validation_file, "
     "data.validation_split or data.fold, and at its end data.test_file"},
    {"fsdp fsdp_config deepspeed parallelism_config ddp_find_unused_parameters ddp_broadcast_buffers ddp_static_graph",
     "parallel.strategy: \"zero1\", \"zero2\" and \"zero3\" are those stages of ZeRO"},
    {"ddp_backend", "comm.backend"},
    {"ddp_bucket_cap_mb", "comm.bucket_bytes, in bytes"},
    {"ddp_timeout", "comm.timeout_seconds"},
    {"local_rank", "needs no key: mpirun or srun starts the ranks"},
    {"task_type peft_type", "model.task"},
    {"dryrun", "the option --dry-run of train"},
    {"bias modules_to_save exclude_modules layers_to_transform layers_pattern rank_pattern alpha_pattern use_dora "
     "fan_in_fan_out init_lora_weights",
     "not built for adapters; lora.target_modules says where they are, and a new head trains beside them"},
};

}  // namespace

std::span<const OtherNames> other_names() { return kNames; }

std::string_view said_here(std::string_view name) {
  for (const OtherNames& row : kNames)
    for (const auto word : std::views::split(row.names, ' '))
      if (std::ranges::equal(word, name)) return row.here;
  return "";
}

}  // namespace sft
