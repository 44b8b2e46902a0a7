"""ModernBERT, ELECTRA, ALBERT, DeBERTa-v2 and XLNet against transformers, in one process; see harness.py.

    encoders.py PARITY_MODEL [first_case [cases [curves]]]

transformers turns ModernBERT's queries and keys in float32 whatever the model is in; Llama's function, which is the same
and does not round, stands in for it.
"""
import harness
from transformers import (AlbertConfig, AlbertForSequenceClassification, AlbertForTokenClassification, DebertaV2Config, DebertaV2ForSequenceClassification, DebertaV2ForTokenClassification, ElectraConfig, ElectraForSequenceClassification, ElectraForTokenClassification,
                          ModernBertConfig, ModernBertForSequenceClassification, ModernBertForTokenClassification, XLNetConfig, XLNetForSequenceClassification, XLNetForTokenClassification)
from transformers.models.llama.modeling_llama import apply_rotary_pos_emb
from transformers.models.modernbert import modeling_modernbert


def bert_sizes(r, number):
    heads = r.choice([1, 2, 3, 4])
    return dict(
        vocab_size=r.randint(20, 200), hidden_size=heads * r.choice([4, 7, 8, 16, 32]), num_attention_heads=heads,
        intermediate_size=r.choice([13, 32, 50, 96]), hidden_act=harness.ACTIVATIONS[number % 7], max_position_embeddings=r.choice([64, 150]), type_vocab_size=r.randint(1, 4),
        layer_norm_eps=r.choice([1e-12, 1e-5, 1e-3]), initializer_range=0.2,
        pad_token_id=r.choice([0, 1]), num_labels=r.randint(2, 7), hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)


class Encoder(harness.Family):
    reads = ["all", "text_classification", "token_classification"]

    def model(self, config, read):
        return (self.token_class if read == "token_classification" else self.sequence_class)(config)


class ModernBert(Encoder):
    attention = "sdpa"  # the eager one rounds to float32
    key_bias = "none: turned keys feel theirs"
    sequence_class, token_class = ModernBertForSequenceClassification, ModernBertForTokenClassification

    def config(self, r, number):
        heads, blocks = r.choice([1, 2, 3, 4]), r.randint(1, 5)
        theta = {"full_attention": {"rope_type": "default", "rope_theta": r.choice([500.0, 160000.0])}, "sliding_attention": {"rope_type": "default", "rope_theta": r.choice([100.0, 10000.0])}}
        biases = {key: r.choice([False, False, True]) for key in ("attention_bias", "mlp_bias", "norm_bias", "classifier_bias")}
        return ModernBertConfig(
            vocab_size=r.randint(20, 200), hidden_size=heads * r.choice([4, 6, 8, 16]), num_attention_heads=heads, num_hidden_layers=blocks, intermediate_size=r.choice([13, 32, 50]),
            hidden_activation=r.choice(["gelu", "gelu", "silu", "gelu_new"]), classifier_activation=r.choice(["gelu", "gelu", "relu"]), max_position_embeddings=r.choice([64, 150]),
            norm_eps=r.choice([1e-5, 1e-3]), initializer_range=r.choice([0.05, 0.2]), pad_token_id=r.choice([0, 1, None]), local_attention=r.choice([2, 3, 8, 16]), rope_parameters=theta,
            bos_token_id=1, eos_token_id=2, cls_token_id=1, sep_token_id=2, layer_types=[r.choice(["full_attention", "sliding_attention"]) for _ in range(blocks)], classifier_pooling=["cls", "mean"][number % 2], num_labels=r.randint(2, 7), **biases)


class Electra(Encoder):
    sequence_class, token_class = ElectraForSequenceClassification, ElectraForTokenClassification

    def config(self, r, number):
        sizes = bert_sizes(r, number)
        return ElectraConfig(embedding_size=r.choice([sizes["hidden_size"], 5, 12]), num_hidden_layers=r.randint(1, 4), **sizes)


class Albert(Encoder):
    sequence_class, token_class = AlbertForSequenceClassification, AlbertForTokenClassification

    def config(self, r, number):
        groups = r.choice([1, 1, 2])
        return AlbertConfig(embedding_size=r.choice([5, 12]), num_hidden_groups=groups, num_hidden_layers=groups * r.randint(1, 3), classifier_dropout_prob=0.0, **bert_sizes(r, number))


class DebertaV2(Encoder):
    key_bias = "none: its positions feel theirs"
    sequence_class, token_class = DebertaV2ForSequenceClassification, DebertaV2ForTokenClassification

    def segments(self, config):
        return max(1, config.type_vocab_size)

    def config(self, r, number):
        sizes = {**bert_sizes(r, number), "type_vocab_size": r.choice([0, 0, 2])}
        return DebertaV2Config(
            num_hidden_layers=r.randint(1, 3), relative_attention=True, share_att_key=True, pos_att_type=r.choice(["p2c|c2p", "p2c|c2p", ["c2p"], "p2c"]), norm_rel_ebd=r.choice(["layer_norm", "layer_norm", "none"]),
            position_buckets=r.choice([-1, 4, 8, 32]), max_relative_positions=r.choice([-1, 30, 70]), position_biased_input=r.choice([False, False, True]), pooler_hidden_act=r.choice(["gelu", "tanh"]), **sizes)


class XLNet(Encoder):
    """Padded on the left, where its tokenizer pads; <cls> ends a text. Segments are as two texts and <cls> have them, or in any order."""
    key_bias = "none"
    sequence_class, token_class = XLNetForSequenceClassification, XLNetForTokenClassification

    def longest(self, config):
        return 60

    def segments(self, config):
        return 3

    def config(self, r, number):
        heads = r.choice([1, 2, 3, 4])
        return XLNetConfig(
            vocab_size=r.randint(20, 200), d_model=heads * r.choice([4, 6, 8, 16]), n_head=heads, n_layer=r.randint(1, 4), d_inner=r.choice([13, 32, 50]), ff_activation=harness.ACTIVATIONS[number % 7],
            clamp_len=r.choice([-1, -1, 7, 40]), layer_norm_eps=r.choice([1e-12, 1e-5, 1e-3]), initializer_range=0.2, dropout=0.0, summary_last_dropout=0.0, pad_token_id=r.choice([0, 5]), num_labels=r.randint(2, 7))

    def model(self, config, read):
        model = super().model(config, read)
        model.transformer.mask_emb.requires_grad_(False)  # of pretraining alone
        return model

    def batch(self, config, read, r, rows):
        batch = super().batch(config, read, r, rows)
        for row in batch["segments"][::2]:
            row[:] = [int(i >= len(row) // 2) for i in range(len(row) - 1)] + [2]
        return batch

    def reference(self, case, model, batch):
        left = {key: [row[::-1] if isinstance(row, list) else row for row in rows] for key, rows in batch.items()}
        padded, harness.padded = harness.padded, lambda rows, value=0: padded(rows, value).flip(1)
        try:
            return super().reference(case, model, left)
        finally:
            harness.padded = padded


modeling_modernbert.apply_rotary_pos_emb = apply_rotary_pos_emb
harness.UPDATES["max_grad_norm"] = 0.02  # a narrow embedding's gradients are small
harness.main(ModernBert(), Electra(), Albert(), DebertaV2(), XLNet(), cases=12, curves=4)
