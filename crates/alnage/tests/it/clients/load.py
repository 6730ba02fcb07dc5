"""Loads and pushes with `transformers`, `tokenizers` and `datasets`. The last word of output is how much was compared."""

import os

import datasets
import tokenizers
import transformers
from transformers import AutoConfig, AutoTokenizer

DONE = 0


def same(found, wanted):
    global DONE
    assert found == wanted, f"{found} is not {wanted}"
    DONE += 1


def refused(load, kind, part):
    try:
        given = load()
    except Exception as error:  # noqa: BLE001
        same(type(error).__name__, kind)
        same(part in str(error), True)
        return
    raise AssertionError(f"{given} was given")


def rows(found):
    return {split: found[split].to_list() for split in found}


same(AutoConfig.from_pretrained("acme/tiny").hidden_size, 8)
tokenizer = AutoTokenizer.from_pretrained("acme/tiny")
same(tokenizer("hello world")["input_ids"], [5, 6])
same(tokenizers.Tokenizer.from_pretrained("acme/tiny").encode("world").ids, [6])
same(transformers.GenerationConfig.from_pretrained("acme/tiny").max_length, 5)
same(AutoConfig.from_pretrained("solo").hidden_size, 8)
refused(lambda: AutoConfig.from_pretrained("acme/bad"), "OSError", "ALNAGE: acme/bad")
refused(lambda: AutoTokenizer.from_pretrained("acme/none"), "OSError", "acme/none")
tokenizer.push_to_hub("team/loaded")
AutoConfig.from_pretrained("acme/tiny").push_to_hub("team/loaded")
same(AutoTokenizer.from_pretrained("team/loaded")("world")["input_ids"], [6])
same(AutoConfig.from_pretrained("team/loaded").hidden_size, 8)

table = {"train": [{"a": 1, "b": 2}, {"a": 3, "b": 4}], "test": [{"a": 5, "b": 6}]}
same(rows(datasets.load_dataset("acme/data")), table)
same(rows(datasets.load_dataset("acme/lines")), {"train": [{"a": 1}, {"a": 2}]})
same(list(datasets.load_dataset("acme/data", split="test", streaming=True)), table["test"])
same(datasets.get_dataset_split_names("acme/data"), ["train", "test"])
refused(lambda: datasets.load_dataset("acme/nothing"), "DatasetNotFoundError", "acme/nothing")
# As Parquet, in a repository that is made for it.
datasets.load_dataset("acme/data").push_to_hub("team/pushed")
same(rows(datasets.load_dataset("team/pushed")), table)
print(os.linesep, DONE)
