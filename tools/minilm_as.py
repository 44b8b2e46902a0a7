#!/usr/bin/env python3
"""MiniLM's weights under DistilBERT's, RoBERTa's or ELECTRA's architecture: what configs/distilbert_text_classification.toml, roberta_… and electra_… start from.

    .deps/venv/bin/python tools/minilm_as.py distilbert    writes demo/models/minilm_distilbert
    .deps/venv/bin/python tools/minilm_as.py roberta       writes demo/models/minilm_roberta
    .deps/venv/bin/python tools/minilm_as.py electra       writes demo/models/minilm_electra

All say what BERT says of a single text: the row of the first token type is added to each position's (and taken from the other types of ELECTRA), and RoBERTa
counts positions from behind the padding's. That is checked here. The tokenizer stays MiniLM's. A second call does nothing.
"""
import json
import shutil
import sys

import torch
from transformers import AutoModel, DistilBertConfig, DistilBertModel, ElectraConfig, ElectraModel, RobertaConfig, RobertaModel

from debian_descriptions import DEMO, fail, say

OF_DISTILBERT = {"attention.self.query": "attention.q_lin", "attention.self.key": "attention.k_lin", "attention.self.value": "attention.v_lin", "attention.output.dense": "attention.out_lin",
                 "attention.output.LayerNorm": "sa_layer_norm", "intermediate.dense": "ffn.lin1", "output.dense": "ffn.lin2", "output.LayerNorm": "output_layer_norm", "encoder.": "transformer."}


def distilbert(bert, weights):
    config = DistilBertConfig(vocab_size=bert.vocab_size, dim=bert.hidden_size, n_layers=bert.num_hidden_layers, n_heads=bert.num_attention_heads, hidden_dim=bert.intermediate_size,
                              max_position_embeddings=bert.max_position_embeddings, activation=bert.hidden_act)
    named = {}
    for name, value in weights.items():
        for ours, theirs in OF_DISTILBERT.items():
            name = name.replace(ours, theirs)
        named[name] = value
    return DistilBertModel(config), named


def roberta(bert, weights):
    first = bert.pad_token_id + 1
    config = RobertaConfig(vocab_size=bert.vocab_size, hidden_size=bert.hidden_size, num_hidden_layers=bert.num_hidden_layers, num_attention_heads=bert.num_attention_heads,
                           intermediate_size=bert.intermediate_size, max_position_embeddings=bert.max_position_embeddings + first, hidden_act=bert.hidden_act, type_vocab_size=1,
                           layer_norm_eps=bert.layer_norm_eps, pad_token_id=bert.pad_token_id, bos_token_id=101, eos_token_id=102)
    positions = weights["embeddings.position_embeddings.weight"]
    zeros = torch.zeros(first, positions.shape[1])
    return RobertaModel(config, add_pooling_layer=False), {**weights, "embeddings.position_embeddings.weight": torch.cat([zeros, positions]),
                                                           "embeddings.token_type_embeddings.weight": zeros[:1]}


def electra(bert, weights):
    sizes = ("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "max_position_embeddings", "hidden_act", "type_vocab_size", "layer_norm_eps", "pad_token_id")
    types = weights["embeddings.token_type_embeddings.weight"]
    return ElectraModel(ElectraConfig(embedding_size=bert.hidden_size, **{key: getattr(bert, key) for key in sizes})), {**weights, "embeddings.token_type_embeddings.weight": types - types[0]}


def converted(bert, family):
    weights = {name: value for name, value in bert.state_dict().items() if not name.startswith("pooler.")}
    weights["embeddings.position_embeddings.weight"] = weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0]
    model, named = FAMILIES[family](bert.config, weights)
    left = model.load_state_dict(named, strict=False)
    if left.missing_keys:
        fail(f"no weights for {', '.join(left.missing_keys)}")
    return model.eval()


def farthest(bert, model):
    """The largest difference of what the two say of a text of 20 tokens and of one of 3."""
    torch.manual_seed(0)
    ids = torch.randint(bert.config.pad_token_id + 1, bert.config.vocab_size, (2, 20))
    ids[1, 3:] = bert.config.pad_token_id
    kept = ids != bert.config.pad_token_id
    with torch.no_grad():
        return (bert(ids, kept.long()).last_hidden_state - model(ids, kept.long()).last_hidden_state)[kept].abs().max().item()


FAMILIES = {"distilbert": distilbert, "roberta": roberta, "electra": electra}


def main():
    family = sys.argv[1] if len(sys.argv) == 2 else ""
    if family not in FAMILIES:
        fail(f"tools/minilm_as.py wants a name: {', '.join(FAMILIES)}")
    source, target = DEMO / "models/minilm", DEMO / f"models/minilm_{family}"
    if (target / "config.json").exists():
        return
    bert = AutoModel.from_pretrained(source).eval()
    model = converted(bert, family)
    apart = farthest(bert, model)
    if apart > 1e-4:
        fail(f"{family} says something else than BERT: up to {apart:g} apart")

    part = target.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    model.save_pretrained(part)
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt"):
        if (source / name).exists():
            shutil.copy(source / name, part / name)
    part.rename(target)
    say(f"{target}: what MiniLM says to {apart:.1g}, as {json.loads((target / 'config.json').read_text())['architectures'][0]}")


if __name__ == "__main__":
    main()
