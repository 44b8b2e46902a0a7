"""Low-rank adapters against PEFT, live: same base, same A and B, same sequences, dropout off.

    lora.py PARITY_MODEL

Each case is a random architecture of a family and a LoraConfig. Loss, logits and the gradients of A, B and the head must
agree as harness.py has it; the weights under the adapters get none on either side. Then 10 updates of AdamW as there.
"""
import copy
import random
import sys

import decoder
import harness
import pairs
import torch

try:
    import peft
    from transformers import (BertConfig, BertForSequenceClassification, BertForTokenClassification, DistilBertConfig, DistilBertForSequenceClassification, GPT2Config,
                              GPT2ForSequenceClassification, LlamaConfig, LlamaForSequenceClassification, MarianConfig, MarianMTModel, RobertaConfig, RobertaForSequenceClassification, T5Config,
                              T5ForConditionalGeneration, Trainer, get_linear_schedule_with_warmup)
    from transformers.models.llama.modeling_llama import LlamaRMSNorm
    from transformers.models.t5.modeling_t5 import T5LayerNorm
except ImportError as missing:
    print(f"SKIPPED: no parity was checked, {missing} (tools/setup.sh test brings the Python references)")
    sys.exit(77)

LAYERS_OF_BERT = ["query", "key", "value", "intermediate.dense", "output.dense"]  # PEFT's all-linear takes the head of a token class too, and fails
LAYERS_OF_DISTILBERT = ["q_lin", "k_lin", "v_lin", "out_lin", "ffn.lin1", "ffn.lin2"]
CASES = [  # class, read, PEFT's settings, ours where they differ
    (BertForSequenceClassification, "text_classification", dict(r=4, lora_alpha=12), dict(target_modules=["query", "value"])),
    (BertForSequenceClassification, "text_classification", dict(r=3, lora_alpha=5, target_modules="all-linear", use_rslora=True), {}),
    (BertForSequenceClassification, "text_classification", dict(r=2, target_modules=["output.dense", "layer.1.attention.self.key"]), {}),
    (BertForTokenClassification, "token_classification", dict(r=8, lora_alpha=16, target_modules=LAYERS_OF_BERT), {}),
    (RobertaForSequenceClassification, "text_classification", dict(r=4, lora_alpha=3, target_modules="all-linear"), {}),
    (DistilBertForSequenceClassification, "text_classification", dict(r=5, lora_alpha=9, target_modules=LAYERS_OF_DISTILBERT, modules_to_save=["pre_classifier", "classifier"]), {}),
    (LlamaForSequenceClassification, "text_classification", dict(r=4, lora_alpha=6), dict(target_modules=["q_proj", "v_proj"])),
    (LlamaForSequenceClassification, "text_classification", dict(r=3, lora_alpha=6, target_modules="all-linear"), {}),
    (GPT2ForSequenceClassification, "text_classification", dict(r=4, lora_alpha=6, fan_in_fan_out=True), dict(target_modules=["c_attn"])),
    (GPT2ForSequenceClassification, "text_classification", dict(r=2, lora_alpha=6, target_modules="all-linear", fan_in_fan_out=True), {}),
    (T5ForConditionalGeneration, "seq2seq_lm", dict(r=4, lora_alpha=6), dict(target_modules=["q", "v"])),
    (T5ForConditionalGeneration, "seq2seq_lm", dict(r=3, lora_alpha=6, target_modules="all-linear"), {}),
    (MarianMTModel, "seq2seq_lm", dict(r=4, lora_alpha=6, target_modules=["q_proj", "v_proj"]), {}),
    (MarianMTModel, "seq2seq_lm", dict(r=2, lora_alpha=3, target_modules="all-linear", use_rslora=True), {}),
]
TASKS = {"token_classification": "TOKEN_CLS", "seq2seq_lm": "SEQ_2_SEQ_LM"}


class Family(decoder.Decoder):
    attention = "eager"

    def __init__(self, model_class):
        self.model_class = model_class
        self.key_bias = "key.bias"

    def config(self, r, number):
        small = dict(vocab_size=90, num_labels=3, **({} if self.model_class is GPT2ForSequenceClassification else {"max_position_embeddings": 70}), pad_token_id=1 if self.model_class is RobertaForSequenceClassification else 0)
        if self.model_class is DistilBertForSequenceClassification:
            return DistilBertConfig(dim=24, n_layers=3, n_heads=3, hidden_dim=40, dropout=0.0, attention_dropout=0.0, seq_classif_dropout=0.0, initializer_range=0.2, **small)
        if self.model_class is LlamaForSequenceClassification:
            return LlamaConfig(hidden_size=24, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2, head_dim=10, intermediate_size=40, attention_dropout=0.0, initializer_range=0.2, **small)
        if self.model_class is GPT2ForSequenceClassification:
            return GPT2Config(n_embd=24, n_layer=3, n_head=3, n_inner=40, embd_pdrop=0.0, resid_pdrop=0.0, attn_pdrop=0.0, initializer_range=0.2, bos_token_id=1, eos_token_id=1, n_positions=70, **small)
        config_class = RobertaConfig if self.model_class is RobertaForSequenceClassification else BertConfig
        return config_class(hidden_size=24, num_hidden_layers=3, num_attention_heads=3, intermediate_size=40, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
                            type_vocab_size=1 if config_class is RobertaConfig else 2, initializer_range=0.2, **small)

    def longest(self, config):
        return 40


class PairFamily(pairs.Pairs):
    key_bias = "k_proj.bias"

    def __init__(self, model_class):
        self.model_class = model_class

    def config(self, r, number):
        if self.model_class is MarianMTModel:
            return MarianConfig(vocab_size=90, d_model=24, encoder_layers=2, decoder_layers=2, encoder_attention_heads=3, decoder_attention_heads=2, encoder_ffn_dim=40, decoder_ffn_dim=30,
                                max_position_embeddings=70, dropout=0.0, attention_dropout=0.0, activation_dropout=0.0, init_std=0.2, pad_token_id=0, decoder_start_token_id=0, eos_token_id=1)
        return T5Config(vocab_size=90, d_model=24, d_kv=10, num_heads=3, d_ff=40, num_layers=2, dropout_rate=0.0, feed_forward_proj="gated-gelu" if number % 2 else "relu", decoder_start_token_id=0)


def our_name(name):
    name = name.removeprefix("base_model.model.").replace(".base_layer.", ".").replace(".default.", ".")
    return name.replace(".modules_to_save.", ".")


def model_of(family, config, read, settings):
    model = family.model_class(config)
    model = peft.get_peft_model(model, peft.LoraConfig(task_type=TASKS.get(read, "SEQ_CLS"), **copy.deepcopy(settings)))
    for name, value in model.named_parameters():  # B zero would hide A's gradient
        if value.dim() == 1 or "lora_B" in name:
            value.data.add_(torch.randn_like(value) * 0.2)
    return model.train()


def named(model):
    return [(our_name(name), value) for name, value in model.named_parameters() if ".original_module." not in name and "embed_positions" not in name]


def check_gradients(family, case, model, tool):
    tensors = named(model)
    loss, logits = family.reference(case, model, case["batches"][0])
    loss.backward()
    values = harness.ours(case, tensors, tool)
    mine, rest = values[1 + logits.numel():], {}
    for name, value in tensors:
        rest[name], mine = mine[:value.numel()].view_as(value), mine[value.numel():]
    scale = logits.detach().abs().max().item()
    worst = {"loss": abs(values[0].item() - loss.item()), "logits": ((values[1:1 + logits.numel()].view_as(logits) - logits.detach()).abs().max() / scale).item()}
    whole = torch.cat([value.grad.flatten() for _, value in tensors if value.grad is not None]).double().norm()
    for name, value in tensors:
        if value.grad is None:
            assert not rest[name].any(), f"{name} is frozen for PEFT and got a gradient here"
            continue
        least = 1e-2 if name.endswith(family.key_bias) else 1e-4
        worst[name] = ((rest[name] - value.grad).double().norm() / max(value.grad.double().norm(), least * whole)).item()
    return max(worst.items(), key=lambda item: item[1])


def check_updates(family, case, model, tool):
    tensors = named(model)
    mine = harness.ours(case, tensors, tool)
    decays = {our_name(name) for name in Trainer.get_decay_parameter_names(None, model)}
    groups = [{"params": [v for n, v in tensors if v.requires_grad and (n in decays) is decayed], "weight_decay": case["weight_decay"] if decayed else 0.0} for decayed in (True, False)]
    optimizer = torch.optim.AdamW(groups, lr=case["learning_rate"])
    schedule = get_linear_schedule_with_warmup(optimizer, case["warmup_steps"], case["updates"])
    worst, first = 0, None
    for update in range(case["updates"]):
        loss, _ = family.reference(case, model, case["batches"][update % len(case["batches"])])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), case["max_grad_norm"])
        optimizer.step(), schedule.step(), optimizer.zero_grad()
        first = first or loss.item()
        error = abs(loss.item() - mine[update].item())
        worst = max(worst, error if error == error else 9e9)
    return f"a loss from {first:.3f} to {loss.item():.3f}", worst


def check(number, tool, updates, dtype):
    model_class, read, settings, other = CASES[number]
    r = random.Random(number)
    family = (PairFamily if read == "seq2seq_lm" else Family)(model_class)
    config = family.config(r, number)
    config._attn_implementation = "sdpa" if config.model_type in ("llama", "gpt2") else "eager"
    torch.manual_seed(number)
    model = model_of(family, config, read, settings).to(getattr(torch, dtype))
    lora = {"lora_alpha": 8, "use_rslora": False, **settings, **other}
    lora = {**lora, "target_modules": [lora["target_modules"]] if isinstance(lora["target_modules"], str) else lora["target_modules"]}
    case = {**harness.UPDATES, "config": config, "dtype": dtype, "read": read, "task": read, "pooling": "auto", "lora": lora, "updates": 10 if updates else 0,
            "batches": [family.batch(config, read, r, 5) for _ in range(3 if updates else 1)]}
    what, error = (check_updates if updates else check_gradients)(family, case, model, tool)
    good = error <= harness.TOLERANCE[dtype]
    print(f"{'ok  ' if good else 'FAIL'} {model_class.__name__} {dtype} {settings} {'over 10 updates' if updates else ''}: worst {error:.1e} ({what})", flush=True)
    return good


decoder.exact_in_float64(LlamaRMSNorm)
decoder.exact_in_float64(T5LayerNorm)


def main():
    torch.set_num_threads(1)
    jobs = [(number, sys.argv[1], updates, dtype) for number in range(len(CASES)) for updates in (False, True) for dtype in ("float64", "float32")]
    bad = [job for job in jobs if not check(*job)]
    print(f"{len(jobs) - len(bad)} of {len(jobs)} cases agree with PEFT {peft.__version__}")
    sys.exit(1 if bad else 0)


main()
