"""Qwen3 against transformers; see harness.py and decoder.py.

    qwen3.py PARITY_MODEL [first_case [cases [curves]]]
"""
import decoder
import harness
from transformers import Qwen3Config, Qwen3ForSequenceClassification
from transformers.models.qwen3.modeling_qwen3 import Qwen3RMSNorm


class Qwen3(decoder.Decoder):
    model_class = Qwen3ForSequenceClassification

    def config(self, r, number):
        return Qwen3Config(attention_bias=r.choice([True, False]), **self.sizes(r, number))


decoder.exact_in_float64(Qwen3RMSNorm)
harness.main(Qwen3())
