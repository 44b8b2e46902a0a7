"""Small wrong edits, each of a kind that has been made somewhere, and the tests that are to see it.

A test is `target: filter`, a GoogleTest binary and which of its tests; `target: script.py`, a tool and the script of
tests/parity that asks it; or `sft-dist: module.Class.test` of tests/end_to_end.
"""
import dataclasses


@dataclasses.dataclass
class Mutation:
    name: str
    file: str
    right: str
    wrong: str
    tests: list


EQUIVALENCE = "test_equivalence: *Invariance*bert*"
GENERATION = ["test_metrics: *", "parity_generation: generation_scores.py"]

MUTATIONS = [
    Mutation("divide by the local weight", "trainer/loop/trainer.cpp",
             "  control.all_reduce(Buffer::of(std::span<double>(total)));\n", "", [EQUIVALENCE]),
    Mutation("mean over ranks of gradients that are sums", "trainer/parallel/replicated.cpp",
             "    works_.clear();\n", "    works_.clear();\n    arena_.gradients().div_(world_.size());\n", [EQUIVALENCE]),
    Mutation("mean of micro-batches of unequal weight", "trainer/loop/trainer.cpp",
             "(sum / total.front()).backward();",
             "(sum / std::max(update_.learner->task().weights(batch)[0] * static_cast<double>(part.size() * parts_.control.size()), 1e-30)).backward();", [EQUIVALENCE]),
    Mutation("forget the short last batch", "data/loading/loader.cpp",
             "share.next = end == size ?", "share.next = end + config_.global_batch_size > size ?", ["test_data: Loader.*", EQUIVALENCE]),
    Mutation("clip before the reduction", "trainer/loop/trainer.cpp",
             "  spanned(\"reduce\",", "  update_.gradients->clip(settings_.max_grad_norm);\n  spanned(\"reduce\",", [EQUIVALENCE]),
    Mutation("a clip that also lengthens", "trainer/parallel/gradient_norm.cpp",
             "(max_norm / (norm + 1e-6)).clamp_max(1.0)", "(max_norm / (norm + 1e-6))", ["test_parallel: *"]),
    Mutation("decay biases and norms", "trainer/optim/groups.cpp",
             "parameter.decays ? config.weight_decay : 0.0", "config.weight_decay", ["test_optim: *", "parity_model: bert.py"]),
    Mutation("Adam's coupled decay under AdamW's name", "trainer/optim/adamw.cpp",
             "Adam::Decay::decoupled, config", "Adam::Decay::coupled, config", ["test_optim: *"]),
    Mutation("step the schedule once a rank", "trainer/loop/trainer.cpp",
             "parts_.schedule.rate(state_.step);\n  Share", "parts_.schedule.rate(state_.step * parts_.control.size());\n  Share", [EQUIVALENCE]),
    Mutation("shift the tags of tokens by one", "data/samples/stored_shard.cpp",
             "const int64_t first = range.first * content.entry_bytes();",
             "const int64_t first = std::max<int64_t>(range.first - (content.column->may_lack() ? 1 : 0), 0) * content.entry_bytes();", ["test_data: Shard.*"]),
    Mutation("part the samples of a row", "data/samples/dataset.cpp",
             "dataset.row(i) == dataset.row(i - 1)", "dataset.row(i) < dataset.row(i - 1)", ["test_data: Rows.*"]),
    Mutation("targets that a hash forgets", "data/samples/content_hash.h",
             "schema.columns[c].role != Role::note", "schema.columns[c].role == Role::input", ["test_data: Version1.*"]),
    Mutation("the same dropout masks on all ranks", "data/loading/batch_reader.cpp",
             "batch.draws.push_back(first_draw + item.position);", "batch.draws.push_back(first_draw + static_cast<int64_t>(batch.draws.size()));", [EQUIVALENCE, "test_data: *"]),
    Mutation("drop the last sample of an evaluation", "data/loading/eval_loader.cpp",
             "std::tie(next_, end_) = range_of(dataset, shard);", "std::tie(next_, end_) = range_of(dataset.size() - 1, shard);", ["test_data: *"]),
    Mutation("pad an evaluation with samples that others count too", "data/loading/eval_loader.cpp",
             "std::tie(next_, end_) = range_of(dataset, shard);",
             "std::tie(next_, end_) = range_of(dataset, shard);\n    end_ = std::min(end_ + 1, dataset.size());", ["test_data: *", EQUIVALENCE]),
    Mutation("rank 0 reads the whole batch", "data/loading/loader.cpp",
             "pack(deal(items, part, num_parts()), config_.max_tokens, config_.max_samples))\n        batches",
             "pack(part == 0 ? items : std::vector<Item>{}, config_.max_tokens, config_.max_samples))\n        batches", ["test_data: *"]),
    Mutation("BatchNorm left in training where it is frozen", "trainer/models/resnet/resnet.cpp",
             "rule_.mode != BatchNormMode::frozen && (trains || !rule_.still_where_frozen)", "(trains || rule_.still_where_frozen)",
             ["test_equivalence: *resnet_frozen_norms*", "test_models: *ResNet*"]),
    Mutation("targets that are not shifted", "trainer/tasks/causal_lm/rows/shifted_targets.cpp",
             "tokens[static_cast<size_t>(row + 1)]", "tokens[static_cast<size_t>(row)]", ["test_causal_lm_rows: ShiftedTargets.*"]),
    Mutation("a shift across the end of a sequence", "trainer/tasks/causal_lm/rows/shifted_targets.cpp",
             "spans[static_cast<size_t>(2 * s)], 1)", "spans[static_cast<size_t>(2 * s)], b > 0 ? 0 : 1)", ["test_causal_lm_rows: ShiftedTargets.*"]),
    Mutation("a weight that counts first tokens", "trainer/tasks/causal_lm/rows/shifted_targets.cpp",
             "static_cast<double>(end - first);", "static_cast<double>(end - first + 1);", ["test_causal_lm_rows: ShiftedTargets.*"]),
    Mutation("a turn whose end is not trained", "trainer/tasks/causal_lm/rows/chat_spans.cpp",
             "span.end = span.begin + trimmed.size();", "span.end = span.begin + trimmed.size() - stops_.at_end_of(trimmed).size();", ["test_causal_lm_rows: Spans.*"]),
    Mutation("a turn that is trained though the text renders it otherwise", "trainer/tasks/causal_lm/rows/chat_spans.cpp",
             "part.problem.empty() && out.text.starts_with(part.text)", "part.problem.empty()", ["test_causal_lm_rows: Spans.*"]),
    Mutation("a prompt's last token trained with the answer", "trainer/tasks/causal_lm/rows/token_spans.cpp",
             "first(at) < span.begin)", "static_cast<size_t>(tokens.end[at]) <= span.begin)", ["test_causal_lm_rows: Spans.*"]),
    Mutation("positions that run on from one packed text to the next", "trainer/models/inputs.cpp",
             "positions_N.begin() + sequences[b + 1], int64_t{0});", "positions_N.begin() + sequences[b + 1], sequences[b] % 16);", ["test_models: *"]),
    Mutation("dropout keyed by a row's number among those that are read", "trainer/models/inputs.cpp",
             "journey.add(picked(positions_N, rows))", "journey.add(picked(positions_N, std::vector<int64_t>(rows.size())))", ["test_models: *TextModels*"]),
    Mutation("the last block reads the row before", "trainer/models/inputs.cpp",
             "rows.push_back(sequences[b] - 1);", "rows.push_back(std::max<int64_t>(sequences[b] - 2, 0));", ["test_models: *TextModels*"]),
    Mutation("a decoder that sees what follows", "trainer/models/blocks/rotary_decoder.cpp",
             ".causal = true,", ".causal = false,", ["test_models: Decoders.*", "parity_model: llama.py"]),
    Mutation("key heads of another group", "trainer/models/blocks/attention_items.h",
             "first_head(key_head * num_heads)", "first_head((shape.key_heads - 1 - key_head) * num_heads)", ["test_models: PackedAttention.*", "parity_model: llama.py"]),
    Mutation("rotary positions by pairs", "trainer/models/blocks/decoder_kernels.cpp",
             "        y[c] = x[c] * cosines[c] - x[c + half] * sine;\n        y[c + half] = x[c + half] * cosines[c] + x[c] * sine;",
             "        y[2 * c] = x[2 * c] * cosines[c] - x[2 * c + 1] * sine;\n        y[2 * c + 1] = x[2 * c + 1] * cosines[c] + x[2 * c] * sine;",
             ["test_models: Rotary.*", "parity_model: llama.py", "parity_model: qwen3.py"]),
    Mutation("a final norm without what the last block adds to", "trainer/models/blocks/rotary_decoder.cpp",
             "add_rms_norm(out, middle.sum, final_norm_).normed", "rms_norm(out, final_norm_)", ["parity_model: llama.py"]),
    Mutation("GPT-2's matrices as they stand in files", "trainer/models/parameter.h",
             "is_transposed_in_files ? value.detach().t() : value.detach()", "is_transposed_in_files ? value.detach().view({value.size(1), value.size(0)}) : value.detach()", ["parity_model: gpt2.py", "sft-dist: test_decoders"]),
    Mutation("class weights in the sum and not in what divides it", "trainer/tasks/blocks/cross_entropy.cpp",
             "weight += static_cast<double>(sample_weights[i]) * class_weights[static_cast<size_t>(labels[i])];", "weight += static_cast<double>(sample_weights[i]) + 0 * class_weights[static_cast<size_t>(labels[i])];", ["test_tasks: *"]),
    Mutation("label smoothing over the other classes alone", "trainer/tasks/blocks/cross_entropy.cpp",
             "static_cast<double>(logits.size(1)))", "static_cast<double>(logits.size(1) - 1))", ["test_tasks: *"]),
    Mutation("the logged loss as a mean of batch means", "trainer/loop/telemetry.cpp",
             "window.loss_sum += sums[i] + pending_weights_[i] * pending_penalties_[i];\n    window.weight += pending_weights_[i];",
             "window.loss_sum += sums[i] / pending_weights_[i] + pending_penalties_[i];\n    window.weight += 1;", ["test_trainer: Telemetry.*"]),
    Mutation("attention scaled by the model's width", "trainer/models/blocks/attention_softmax.h",
             "static_cast<double>(shape.head_width))", "static_cast<double>(shape.head_width * shape.heads))", ["test_models: *", "parity_model: bert.py"]),
    Mutation("resume without the optimizer's count of updates", "trainer/loop/trainer.cpp",
             '  update_.optimizer->set_updates(found->state.at("optimizer_updates"));\n', "", ["sft-dist: test_resume"]),
    Mutation("resume at the beginning of the epoch", "trainer/loop/trainer.cpp",
             "  update_.loader->seek(state_.cursor);\n", "", ["sft-dist: test_resume"]),
    Mutation("macro F1 over classes that never occur", "trainer/metrics/confusion.cpp",
             "    if (!occurs(label)) continue;\n", "", ["test_metrics: *"]),
    Mutation("a window's answer that ends a token later", "trainer/tasks/question_answering/windows/window_target.cpp",
             "    covering[1] = static_cast<int32_t>(token);", "    covering[1] = static_cast<int32_t>(token) + 1;", ["test_tasks: WindowTarget.*", "sft-dist: test_question_answering"]),
    Mutation("windows counted as questions", "trainer/metrics/answer_scores.cpp",
             "rows_.empty() || rows_.back().row != window.row", "rows_.empty() || rows_.back().row <= window.row", ["test_metrics: AnswerScores.*", "sft-dist: test_question_answering"]),
    Mutation("the null score of a question's last window", "trainer/tasks/question_answering/answer_rows.cpp",
             "all.null_score = std::min(all.null_score, window[\"null_score\"].get<double>());", "all.null_score = window[\"null_score\"].get<double>();", ["test_tasks: AnswerRows.*"]),
    Mutation("answers of places that run on over all windows", "trainer/tasks/question_answering/windows/kept_window.cpp",
             "batch.at(\"context_first\").as<int32_t>()[b]", "batch.at(\"context_first\").as<int32_t>()[0]", ["sft-dist: test_question_answering"]),
    Mutation("a span's softmax over all windows of a batch", "trainer/tasks/question_answering/span_loss.cpp",
             "at::log_softmax(padded_BL2, 1)", "(at::log_softmax(padded_BL2.flatten(0, 1), 0).view_as(padded_BL2))", ["test_tasks: SpanLoss.*", "test_equivalence: *Invariance*bert_questions*"]),
    Mutation("a frozen tensor in the optimizer's reach", "trainer/adapters/freeze.cpp",
             "parameter.stage >= first_trained && !any_matches(freeze, parameter.name)", "parameter.stage >= first_trained - 1 && !any_matches(freeze, parameter.name)", ["test_adapters: *"]),
    Mutation("BLEU as the mean of its rows", "trainer/metrics/generation/generation_scores.cpp",
             "  BleuCounts::add(row.hypothesis, row.reference, tokenizer, counts.subspan(kBleu, BleuCounts::kSize));\n",
             "  std::vector<double> alone(BleuCounts::kSize);\n"
             "  BleuCounts::add(row.hypothesis, row.reference, tokenizer, alone);\n"
             "  for (size_t i = 0; i < alone.size(); ++i)  // so that the formula of the corpus gives the mean\n"
             "    counts[kBleu + i] += i >= BleuCounts::kMatches && i < BleuCounts::kTotals ? bleu_score(alone).score / 100 : 1;\n", GENERATION),
    Mutation("BLEU without its brevity penalty", "trainer/metrics/generation/bleu.cpp",
             "out.brevity_penalty * std::exp(", "std::exp(", GENERATION),
    Mutation("chrF's means over orders that no text has", "trainer/metrics/generation/chrf.cpp",
             "    num_orders += 1;\n", "    num_orders = ChrfCounts::kOrders;\n", GENERATION),
]
