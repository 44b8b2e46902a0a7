"""Question answering against transformers' ForQuestionAnswering classes of BERT and its relatives, live: same
weights, same windows, dropout off. The same tensors must be there, and loss, logits and every gradient agree as bert.py says.

    question_answering.py PARITY_SPANS [first_case [cases]]

transformers takes padding for tokens in the loss, so windows are of one length there: each goes alone, and the mean of
their losses is compared. What adds the same to the scores of all tokens changes no loss: the gradients of the head's bias
and of the last norm's are zero but for rounding, as those of key biases are.
"""
import random

import exchange  # answers 77 where transformers is missing
import torch
from transformers import (AlbertConfig, AlbertForQuestionAnswering, BertConfig, BertForQuestionAnswering, DebertaV2Config, DebertaV2ForQuestionAnswering, DistilBertConfig, DistilBertForQuestionAnswering, ElectraConfig,
                          ElectraForQuestionAnswering, ModernBertConfig, ModernBertForQuestionAnswering, RobertaConfig, RobertaForQuestionAnswering)
from transformers.models.llama.modeling_llama import apply_rotary_pos_emb
from transformers.models.modernbert import modeling_modernbert

TOLERANCE = {"float32": 1e-5, "float64": 1e-10}


def random_model(r):
    heads, vocabulary = r.choice([1, 2, 4]), r.randint(20, 200)
    width, blocks, inner = heads * r.choice([4, 8, 16]), r.randint(1, 3), r.choice([13, 32, 50])
    family = r.choice(["bert", "roberta", "distilbert", "modernbert", "electra", "albert", "deberta-v2"])
    if family == "distilbert":
        config = DistilBertConfig(vocab_size=vocabulary, dim=width, n_heads=heads, n_layers=blocks, hidden_dim=inner, max_position_embeddings=64,
                                  initializer_range=0.2, dropout=0.0, attention_dropout=0.0, qa_dropout=0.0)
        return DistilBertForQuestionAnswering, config, 1
    if family == "modernbert":
        config = ModernBertConfig(vocab_size=vocabulary, hidden_size=width, num_attention_heads=heads, num_hidden_layers=blocks, intermediate_size=inner, max_position_embeddings=64,
                                  initializer_range=0.2, pad_token_id=0, bos_token_id=1, eos_token_id=2, cls_token_id=1, sep_token_id=2, local_attention=6, norm_bias=r.choice([False, True]))
        return ModernBertForQuestionAnswering, config, 1
    settings = dict(vocab_size=vocabulary, hidden_size=width, num_attention_heads=heads, num_hidden_layers=blocks, intermediate_size=inner,
                    max_position_embeddings=64, initializer_range=0.2, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    if family == "roberta":
        return RobertaForQuestionAnswering, RobertaConfig(type_vocab_size=1, pad_token_id=1, **settings), 1
    if family == "electra":
        return ElectraForQuestionAnswering, ElectraConfig(embedding_size=r.choice([width, 6]), **settings), 2
    if family == "albert":
        return AlbertForQuestionAnswering, AlbertConfig(embedding_size=6, **settings), 2
    if family == "deberta-v2":
        return DebertaV2ForQuestionAnswering, DebertaV2Config(relative_attention=True, share_att_key=True, pos_att_type="p2c|c2p", position_buckets=8, norm_rel_ebd="layer_norm", position_biased_input=False, **settings), 1
    return BertForQuestionAnswering, BertConfig(**settings), 2


def random_case(number):
    r = random.Random(number)
    kind, config, segments = random_model(r)
    lengths = [r.randint(1, 40) for _ in range(r.randint(1, 7))]
    first = [r.choice([0, r.randrange(n)]) for n in lengths]
    case = {
        "config": config, "dtype": "float64" if number % 3 == 0 else "float32",
        "tokens": [[r.randrange(2, config.vocab_size) for _ in range(n)] for n in lengths],
        "segments": [[r.randrange(segments) for _ in range(n)] for n in lengths],
        "spans": [[a, r.randrange(a, n)] for a, n in zip(first, lengths)],
    }
    return kind, case


def reference(case, model):
    losses, logits = [], []
    for tokens, segments, (first, last) in zip(case["tokens"], case["segments"], case["spans"]):
        inputs = {"input_ids": torch.tensor([tokens]), "start_positions": torch.tensor([first]), "end_positions": torch.tensor([last])}
        if case["config"].model_type in ("bert", "electra", "albert"):
            inputs["token_type_ids"] = torch.tensor([segments])
        out = model(**inputs)
        losses.append(out.loss)
        logits.append(torch.stack([out.start_logits[0], out.end_logits[0]], 1))
    return torch.stack(losses).mean(), torch.cat(logits)


def ours(case, tensors, logits, tool):
    flat = exchange.hand(case, tensors, tool, lambda directory: exchange.values_in(directory, case["dtype"]))
    loss, values, *gradients = flat.split([1, logits.numel()] + [value.numel() for _, value in tensors])
    return loss[0], values.view_as(logits), [g.view_as(v) for g, (_, v) in zip(gradients, tensors)]


def check(number, tool):
    kind, case = random_case(number)
    torch.manual_seed(number)
    model = kind._from_config(case["config"], attn_implementation="sdpa" if case["config"].model_type == "modernbert" else "eager").to(getattr(torch, case["dtype"])).train()
    for value in model.parameters():  # norms and biases that could not be mistaken for absent ones
        if value.dim() == 1:
            value.data.add_(torch.randn_like(value) * 0.3)
    tensors = list(model.named_parameters())
    loss, logits = reference(case, model)
    loss.backward()
    our_loss, our_logits, our_gradients = ours(case, tensors, logits, tool)

    last = f"layer.{case['config'].num_hidden_layers - 1}.output"
    shifts = ("key.bias", "k_lin.bias", "qa_outputs.bias", "classifier.bias", "head.norm.bias", f"{last}.LayerNorm.bias", f"{last}_layer_norm.bias",
              *(["full_layer_layer_norm.bias"] if case["config"].num_hidden_layers == 1 else []))  # ALBERT's: of all blocks
    gradient = lambda value: torch.zeros_like(value) if value.grad is None else value.grad
    whole = sum(gradient(v).double().norm() ** 2 for _, v in tensors) ** 0.5
    worst = {"loss": abs(our_loss - loss).item() / max(1, abs(loss.item())),
             "logits": (our_logits - logits).abs().max().item() / max(1, logits.abs().max().item())}
    for (name, value), mine in zip(tensors, our_gradients):
        only_rounding = name.endswith(shifts) and case["dtype"] == "float32"
        allowed = max(gradient(value).double().norm(), (1e-2 if only_rounding else 1e-4) * whole)
        worst[name] = ((mine - gradient(value)).double().norm() / allowed).item()
    name, error = max(worst.items(), key=lambda item: item[1])
    good = error <= TOLERANCE[case["dtype"]]  # false for a NaN
    print(f"{'ok  ' if good else 'FAIL'} case {number}: {case['config'].model_type}, {case['dtype']}: worst {error:.1e} ({name})", flush=True)
    return good


modeling_modernbert.apply_rotary_pos_emb = apply_rotary_pos_emb  # see encoders.py
exchange.main(check, cases=24)
