"""Qwen2 against transformers; see harness.py and decoder.py.

    qwen2.py PARITY_MODEL [first_case [cases [curves]]]
"""
import decoder
import harness
from transformers import Qwen2Config, Qwen2ForSequenceClassification
from transformers.models.qwen2.modeling_qwen2 import Qwen2RMSNorm


class Qwen2(decoder.Decoder):
    model_class = Qwen2ForSequenceClassification

    def config(self, r, number):
        return Qwen2Config(**self.sizes(r, number))


decoder.exact_in_float64(Qwen2RMSNorm)
harness.main(Qwen2())
