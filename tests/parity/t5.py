"""T5 1.0, its 1.1 form and mT5 against transformers; see harness.py and pairs.py.

    t5.py PARITY_MODEL [first_case [cases [curves]]]

An output layer of its own, as the files of T5 1.1 and mT5 have it, is in one case of three.
"""
import decoder
import harness
import pairs
import torch
from transformers import MT5Config, MT5ForConditionalGeneration, T5Config, T5ForConditionalGeneration
from transformers.models.mt5.modeling_mt5 import MT5LayerNorm
from transformers.models.t5.modeling_t5 import T5LayerNorm


class T5(pairs.Pairs):
    def config(self, r, number):
        kind, form = [(T5Config, {}), (T5Config, {"tie_word_embeddings": False}), (MT5Config, {})][number % 3]
        return kind(vocab_size=r.randint(20, 200), d_model=r.choice([8, 12, 24]), d_kv=r.choice([4, 6, 16]), num_heads=r.choice([1, 2, 3]), d_ff=r.choice([13, 32, 50]),
                    num_layers=r.randint(1, 3), num_decoder_layers=r.choice([None, 1, 2, 3]), relative_attention_num_buckets=r.choice([8, 14, 32]),
                    relative_attention_max_distance=r.choice([18, 30, 128]), dropout_rate=0.0, feed_forward_proj=r.choice(["relu", "gated-gelu", "gated-silu", "gelu"]),
                    layer_norm_epsilon=r.choice([1e-6, 1e-3]), pad_token_id=0, decoder_start_token_id=r.choice([0, 3]), **form)

    def model(self, config, read):
        model = (MT5ForConditionalGeneration if config.model_type == "mt5" else T5ForConditionalGeneration)(config)
        if config.vocab_size % 3 == 0:
            model.lm_head.weight = torch.nn.Parameter(torch.randn_like(model.lm_head.weight) * 0.3)
        return model


decoder.exact_in_float64(T5LayerNorm)
decoder.exact_in_float64(MT5LayerNorm)
harness.main(T5())
